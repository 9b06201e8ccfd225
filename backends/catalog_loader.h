#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/catalog_reader.h"
#include "backends/server.h"
#include "conf/config.h"
#include "conf/diagnostic.h"
#include "net/task.h"
#include "router/catalog.h"
#include "router/shard_map.h"
#include "values/oid_map.h"

/// The catalog, through libpq (of MySQL, through MySQL Connector/C++) on worker threads: the control plane.
namespace anabranch::backends {

/// What initdb has made on each shard, in shard order; null where it is not known.
using SystemCatalogs = std::vector<std::shared_ptr<const CatalogObjects>>;

struct CatalogRequest {
  std::shared_ptr<const conf::Config> config;
  std::string database;   // the entry
  std::string requested;  // what the client asked for ("*"); else the same
  std::shared_ptr<const router::ShardMap> map;
  std::uint64_t version = 1;  // becomes Catalog::version
  /// Used where neither catalog_user nor user is configured.
  Identity identity;
  /// LoadedCatalog::systems of a load before, which are not read again; empty: of none.
  SystemCatalogs systems;
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
  /// What the default shard's OIDs are on the others, and back. A shard that could not be asked has
  /// empty maps there. MySQL has no such numbers: null.
  std::shared_ptr<const values::TypeIdentity> identity;
  SystemCatalogs systems;
};

/// How much a request has to read of a shard.
CatalogScope scope_on(const CatalogRequest& request, std::size_t shard, bool is_default);

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
