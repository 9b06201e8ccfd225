#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "router/placement.h"

namespace anabranch::router {

/// What one loop remembers of tables of keys: a bounded number of rows that were found, for a time. That a key has no
/// row is never remembered. find() neither allocates nor waits. One thread.
class LookupCache {
 public:
  using Clock = std::chrono::steady_clock;

  /// Whose scheme a key is of: `owner` is a number that is never used twice (a map of one moment), `index` the
  /// scheme's in it. Rows are forgotten when `generation` is another one.
  struct Scope {
    std::uint64_t owner = 0;
    std::uint64_t generation = 0;
    std::uint32_t index = 0;
    bool operator==(const Scope&) const = default;
  };

  /// The key's shard, if it is known and still believed.
  std::optional<std::uint32_t> find(const Scope& scope, const KeyValue& key, Clock::time_point now) const;
  void put(const Scope& scope, const KeyValue& key, std::uint32_t shard, Clock::time_point until);

  /// Rows that are remembered at most; the oldest of those in the same place makes room.
  static constexpr std::size_t capacity = 65'536;
  /// Bytes of a key; what is longer is not remembered.
  static constexpr std::size_t longest_key = 100;

 private:
  /// One line of the processor's cache for short keys, two for the longest.
  struct alignas(64) Entry {
    std::uint64_t hash = 0;
    Clock::time_point until;  // at the epoch: there is nothing
    std::uint32_t scope = 0;  // in scopes_
    std::uint32_t shard = 0;
    std::uint8_t length = 0;
    KeyValue::Kind kind = KeyValue::Kind::null;
    std::array<char, longest_key> bytes{};

    bool holds(const KeyValue& wanted) const;
  };

  std::optional<std::uint32_t> number_of(const Scope& scope) const;
  std::uint32_t number_for(const Scope& scope);

  std::vector<Entry> entries_;  // made with the first row
  std::vector<Scope> scopes_;   // of these rows
};

}  // namespace anabranch::router
