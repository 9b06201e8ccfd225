#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backends/connection.h"
#include "backends/wait_graph.h"
#include "net/loop.h"
#include "net/task.h"

/// The lease manager: connections are kept per (server, user) and loop; their number is bounded per
/// (server, user) over all loops.
namespace anabranch::backends {

/// Counters of one (server, user) over all loops.
struct PoolMetrics {
  std::atomic<std::uint32_t> open{0};  // connections, those being opened included
  std::atomic<std::uint32_t> idle{0};
  std::atomic<std::uint32_t> leased{0};
  std::atomic<std::uint32_t> waiting{0};
  std::atomic<std::uint64_t> waits{0};
  std::atomic<std::uint64_t> wait_microseconds{0};
  std::atomic<std::uint64_t> wait_timeouts{0};
  std::atomic<std::uint64_t> cycles{0};
  std::atomic<std::uint64_t> connects{0};
  std::atomic<std::uint64_t> connect_failures{0};
  std::atomic<std::uint64_t> cancels{0};
};

class PoolBudget;  // what the loops share of one (server, user); in pool_budget.h
class PoolRegistry;
class ServerPool;
class Pools;

/// One loop's pool of one (server, user). Ask Pools::target() once per session, shard and
/// configuration, and keep it. Loop thread only.
using ShardTarget = std::shared_ptr<ServerPool>;

/// A connection held by a session, until destroyed or released. Move-only; loop thread only.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept { swap(other); }
  Lease& operator=(Lease&& other) noexcept {
    Lease taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Lease() { release(); }

  explicit operator bool() const { return connection_ != nullptr; }
  ServerConnection& operator*() const { return *connection_; }
  ServerConnection* operator->() const { return connection_; }
  std::uint32_t shard() const { return connection_->server().shard; }
  const std::string& shard_name() const { return connection_->server().shard_name; }

  /// Clean and no cancel in flight: the next waiter gets it, or the pool. Clean but being
  /// cancelled: it goes home when the cancel has ended. Otherwise it is closed; a statement that
  /// still runs there is cancelled.
  void release();
  /// Closes it whatever its state.
  void discard();

 private:
  friend class ServerPool;
  friend void request_cancel(Lease& lease);
  friend std::optional<Lease> try_acquire(const ShardTarget& target, Holder& holder);
  Lease(ShardTarget pool, ServerConnection* connection, Holder* holder)
      : pool_(std::move(pool)), connection_(connection), holder_(holder) {}
  void swap(Lease& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(connection_, other.connection_);
    std::swap(holder_, other.holder_);
  }

  ShardTarget pool_;
  ServerConnection* connection_ = nullptr;
  Holder* holder_ = nullptr;
};

/// An idle connection, at once: no allocation, no suspension. Nothing: acquire() must wait.
std::optional<Lease> try_acquire(const ShardTarget& target, Holder& holder);

/// All connections that it may have are open: acquire() would wait for another session's.
bool exhausted(const ShardTarget& target);
/// Somebody waits for one, on whatever loop.
bool is_waited_for(const ShardTarget& target);
/// Which server and login it is of.
const Server& server_of(const ShardTarget& target);

/// Waits for a connection, or opens one. `holder` is the session's; it must outlive the lease. Take
/// several leases in shard order. Throws SqlError: 08006 naming shard and address when it cannot be
/// reached, 53300 after pool.wait_timeout or when transactions wait for each other, 57014 when the
/// token is cancelled or out of time; ServerError when the server rejects the login.
net::Task<Lease> acquire(ShardTarget target, Holder& holder, net::CancelToken token = {});

/// How connections to one kind of server are opened, cancelled and ended, and heard while nobody holds
/// them; tests put their own.
struct Connector {
  std::function<net::Task<std::expected<net::pg::BackendLink, net::pg::ConnectError>>(
      std::shared_ptr<const Server> server, net::CancelToken token)>
      connect;
  /// Returns when the server has taken the cancel in.
  std::function<net::Task<net::IoResult>(std::shared_ptr<const Server> server, std::int32_t process,
                                         std::int32_t secret, net::CancelToken token)>
      cancel;
  /// The last message on a connection.
  void (*take_leave)(net::Buffer& out) = nullptr;
  /// Takes in what the server has said unasked. False: it is of no use any more.
  bool (*hear)(ServerConnection& connection) = nullptr;
};
Connector real_connector(conf::Kind kind);
/// The parameter() of a MySQL connection that holds what the server told about the session in its OK.
inline constexpr std::string_view mysql_session_state = "session state";

/// What all loops share. One per process; outlives every Pools.
class PoolRegistry {
 public:
  PoolRegistry() = default;
  PoolRegistry(const PoolRegistry&) = delete;
  PoolRegistry& operator=(const PoolRegistry&) = delete;

  /// For metrics and SHOW POOLS; any thread.
  struct Row {
    std::string database;
    std::string shard;
    std::string address;
    std::string user;
    std::uint32_t size = 0;
    std::shared_ptr<const PoolMetrics> metrics;
  };
  std::vector<Row> rows() const;
  WaitGraph& wait_graph() { return wait_graph_; }

 private:
  friend class Pools;
  friend class ServerPool;
  std::shared_ptr<PoolBudget> budget(const Server& server, const conf::Pool& pool);

  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<PoolBudget>> budgets_;
  WaitGraph wait_graph_;
};

/// One loop's pools.
///
/// Destroy it after its loop's sessions have ended and before the loop: what is still leased then
/// is closed without a cancel.
class Pools {
 public:
  /// `connector`: for all databases; nothing: that of each one's kind.
  explicit Pools(PoolRegistry& registry, std::optional<Connector> connector = std::nullopt);
  ~Pools();
  Pools(const Pools&) = delete;
  Pools& operator=(const Pools&) = delete;

  /// The pool to lease from; made when first asked for. Does not connect. Fill
  /// `database` from the configuration that the caller's statement runs under.
  ShardTarget target(const conf::Database& database, std::uint32_t shard, const Identity& client,
                     std::string_view requested, SessionForm form = {});

  /// After a reload: pools of servers that `config` no longer has (or has otherwise) close their
  /// idle connections now and leased ones at their release; sizes and times change. Targets asked
  /// for before stay usable until their sessions ask again.
  void update(const conf::Config& config);

  /// Closes idle connections and, at their release, all others; acquire() fails from now on.
  void shut_down();

 private:
  void drop_unused();

  PoolRegistry& registry_;
  std::optional<Connector> connector_;
  std::map<std::string, ShardTarget, std::less<>> pools_;
  std::size_t drop_at_ = 256;  // look for unused pools when there are this many
  bool shut_down_ = false;
};

}  // namespace anabranch::backends
