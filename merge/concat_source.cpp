#include "merge/concat_source.h"

namespace anabranch::merge {

void ConcatSource::consume(std::size_t, Batch batch) {
  if (batch.empty()) return;
  held_.grow(batch.byte_size());
  batches_.push_back(std::move(batch));
}

void ConcatSource::finish(std::size_t) {
  --open_;
}

Merger::Status ConcatSource::next(Batch& out) {
  using Kind = Merger::Status::Kind;
  if (batches_.empty()) return {.kind = open_ == 0 ? Kind::end : Kind::need};
  out.swap(batches_.front());
  batches_.pop_front();
  held_.shrink(out.byte_size());
  return {.kind = Kind::rows};
}

}  // namespace anabranch::merge
