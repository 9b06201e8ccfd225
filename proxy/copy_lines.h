#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "merge/memory_budget.h"

namespace anabranch::proxy {

/// Which of the client's lines a shard's line was, for the errors of a COPY. A byte or two a row; rows
/// that lie further back than what can be on its way to a shard are forgotten.
class CopyLines {
 public:
  explicit CopyLines(merge::MemoryBudget& budget) : charge_(budget) {}

  /// A row of `bytes` that counts for `lines` lines on the shard, and ends at `client_line`.
  void add(std::uint64_t client_line, std::uint32_t lines, std::size_t bytes);
  /// Nothing: it is forgotten, or has not been sent.
  std::optional<std::uint64_t> client_line(std::uint64_t shard_line) const;
  bool empty() const { return blocks_.empty(); }

 private:
  /// What sockets and servers may hold of a stream, and more.
  static constexpr std::uint64_t bytes_kept = 64U << 20U;
  static constexpr std::size_t rows_a_block = 4096;

  struct Block {
    std::uint64_t shard_line = 0;   ///< of the row before its first
    std::uint64_t client_line = 0;
    std::size_t rows = 0;
    std::uint64_t bytes = 0;  ///< of the rows
    std::string gaps;  ///< for each row: lines of the client's since the row before, and its own lines
  };

  std::deque<Block> blocks_;
  std::uint64_t shard_line_ = 0;
  std::uint64_t client_line_ = 0;
  std::uint64_t bytes_ = 0;  ///< of all blocks' rows
  merge::Charge charge_;
};

}  // namespace anabranch::proxy
