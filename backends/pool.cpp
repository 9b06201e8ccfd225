#include "backends/pool.h"

#include <algorithm>
#include <utility>

#include "backends/cancel.h"
#include "backends/server_pool.h"

namespace anabranch::backends {

void Lease::release() {
  if (!connection_) return;
  const ShardTarget pool = std::move(pool_);
  pool->give_back(std::exchange(connection_, nullptr), std::exchange(holder_, nullptr));
}

void Lease::discard() {
  if (!connection_) return;
  connection_->mark_broken();
  release();
}

std::optional<Lease> try_acquire(const ShardTarget& target, Holder& holder) {
  return target->try_acquire(holder);
}

bool exhausted(const ShardTarget& target) {
  return target->budget()->open() >= target->budget()->size();
}

bool is_waited_for(const ShardTarget& target) { return target->budget()->metrics->waiting > 0; }

const Server& server_of(const ShardTarget& target) {
  return target->server();
}

net::Task<Lease> acquire(ShardTarget target, Holder& holder, net::CancelToken token) {
  co_return co_await target->acquire(holder, token);
}

void request_cancel(Lease& lease) {
  ServerConnection& connection = *lease;
  if (connection.pending() == 0 || connection.broken() || connection.being_cancelled()) return;
  lease.pool_->start_cancel(&connection);
}

net::Task<void> cancels_ended(Lease& lease) {
  while (const std::shared_ptr<net::Event> ended = lease->cancels_ended()) (void)co_await ended->wait();
}

// --- the registry ---

std::vector<PoolRegistry::Row> PoolRegistry::rows() const {
  std::vector<Row> rows;
  const std::scoped_lock lock(mutex_);
  for (const auto& weak : budgets_) {
    const auto budget = weak.lock();
    if (!budget) continue;
    const Server& server = budget->server;
    rows.push_back({server.database, server.shard_name, server.address.text(), server.user,
                    budget->size(), budget->metrics});
  }
  return rows;
}

std::shared_ptr<PoolBudget> PoolRegistry::budget(const Server& server, const conf::Pool& pool) {
  // Sessions of every form share the server.
  Server any = server;
  any.form = {};
  const std::scoped_lock lock(mutex_);
  std::shared_ptr<PoolBudget> found;
  std::erase_if(budgets_, [&](const std::weak_ptr<PoolBudget>& weak) {
    const auto budget = weak.lock();
    if (budget && budget->server == any) found = budget;
    return !budget;
  });
  if (!found) {
    found = std::make_shared<PoolBudget>(any, pool.size);
    budgets_.push_back(found);
  }
  return found;
}

// --- one loop's pools ---

namespace {

std::string pool_key(const Server& server) {
  std::string key = server.database;
  key += '\0';
  key += std::to_string(server.shard);
  key += '\0';
  key += server.target;
  key += '\0';
  key += server.user;
  key += '\0';
  key += std::to_string(server.form.capabilities);
  key += '\0';
  key += std::to_string(server.form.collation);
  key += server.form.in_database ? '\1' : '\0';
  return key;
}

const conf::Database* find_entry(const conf::Config& config, std::string_view name) {
  const auto found = std::ranges::find(config.databases, name, &conf::Database::name);
  return found == config.databases.end() ? nullptr : &*found;
}

bool still_configured(const conf::Database& database, const Server& server) {
  if (server.shard >= database.shards.size()) return false;
  const Identity identity{server.user, server.password};
  Server now = resolve_server(database, server.shard, identity, server.target);
  now.form = server.form;
  return now == server;
}

}  // namespace

Pools::Pools(PoolRegistry& registry, std::optional<Connector> connector)
    : registry_(registry), connector_(std::move(connector)) {}

Pools::~Pools() {
  for (const auto& [key, pool] : pools_) pool->end();
}

ShardTarget Pools::target(const conf::Database& database, std::uint32_t shard,
                          const Identity& client, std::string_view requested, SessionForm form) {
  Server server = resolve_server(database, shard, client, requested);
  server.form = form;
  ShardTarget& pool = pools_[pool_key(server)];
  if (pool && pool->server() == server) return pool;
  if (pool) pool->retire();
  auto shared = std::make_shared<const Server>(std::move(server));
  pool = std::make_shared<ServerPool>(registry_, registry_.budget(*shared, database.pool), shared,
                                      database.pool, connector_ ? *connector_ : real_connector(database.kind));
  pool->start();
  if (shut_down_) pool->refuse();
  const ShardTarget made = pool;
  if (pools_.size() >= drop_at_) drop_unused();
  return made;
}

// The database's name may be the client's ("*"): names that led nowhere must not pile up.
void Pools::drop_unused() {
  std::erase_if(pools_, [](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->empty();
  });
  drop_at_ = std::max<std::size_t>(256, pools_.size() * 2);
}

void Pools::update(const conf::Config& config) {
  std::erase_if(pools_, [&](const auto& entry) {
    ServerPool& pool = *entry.second;
    const conf::Database* database = find_entry(config, pool.server().database);
    if (database && still_configured(*database, pool.server())) {
      pool.update(database->pool);
      return false;
    }
    pool.retire();
    return true;
  });
}

void Pools::shut_down() {
  shut_down_ = true;
  for (const auto& [key, pool] : pools_) pool->refuse();
}

}  // namespace anabranch::backends
