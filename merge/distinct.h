#pragma once

#include "merge/key_set.h"
#include "merge/operator.h"
#include "merge/recipe.h"
#include "merge/row_block.h"
#include "values/key.h"

namespace anabranch::merge {

/// Keeps the first row of each set of rows that are equal in some columns.
class DistinctOperator final : public StreamingOperator {
 public:
  DistinctOperator(const Distinct& step, const Shape& shape, MemoryBudget& budget);

 private:
  void transform(Batch& in, Batch& out) override;

  struct Part {
    std::size_t column;
    values::KeyEncoder encoder;
  };
  std::vector<Part> parts_;
  RowBlock block_;
  KeySet seen_;
  std::string key_;
};

}  // namespace anabranch::merge
