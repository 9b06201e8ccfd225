#include "proxy/own_definitions.h"

#include <memory>
#include <utility>
#include <vector>

#include "backends/catalog_by_lease.h"
#include "proxy/instance.h"
#include "proxy/leases.h"

namespace anabranch::proxy {

namespace {

/// A lease of each shard: the transaction's where it has one there.
class Sources {
 public:
  net::Task<std::vector<backends::CatalogSource>> take(SessionState& state) {
    const auto count = static_cast<std::uint32_t>(state.db->map->shards().size());
    std::vector<backends::CatalogSource> sources(count);
    for (std::uint32_t shard = 0; shard < count; ++shard) {
      const auto* member = state.transaction.find(shard);
      sources[shard].in_transaction = member != nullptr && member->began;
      try {
        leases_.push_back(std::make_unique<ShardLease>(co_await ShardLease::take(state, shard)));
        sources[shard].lease = &**leases_.back();
      } catch (const values::SqlError& error) {
        // What the transaction has not touched may be out of reach.
        if (member != nullptr) throw;
        sources[shard].problem = error.message;
      }
    }
    co_return sources;
  }

 private:
  std::vector<std::unique_ptr<ShardLease>> leases_;
};

}  // namespace

net::Task<void> see_own_definitions(SessionState& state) {
  Instance& instance = state.worker.instance();
  backends::CatalogRequest request;
  request.config = state.db->config;
  request.database = state.db->conf->name;
  request.requested = state.login.database;
  request.map = state.db->map;
  request.version = instance.next_catalog_version();
  request.systems = state.db->systems;
  Sources sources;
  auto asked = co_await sources.take(state);
  auto loaded = co_await backends::load_catalog_by_lease(std::move(request), std::move(asked));
  auto own = std::make_shared<DatabaseState>(*state.db);
  own->catalog = std::move(loaded.catalog);
  own->identity = std::move(loaded.identity);
  own->version = instance.next_state_version();
  state.see_own(std::move(own));
}

}  // namespace anabranch::proxy
