#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "merge/memory_budget.h"

namespace anabranch::merge {

/// Memory that is handed out piece by piece and given back all at once; charged chunk by chunk.
/// Pieces are zeroed, aligned to eight bytes, and never move.
class Arena {
 public:
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t used = 0;
    std::size_t size = 0;
  };

  explicit Arena(MemoryBudget& budget);

  std::byte* allocate(std::size_t bytes) {
    bytes = (bytes + 7) & ~std::size_t{7};
    if (chunks_.empty() || chunks_.back().size - chunks_.back().used < bytes) add_chunk(bytes);
    Chunk& chunk = chunks_.back();
    std::byte* const piece = chunk.bytes.get() + chunk.used;
    chunk.used += bytes;
    return piece;
  }

  /// What it would charge for pieces of `bytes` bytes in all, more or less.
  std::size_t growth(std::size_t bytes) const {
    const bool fits = !chunks_.empty() && chunks_.back().size - chunks_.back().used >= bytes;
    return fits ? 0 : next_chunk(bytes);
  }

  /// In the order of allocation: whoever knows the size of each piece can walk them all.
  const std::vector<Chunk>& chunks() const { return chunks_; }

 private:
  std::size_t next_chunk(std::size_t at_least) const;
  void add_chunk(std::size_t at_least);

  Charge charge_;
  std::size_t largest_chunk_;
  std::vector<Chunk> chunks_;
};

}  // namespace anabranch::merge
