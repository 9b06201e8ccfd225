#pragma once

#include <cstdint>
#include <optional>

#include "conf/key_value.h"
#include "router/shard_set.h"

namespace anabranch::router {

using conf::KeyType;
using conf::KeyValue;

/// Where one key's rows live.
struct Placement {
  std::int32_t bucket = -1;  // -1: the strategy has no buckets
  std::uint32_t shard = 0;

  bool operator==(const Placement&) const = default;
};

/// An interval of keys; a side without a bound is open. NULL is in no range.
struct KeyRange {
  std::optional<KeyValue> lower;
  bool lower_inclusive = true;
  std::optional<KeyValue> upper;
  bool upper_inclusive = true;
};

/// F2: from a key, or its hash, to a place. Immutable, shared by all threads.
class Strategy {
 public:
  Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  /// The place of a key with hash `f1` (0 for NULL; hashing strategies look at nothing else, the
  /// others only at `key`). Nothing: the map has no place for it, and such a row is refused.
  virtual std::optional<Placement> place(std::uint64_t f1, const KeyValue& key) const = 0;

  /// True if place() needs F1 of the key.
  virtual bool hashes() const = 0;

  /// All shards that keys in the range may live on, for strategies that keep the order of keys.
  virtual std::optional<ShardSet> between(const KeyRange& range) const;
};

}  // namespace anabranch::router
