#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "backends/catalog_reader.h"
#include "backends/server.h"
#include "conf/config.h"
#include "conf/diagnostic.h"
#include "net/task.h"
#include "router/catalog.h"
#include "router/shard_map.h"

/// The catalog, through libpq on worker threads (the control plane).
namespace anabranch::backends {

struct CatalogRequest {
  std::shared_ptr<const conf::Config> config;
  std::string database;   // the entry
  std::string requested;  // what the client asked for ("*"); else the same
  std::shared_ptr<const router::ShardMap> map;
  std::uint64_t version = 1;  // becomes Catalog::version
  /// Used where neither catalog_user nor user is configured.
  Identity identity;
};

struct LoadedCatalog {
  /// From the default shard; null when that could not be read (`failures` says why).
  std::shared_ptr<const router::Catalog> catalog;
  /// What the map and the catalog say about each other, with the map's lines.
  std::vector<conf::Diagnostic> diagnostics;
  struct Failure {
    std::uint32_t shard = 0;
    std::string shard_name;
    std::string reason;
  };
  std::vector<Failure> failures;  // shards that could not be asked
  /// By shard: its OIDs of user types and of relations that are others on the default shard, with
  /// those (row descriptions are translated by them).
  struct Oids {
    std::unordered_map<values::Oid, values::Oid> types;
    std::unordered_map<values::Oid, values::Oid> relations;
    /// Types (by the default shard's OIDs) whose values in binary form name types by OIDs that are
    /// others on the default shard: arrays and rows of user types.
    std::set<values::Oid> binary;
  };
  std::vector<Oids> oids;
};

/// What each shard said, in shard order, or why it said nothing.
using ShardCatalogs = std::vector<std::expected<ShardCatalog, std::string>>;
/// The one catalog made of it. Pure.
LoadedCatalog assemble_catalog(const CatalogRequest& request, ShardCatalogs shards);

/// Asks every shard at once, each on a connection of its own. Blocks; any thread.
LoadedCatalog load_catalog(const CatalogRequest& request);
/// The same on a worker thread.
net::Task<LoadedCatalog> load_catalog_on_worker(CatalogRequest request,
                                                net::CancelToken token = {});

}  // namespace anabranch::backends
