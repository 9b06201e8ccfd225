#include "merge/filter.h"

#include "values/arith.h"

namespace anabranch::merge {

void FilterOperator::transform(Batch& in, Batch& out) {
  for_each_block(in, block_, [&](std::size_t first) {
    for (std::size_t i = 0; i < block_.size(); ++i)
      if (values::truth_of(evaluator_.evaluate(block_, i)).value_or(false))
        out.append_row(in, first + i);
  });
}

}  // namespace anabranch::merge
