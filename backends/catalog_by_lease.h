#pragma once

#include <vector>

#include "backends/catalog_loader.h"
#include "backends/pool.h"

namespace anabranch::backends {

/// A shard's catalog through a session's own lease.
struct CatalogSource {
  /// Nothing else is under way there. Null: the shard cannot be asked, `problem` says why.
  Lease* lease = nullptr;
  bool in_transaction = false;  ///< its transaction's uncommitted definitions are seen, too
  std::string problem;
};

/// The catalog as a transaction sees it. One source a shard, in shard order; asked all at once.
/// Throws what a shard's failure is. Loop thread.
net::Task<LoadedCatalog> load_catalog_by_lease(CatalogRequest request,
                                               std::vector<CatalogSource> sources);

}  // namespace anabranch::backends
