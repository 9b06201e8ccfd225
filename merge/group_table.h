#pragma once

#include <memory>
#include <vector>

#include "merge/arena.h"
#include "merge/recipe.h"
#include "merge/row_block.h"

namespace anabranch::merge {

/// Finds the record of each row's group, making it where there is none. A record holds what the
/// table needs, then `state_size` zeroed bytes for the accumulators; it never moves.
class GroupTable {
 public:
  virtual ~GroupTable() = default;
  GroupTable() = default;
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  /// Where the accumulators' bytes begin in a record.
  virtual std::size_t header_size() const = 0;
  /// The records of a block's rows.
  virtual void find(const RowBlock& block, std::byte** records) = 0;
  /// The same, without making any: nullptr where there is none. And the hashes of the keys.
  virtual void find_known(const RowBlock& block, std::byte** records, std::uint64_t* hashes) = 0;
  /// What making a group for each of so many rows of `bytes` bytes would charge, more or less.
  virtual std::size_t growth(std::size_t rows, std::size_t bytes) const = 0;
  /// Walks the records in the order in which they were made; nullptr at the end.
  virtual const std::byte* next_record() = 0;
  /// Adds the group's columns to a row.
  virtual void write_columns(const std::byte* record, RowWriter& out) const = 0;
};

/// Throws SqlError 0A000 where a column's type has no equality known to us.
std::unique_ptr<GroupTable> make_group_table(const std::vector<HashAggregate::GroupColumn>& groups,
                                             const Shape& shape, std::size_t state_size,
                                             MemoryBudget& budget);

/// The pieces of an arena, one after another, given the size of each.
class RecordWalk {
 public:
  explicit RecordWalk(const Arena& arena) : arena_(&arena) {}

  template <typename Size>
  const std::byte* next(Size size_of) {
    const auto& chunks = arena_->chunks();
    while (chunk_ < chunks.size() && at_ == chunks[chunk_].used) {
      ++chunk_;
      at_ = 0;
    }
    if (chunk_ == chunks.size()) return nullptr;
    const std::byte* const record = chunks[chunk_].bytes.get() + at_;
    at_ += (size_of(record) + 7) & ~std::size_t{7};
    return record;
  }

 private:
  const Arena* arena_;
  std::size_t chunk_ = 0;
  std::size_t at_ = 0;
};

}  // namespace anabranch::merge
