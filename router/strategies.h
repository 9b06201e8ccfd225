#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "router/node.h"
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

/// Consistent hashing (Karger et al., "Consistent Hashing and Random Trees", 1997): a key goes to
/// the first virtual node at or after it on the circle, `virtual_nodes` times its weight for each
/// shard. A new shard takes keys from all, and no others move.
std::unique_ptr<const Strategy> make_ring(std::vector<Node> nodes, std::uint32_t virtual_nodes);

/// Rendezvous, the highest random weight (Thaler and Ravishankar, 1998), by weight. A new shard
/// takes keys from all, and no others move; a heavier one too.
std::unique_ptr<const Strategy> make_rendezvous(std::vector<Node> nodes);

/// Multi-probe consistent hashing (Appleton and O'Reilly, 2015): of `probes` places on the circle
/// the one that is nearest to the node after it. A new shard takes keys from all, and no others
/// move.
std::unique_ptr<const Strategy> make_multi_probe(std::vector<Node> nodes, std::uint32_t probes);

/// Maglev's table (Eisenbud et al., 2016), by weight: F1 modulo its size, which is a prime and no
/// less than the number of nodes. A new shard takes keys from all, and a few others move too.
std::unique_ptr<const Strategy> make_maglev(std::vector<Node> nodes, std::uint32_t table_size);

/// By the value: keys below a bound, in ascending order. Splitting a range moves a part of it.
std::unique_ptr<const Strategy> make_range(KeyType type, std::vector<conf::Range> ranges,
                                           std::optional<std::uint32_t> nulls);

/// By the value: each listed, NULL included, or `otherwise`. Adding a shard moves nothing.
std::unique_ptr<const Strategy> make_list(KeyType type, std::vector<conf::ListEntry> entries,
                                          std::optional<std::uint32_t> otherwise);

/// Whether the key lies in the range; neither is NULL.
bool in_range(KeyType type, const KeyValue& key, const KeyRange& range);

}  // namespace anabranch::router
