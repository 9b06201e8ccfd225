#include "merge/distinct.h"

#include "merge/sort_keys.h"

namespace anabranch::merge {

DistinctOperator::DistinctOperator(const Distinct& step, const Shape& shape, MemoryBudget& budget)
    : block_(shape.size()), seen_(budget) {
  for (const int column : step.columns) {
    const auto index = static_cast<std::size_t>(column);
    parts_.push_back({index, equality_encoder(shape.at(index))});
  }
}

void DistinctOperator::transform(Batch& in, Batch& out) {
  for_each_block(in, block_, [&](std::size_t first) {
    for (std::size_t i = 0; i < block_.size(); ++i) {
      key_.clear();
      for (const Part& part : parts_)
        part.encoder.append(block_.field(i, part.column).value(), key_);
      if (seen_.insert(key_)) out.append_row(in, first + i);
    }
  });
}

}  // namespace anabranch::merge
