#pragma once

#include <string>
#include <vector>

#include "merge/operator.h"
#include "merge/recipe.h"
#include "merge/row_block.h"
#include "merge/sort_keys.h"
#include "merge/spilling_set.h"

namespace anabranch::merge {

/// Keeps the first row of each set of rows that are equal in some columns. When memory is short, rows
/// that may be new are put off and come out last: of all, or, where rows come in order, of those that
/// are equal in its columns, so that the order stays.
class DistinctOperator final : public Operator {
 public:
  /// `order`: the columns by which rows come sorted, if they do. Where not all of them are among the
  /// columns that are compared nothing is put off.
  DistinctOperator(const Distinct& step, const std::vector<SortKey>& order, const Shape& shape, MemoryBudget& budget,
                   Spill* spill);

  void consume(Batch batch) override;
  void finish() override { finished_ = true; }
  bool next(Batch& out) override;

 private:
  void take_rows(Batch& out);
  bool begins_run(std::size_t row);
  void insert(const Batch& rows, std::size_t index, std::size_t row, Batch& out);

  SortKeys keys_;
  SortKeys run_keys_;  ///< rows equal in these come together
  RowBlock block_;
  SpillingSet seen_;
  Batch in_;
  std::size_t taken_ = 0;     ///< rows of in_
  bool rereading_ = false;    ///< rows come back from the disk, until none are left
  bool finished_ = false;
  std::string key_;
  std::string run_;           ///< the key of the run that is being read
  std::string next_run_;
};

}  // namespace anabranch::merge
