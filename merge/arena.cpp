#include "merge/arena.h"

#include <algorithm>

namespace anabranch::merge {

namespace {
constexpr std::size_t kFirstChunk = 4 * 1024;
constexpr std::size_t kLargestChunk = 1024 * 1024;
}  // namespace

/// A chunk is a small part of a small budget.
Arena::Arena(MemoryBudget& budget)
    : charge_(budget), largest_chunk_(std::clamp(budget.limit() / 16, kFirstChunk, kLargestChunk)) {}

std::size_t Arena::next_chunk(std::size_t at_least) const {
  const std::size_t usual =
      chunks_.empty() ? kFirstChunk : std::min(largest_chunk_, 2 * chunks_.back().size);
  return std::max(usual, at_least);
}

void Arena::add_chunk(std::size_t at_least) {
  const std::size_t size = next_chunk(at_least);
  charge_.grow(size);
  chunks_.push_back({.bytes = std::make_unique<std::byte[]>(size), .size = size});
}

}  // namespace anabranch::merge
