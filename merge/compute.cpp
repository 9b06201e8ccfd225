#include "merge/compute.h"

#include "merge/datum_field.h"

namespace anabranch::merge {

ComputeOperator::ComputeOperator(const Compute& step, const Shape& shape, const Binding& binding)
    : block_(shape.size()) {
  for (const Expression& expression : step.expressions)
    evaluators_.emplace_back(expression, shape, binding.slots);
}

Shape ComputeOperator::output_shape(const Compute& step, Shape shape) {
  for (const Expression& expression : step.expressions)
    shape.push_back({expression.type, values::Format::binary});
  return shape;
}

void ComputeOperator::transform(Batch& in, Batch& out) {
  const auto columns = static_cast<int>(block_.columns() + evaluators_.size());
  for_each_block(in, block_, [&](std::size_t) {
    for (std::size_t i = 0; i < block_.size(); ++i) {
      RowWriter row(out, columns);
      row.add_framed(block_.framed_row(i));
      for (const Evaluator& evaluator : evaluators_)
        add_datum(row, evaluator.evaluate(block_, i), values::Format::binary);
      row.finish();
    }
  });
}

}  // namespace anabranch::merge
