#pragma once

#include <memory>
#include <vector>

#include "merge/accumulator.h"
#include "merge/operator.h"
#include "merge/recipe.h"

namespace anabranch::merge {

class GroupTable;

/// Groups everything that comes, then puts out one row a group, in the order in which groups were
/// first seen. Works on blocks of rows: find all groups, then update one aggregate after the other.
class HashAggregateOperator final : public Operator {
 public:
  HashAggregateOperator(const HashAggregate& step, const Shape& shape, MemoryBudget& budget);
  ~HashAggregateOperator() override;

  void consume(Batch batch) override;
  void finish() override { finished_ = true; }
  bool next(Batch& out) override;

  /// The shape of what comes out.
  const Shape& output_shape() const { return output_shape_; }

 private:
  struct Part {
    std::unique_ptr<Accumulator> accumulator;
    std::vector<std::size_t> inputs;
    int grouping;
  };

  std::size_t make_parts(const HashAggregate& step, const Shape& shape, MemoryBudget& budget);
  void update(const Part& part);
  void update_grouping(const Part& part);

  std::vector<Part> parts_;
  Shape output_shape_;
  Column discriminator_;
  int discriminator_column_;
  RowBlock block_;
  std::unique_ptr<GroupTable> groups_;
  std::vector<std::byte*> records_;         ///< of the block's rows
  std::vector<std::byte*> chosen_records_;  ///< of those of one grouping
  std::vector<Field> chosen_fields_;
  bool finished_ = false;
};

}  // namespace anabranch::merge
