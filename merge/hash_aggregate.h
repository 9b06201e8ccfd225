#pragma once

#include <memory>
#include <vector>

#include "merge/accumulator.h"
#include "merge/operator.h"
#include "merge/passes.h"
#include "merge/recipe.h"

namespace anabranch::merge {

class GroupTable;

/// Groups everything that comes, then puts out one row a group, in the order in which groups were
/// first seen. Works on blocks of rows: find all groups, then update one aggregate after the other.
/// When memory is short, rows of groups that are not there yet are put off: the groups that are
/// there come out first, then those of one partition after another, in any order.
class HashAggregateOperator final : public Operator {
 public:
  /// `step` outlives the operator.
  HashAggregateOperator(const HashAggregate& step, const Shape& shape, MemoryBudget& budget, Spill* spill);
  ~HashAggregateOperator() override;

  void consume(Batch batch) override { take(batch); }
  void finish() override { phase_ = Phase::settling; }
  bool next(Batch& out) override;

  /// The shape of what comes out.
  const Shape& output_shape() const { return output_shape_; }

 private:
  struct Part {
    std::unique_ptr<Accumulator> accumulator;
    std::vector<std::size_t> inputs;
    int grouping;
  };
  enum class Phase {
    gathering,  ///< rows come from the step before
    rereading,  ///< rows come back from the disk
    settling,   ///< aggregates do what they have put off
    emitting,
    done
  };

  void begin_pass();
  void take(const Batch& batch);
  void take_known(const Batch& batch, std::size_t first);
  void update(const Part& part);
  void update_chosen(const Part& part);
  bool is_of(std::size_t row, int grouping) const;
  bool settle();
  void emit(Batch& out);

  const HashAggregate* step_;
  Shape shape_;
  MemoryBudget* budget_;
  Spill* spill_;
  Passes passes_;
  Phase phase_ = Phase::gathering;
  std::vector<Part> parts_;
  Shape output_shape_;
  Column discriminator_;
  RowBlock block_;
  std::unique_ptr<GroupTable> groups_;
  bool is_full_ = false;               ///< no new groups in this pass
  std::vector<std::byte*> records_;    ///< of the block's rows; nullptr: put off
  std::vector<std::uint64_t> hashes_;  ///< of the block's keys
  std::vector<std::byte*> chosen_records_;
  std::vector<Field> chosen_fields_;
};

}  // namespace anabranch::merge
