#pragma once

#include <cstring>

#include "merge/arena.h"
#include "merge/slot_table.h"

namespace anabranch::merge {

/// A set of byte strings.
class KeySet {
 public:
  explicit KeySet(MemoryBudget& budget) : arena_(budget), table_(budget) {}

  /// Whether the key was not there yet.
  bool insert(std::string_view key) { return insert(key, hash_bytes(key)); }
  /// `hash` is hash_bytes() of the key.
  bool insert(std::string_view key, std::uint64_t hash) {
    bool inserted = false;
    table_.find_or_insert(
        hash, hash, [&](const std::byte* record) { return key_of(record) == key; },
        [&] {
          inserted = true;
          std::byte* const record = arena_.allocate(sizeof(std::size_t) + key.size());
          const std::size_t size = key.size();
          std::memcpy(record, &size, sizeof(size));
          std::memcpy(record + sizeof(size), key.data(), key.size());
          return record;
        });
    return inserted;
  }

  bool contains(std::string_view key, std::uint64_t hash) const {
    return table_.find(hash, hash, [&](const std::byte* record) { return key_of(record) == key; }) != nullptr;
  }
  std::size_t size() const { return table_.size(); }
  /// What it would charge for one more key of `bytes` bytes, more or less.
  std::size_t growth(std::size_t bytes) const { return arena_.growth(sizeof(std::size_t) + bytes) + table_.growth(1); }

 private:
  static std::string_view key_of(const std::byte* record) {
    std::size_t size;
    std::memcpy(&size, record, sizeof(size));
    return {reinterpret_cast<const char*>(record) + sizeof(size), size};
  }

  Arena arena_;
  SlotTable<HashTag> table_;
};

}  // namespace anabranch::merge
