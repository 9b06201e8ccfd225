#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/catalog_loader.h"
#include "conf/config.h"
#include "router/catalog.h"
#include "router/shard_map.h"

namespace anabranch::proxy {

/// One database as statements see it: configuration, map and catalog of one moment. Immutable. A
/// transaction keeps the state it began with; a reload or a DDL statement publishes another.
struct DatabaseState {
  std::shared_ptr<const conf::Config> config;
  const conf::Database* conf = nullptr;  ///< inside `config`
  std::shared_ptr<const router::ShardMap> map;
  /// Null for a database without schemes and tables, which needs none, and until the default shard
  /// has answered.
  std::shared_ptr<const router::Catalog> catalog;
  /// What the default shard's OIDs are on the others; null as long as there is no catalog.
  std::shared_ptr<const values::TypeIdentity> identity;
  /// What the shards' servers have of their own: it is read with a configuration, not after DDL.
  backends::SystemCatalogs systems;
  /// Why the map is too old to write by (backends/shard_epochs.h); empty: it is not.
  std::string outdated;
  /// Never used twice in the process: what the plan cache knows a state by.
  std::uint64_t version = 0;

  /// Everything goes to the default shard as it is.
  bool passthrough() const { return map->schemes().empty() && map->tables().empty(); }
};

/// What a reload swaps as a whole. Immutable.
struct Snapshot {
  std::shared_ptr<const conf::Config> config;
  std::vector<std::shared_ptr<const DatabaseState>> databases;  ///< in the file's order
  std::uint64_t version = 0;  ///< counts accepted configurations, from 1
  std::uint64_t serial = 0;   ///< counts publications, those of new catalogs included

  /// The entry of that name, otherwise "*", otherwise null.
  std::shared_ptr<const DatabaseState> find(std::string_view name) const {
    std::shared_ptr<const DatabaseState> wildcard;
    for (const auto& database : databases) {
      if (database->conf->name == name) return database;
      if (database->conf->passes_names_on()) wildcard = database;
    }
    return wildcard;
  }
};

}  // namespace anabranch::proxy
