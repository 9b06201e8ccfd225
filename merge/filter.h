#pragma once

#include "merge/evaluate.h"
#include "merge/operator.h"

namespace anabranch::merge {

/// Keeps rows whose condition is true.
class FilterOperator final : public StreamingOperator {
 public:
  FilterOperator(const Filter& step, const Shape& shape, const Binding& binding)
      : evaluator_(step.condition, shape, binding.slots), block_(shape.size()) {}

 private:
  void transform(Batch& in, Batch& out) override;

  Evaluator evaluator_;
  RowBlock block_;
};

}  // namespace anabranch::merge
