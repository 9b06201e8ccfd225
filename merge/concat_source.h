#pragma once

#include <deque>

#include "merge/memory_budget.h"
#include "merge/source.h"

namespace anabranch::merge {

/// Batches of all sources in the order in which they come; they pass through untouched.
class ConcatSource final : public Source {
 public:
  ConcatSource(std::size_t sources, MemoryBudget& budget) : open_(sources), held_(budget) {}

  void consume(std::size_t source, Batch batch) override;
  void finish(std::size_t source) override;
  Merger::Status next(Batch& out) override;

 private:
  std::size_t open_;
  Charge held_;
  std::deque<Batch> batches_;
};

}  // namespace anabranch::merge
