#include "merge/passes.h"

namespace anabranch::merge {

void Passes::put_off(std::uint64_t hash, std::string_view message) {
  if (partitions_.empty()) {
    partitions_.reserve(1U << kBits);
    for (unsigned i = 0; i < 1U << kBits; ++i) partitions_.emplace_back(*spill_, *budget_);
  }
  partitions_[(hash >> (kBits * level_)) & ((1U << kBits) - 1)].append(message);
}

bool Passes::begin_next() {
  current_.reset();
  for (SpilledRows& rows : partitions_) {
    rows.flush();
    if (!rows.empty()) waiting_.push_back({std::move(rows), level_ + 1});
  }
  partitions_.clear();
  level_ = 0;
  taken_ = 0;
  if (waiting_.empty()) return false;
  current_.emplace(std::move(waiting_.back().rows));
  level_ = waiting_.back().level;
  waiting_.pop_back();
  return true;
}

}  // namespace anabranch::merge
