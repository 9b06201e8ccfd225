#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "router/placement.h"

/// F2, one factory each; the classes are hidden in the sources. Each says what moves when a shard
/// is added (docs/configuration.md, "Placement, exactly").
namespace anabranch::router {

struct WeightedShard {
  std::uint32_t shard = 0;
  std::uint32_t weight = 1;
};

/// F1 modulo the total weight, in the half-open interval of a shard's weight. Adding a shard moves
/// nearly every key.
std::unique_ptr<const Strategy> make_modulo(const std::vector<WeightedShard>& shards);

/// bucket = F1 modulo the number of buckets; each bucket lies on a shard. Adding a shard moves the
/// buckets that one reassigns, and no others.
std::unique_ptr<const Strategy> make_buckets(std::vector<std::uint32_t> bucket_shards);

/// Jump consistent hash (Lamping, Veach: "A Fast, Minimal Memory, Consistent Hash Algorithm",
/// 2014). Appending the n-th shard moves one key in n, all of them to it.
std::unique_ptr<const Strategy> make_jump(std::vector<std::uint32_t> shards);

/// By the value: keys below a bound, in ascending order. Splitting a range moves a part of it.
std::unique_ptr<const Strategy> make_range(KeyType type, std::vector<conf::Range> ranges,
                                           std::optional<std::uint32_t> nulls);

/// By the value: each listed, NULL included, or `otherwise`. Adding a shard moves nothing.
std::unique_ptr<const Strategy> make_list(KeyType type, std::vector<conf::ListEntry> entries,
                                          std::optional<std::uint32_t> otherwise);

/// Whether the key lies in the range; neither is NULL.
bool in_range(KeyType type, const KeyValue& key, const KeyRange& range);

}  // namespace anabranch::router
