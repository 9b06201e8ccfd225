#include "merge/spilled_rows.h"

#include <algorithm>

namespace anabranch::merge {

namespace {

/// Large enough for the disk; small enough that a few dozen are a small part of the budget.
std::size_t chunk_of(const MemoryBudget& budget) {
  return std::clamp<std::size_t>(budget.limit() / 256, 512, 256 * 1024);
}

}  // namespace

SpilledRows::SpilledRows(Spill& spill, MemoryBudget& budget)
    : spill_(&spill), chunk_(chunk_of(budget)), charge_(budget) {}

void SpilledRows::append(std::string_view message) {
  if (buffer_.size() + message.size() > chunk_) flush();
  if (buffer_.capacity() == 0) {
    charge_.grow(std::max(chunk_, message.size()));
    buffer_.reserve(std::max(chunk_, message.size()));
  }
  buffer_.append(message);
}

void SpilledRows::flush() {
  if (buffer_.empty()) return;
  extents_.push_back(spill_->write(buffer_));
  std::string().swap(buffer_);
  charge_.set(extents_.size() * sizeof(Spill::Extent));
}

bool SpilledRows::read(Batch& out) {
  if (extents_.empty()) return false;
  std::string bytes;
  spill_->read(extents_.front(), bytes);
  spill_->release(extents_.front());
  extents_.pop_front();
  charge_.set(extents_.size() * sizeof(Spill::Extent));
  out.append_messages(bytes);
  return true;
}

}  // namespace anabranch::merge
