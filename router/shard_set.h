#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace anabranch::router {

inline constexpr std::size_t max_shards = 1024;  // of one database; conf/ refuses more

/// A set of shard indices; iterates in ascending order. A plain value without allocation.
class ShardSet {
 public:
  static ShardSet first(std::size_t count) {
    ShardSet set;
    for (std::size_t shard = 0; shard < count; ++shard) set.add(shard);
    return set;
  }
  static ShardSet of(std::size_t shard) {
    ShardSet set;
    set.add(shard);
    return set;
  }

  void add(std::size_t shard) { words_[shard / 64] |= std::uint64_t{1} << (shard % 64); }
  bool contains(std::size_t shard) const {
    return shard < max_shards && ((words_[shard / 64] >> (shard % 64)) & 1U) != 0;
  }
  std::size_t size() const {
    std::size_t count = 0;
    for (const std::uint64_t word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  bool empty() const { return *this == ShardSet{}; }

  ShardSet& operator|=(const ShardSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  ShardSet& operator&=(const ShardSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  friend ShardSet operator|(ShardSet left, const ShardSet& right) { return left |= right; }
  friend ShardSet operator&(ShardSet left, const ShardSet& right) { return left &= right; }
  bool operator==(const ShardSet&) const = default;

  class Iterator {
   public:
    using value_type = std::uint32_t;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;
    using reference = std::uint32_t;
    using pointer = const std::uint32_t*;

    Iterator() = default;
    Iterator(const ShardSet* set, std::size_t at) : set_(set), at_(set->next(at)) {}
    std::uint32_t operator*() const { return static_cast<std::uint32_t>(at_); }
    Iterator& operator++() {
      at_ = set_->next(at_ + 1);
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const ShardSet* set_ = nullptr;
    std::size_t at_ = max_shards;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, max_shards}; }

 private:
  std::size_t next(std::size_t from) const {
    while (from < max_shards) {
      const std::uint64_t rest = words_[from / 64] >> (from % 64);
      if (rest != 0) return from + static_cast<std::size_t>(std::countr_zero(rest));
      from = (from / 64 + 1) * 64;
    }
    return max_shards;
  }

  std::array<std::uint64_t, max_shards / 64> words_{};
};

}  // namespace anabranch::router
