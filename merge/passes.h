#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "merge/spilled_rows.h"

namespace anabranch::merge {

/// Rows for which a hash table has no room: they are put off, by hash of their keys, into partitions
/// on disk, and each partition is a pass of its own later, with an empty table. What does not fit
/// there is put off once more, by other bits of the hash (hybrid hashing: DeWitt et al., SIGMOD 1984).
class Passes {
 public:
  /// `spill` null: nothing is ever put off.
  Passes(Spill* spill, MemoryBudget& budget) : spill_(spill), budget_(&budget) {}

  /// Whether the present pass may put rows off.
  bool may_put_off() const { return spill_ != nullptr && spill_->is_allowed() && level_ < kLevels; }
  /// A table that grows by `growth` bytes leaves too little for what else the statement does. Whatever
  /// that holds, each pass takes something: it gets somewhere.
  bool is_tight(std::size_t growth) const {
    return taken_ >= least_taken() && budget_->used() + growth > budget_->limit() / 2;
  }
  /// Bytes of rows, or keys, that the present pass takes without putting any off.
  std::size_t least_taken() const { return budget_->limit() / 64; }
  void took(std::size_t bytes) { taken_ += bytes; }
  /// From here on rows are put off: the disk may be waited for.
  void begin_putting_off() { spill_->begin(); }
  void put_off(std::uint64_t hash, std::string_view message);

  /// The present pass has had all its rows. False: there is no other.
  bool begin_next();
  bool has_next() const { return !partitions_.empty() || !waiting_.empty(); }
  /// Adds rows of the present pass, which is not the first, to `out`; false: none are left.
  bool read(Batch& out) { return current_ && current_->read(out); }

 private:
  static constexpr unsigned kBits = 4;
  static constexpr unsigned kLevels = 8;
  struct Waiting {
    SpilledRows rows;
    unsigned level;
  };

  Spill* spill_;
  MemoryBudget* budget_;
  unsigned level_ = 0;
  std::size_t taken_ = 0;
  std::vector<SpilledRows> partitions_;  ///< of the present pass; empty: nothing was put off
  std::vector<Waiting> waiting_;
  std::optional<SpilledRows> current_;
};

}  // namespace anabranch::merge
