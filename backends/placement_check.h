#pragma once

#include <string>
#include <vector>

#include "backends/server.h"
#include "router/shard_map.h"

/// Rows against the map, by the control plane: what a reload that moves keys looks at first
/// (docs/configuration.md, "Epoch").
namespace anabranch::backends {

struct PlacementRequest {
  const conf::Database* database = nullptr;
  const router::ShardMap* map = nullptr;
  /// The map until now; tables that it has and `map` has not must be on the default shard only.
  const router::ShardMap* before = nullptr;
};

/// Looks at 1,000 keys of every sharded table on every shard, at the shards that should hold
/// nothing of a table, and compares the copies of reference tables. Answers a sentence for each
/// table on a shard that is not as the map says, or that could not be looked at; empty: all is
/// well. Blocks; any thread.
std::vector<std::string> find_misplaced(const PlacementRequest& request);

}  // namespace anabranch::backends
