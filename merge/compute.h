#pragma once

#include "merge/evaluate.h"
#include "merge/operator.h"

namespace anabranch::merge {

/// Appends the values of expressions, in binary, to each row.
class ComputeOperator final : public StreamingOperator {
 public:
  ComputeOperator(const Compute& step, const Shape& shape, const Binding& binding);

  /// The shape of what comes out, given that of what goes in.
  static Shape output_shape(const Compute& step, Shape shape);

 private:
  void transform(Batch& in, Batch& out) override;

  std::vector<Evaluator> evaluators_;
  RowBlock block_;
};

}  // namespace anabranch::merge
