#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

#include "merge/memory_budget.h"

namespace anabranch::merge {

/// XXH3 with a seed of this process, so that nobody can choose values that all collide.
std::uint64_t hash_bytes(std::string_view bytes);
std::uint64_t hash_seed();

inline std::uint64_t hash_word(std::uint64_t word, std::uint64_t seed) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(word ^ seed) * 0x9E3779B97F4A7C15ULL;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// The tag of a slot is a word that is the whole key.
struct WordTag {
  static constexpr bool is_key = true;
  static std::uint64_t hash(std::uint64_t tag, std::uint64_t seed) { return hash_word(tag, seed); }
};
/// The tag of a slot is the hash of a key that stands in the record.
struct HashTag {
  static constexpr bool is_key = false;
  static std::uint64_t hash(std::uint64_t tag, std::uint64_t) { return tag; }
};

/// Open addressing, linear probing: finds the record of a key. The records live elsewhere. Slots
/// are addressed by the high bits of the hash, so growing keeps their order and writes in sequence.
template <typename Tag>
class SlotTable {
 public:
  explicit SlotTable(MemoryBudget& budget) : charge_(budget) { resize(kFirstBits); }

  std::size_t size() const { return size_; }
  std::uint64_t hash_of(std::uint64_t tag) const { return Tag::hash(tag, seed_); }
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&slots_[hash >> shift_]); }

  /// The record of the key. `matches(record)` compares whole keys (asked only when tags agree);
  /// `make()` gives the record of a new one.
  template <typename Matches, typename Make>
  std::byte* find_or_insert(std::uint64_t hash, std::uint64_t tag, Matches matches, Make make) {
    std::size_t at = hash >> shift_;
    for (;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.record == nullptr) break;
      if (slot.tag == tag && (Tag::is_key || matches(slot.record))) return slot.record;
    }
    std::byte* const record = make();
    slots_[at] = {tag, record};
    if (++size_ > limit_) resize(64 - shift_ + 1);
    return record;
  }

  /// The record of the key; nullptr: there is none.
  template <typename Matches>
  std::byte* find(std::uint64_t hash, std::uint64_t tag, Matches matches) const {
    for (std::size_t at = hash >> shift_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.record == nullptr) return nullptr;
      if (slot.tag == tag && (Tag::is_key || matches(slot.record))) return slot.record;
    }
  }

  /// What it would charge, at most and for a moment, for `keys` more keys.
  std::size_t growth(std::size_t keys) const {
    return size_ + keys > limit_ ? 2 * (mask_ + 1) * sizeof(Slot) : 0;
  }

 private:
  struct Slot {
    std::uint64_t tag;
    std::byte* record;
  };
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  using Slots = std::unique_ptr<Slot[], Free>;
  static constexpr unsigned kFirstBits = 8;

  void resize(unsigned bits) {
    const std::size_t capacity = std::size_t{1} << bits;
    const std::size_t old_capacity = slots_ ? mask_ + 1 : 0;
    charge_.grow(capacity * sizeof(Slot));
    Slots slots(static_cast<Slot*>(std::calloc(capacity, sizeof(Slot))));
    if (!slots) throw std::bad_alloc();
    slots.swap(slots_);
    shift_ = 64 - bits;
    mask_ = capacity - 1;
    limit_ = capacity / 8 * 5;
    for (std::size_t i = 0; i < old_capacity; ++i)
      if (slots[i].record != nullptr) insert_again(slots[i]);
    charge_.shrink(old_capacity * sizeof(Slot));
  }

  void insert_again(const Slot& slot) {
    std::size_t at = hash_of(slot.tag) >> shift_;
    while (slots_[at].record != nullptr) at = (at + 1) & mask_;
    slots_[at] = slot;
  }

  Charge charge_;
  std::uint64_t seed_ = hash_seed();
  Slots slots_;
  unsigned shift_ = 64;
  std::size_t mask_ = 0;
  std::size_t size_ = 0;
  std::size_t limit_ = 0;
};

}  // namespace anabranch::merge
