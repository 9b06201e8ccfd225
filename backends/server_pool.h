#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "backends/pool.h"
#include "backends/pool_budget.h"

namespace anabranch::backends {

/// One loop's connections of one (server, user). Internal to this room: sessions use the functions
/// of pool.h. Loop thread only, but for what says otherwise.
class ServerPool : public std::enable_shared_from_this<ServerPool> {
 public:
  ServerPool(PoolRegistry& registry, std::shared_ptr<PoolBudget> budget,
             std::shared_ptr<const Server> server, conf::Pool settings, Connector connector);
  ~ServerPool();
  ServerPool(const ServerPool&) = delete;
  ServerPool& operator=(const ServerPool&) = delete;

  /// Once, after it is owned by a shared_ptr.
  void start();

  std::optional<Lease> try_acquire(Holder& holder);
  net::Task<Lease> acquire(Holder& holder, net::CancelToken token);
  void give_back(ServerConnection* connection, Holder* holder);

  /// Starts a cancel connection for what runs on `connection`, whose object then lives at least
  /// until that has ended.
  void start_cancel(ServerConnection* connection);

  void update(const conf::Pool& settings);
  /// Idle connections close now, leased ones at their release.
  void retire();
  /// retire(), and nobody gets a lease any more.
  void refuse();
  /// refuse(), and nothing is started any more: the loop ends.
  void end();

  // What the budget posts.
  void on_grant();
  void give_up_idle();

  const Server& server() const { return *server_; }
  const std::shared_ptr<PoolBudget>& budget() const { return budget_; }
  bool empty() const { return connections_.empty() && waiters_.empty() && opening_ == 0; }
  std::size_t idle_count() const { return idle_.size(); }

 private:
  class Slot;
  struct Waiting;
  class Place;
  class CancelInFlight;
  static net::Task<void> cancel(std::shared_ptr<ServerPool> pool, ServerConnection* connection);

  // server_pool_queue.cpp
  net::Task<ServerConnection*> wait_turn(Holder& holder, net::CancelToken token);
  bool hand_over(ServerConnection* connection);
  std::shared_ptr<Waiting> next_waiter();
  void ask_for_slot();
  void put_slot();
  void look_at_queue();
  void watch_queue();
  void wake_all();

  net::Task<ServerConnection*> open(net::CancelToken token);
  net::Task<void> open_spare();
  Lease lend(ServerConnection* connection, Holder& holder);

  void come_home(ServerConnection* connection);
  void abandon(ServerConnection* connection);
  void close(ServerConnection* connection);
  std::uint32_t local_open() const;
  void forget(ServerConnection* connection);
  bool should_give_up() const;
  void park(ServerConnection* connection);
  void unpark(ServerConnection* connection);
  bool fit_to_lend(ServerConnection* connection);
  ServerConnection* choose_idle(const Holder& holder, bool others_too);
  std::optional<Lease> lend_idle(Holder& holder, bool others_too);
  bool expired(const ServerConnection& connection) const;

  void sweep();
  void look_at_idle();
  static net::Task<void> watch_idle(std::weak_ptr<ServerPool> pool,
                                    std::shared_ptr<net::Signal> signal);

  PoolRegistry& registry_;
  std::shared_ptr<PoolBudget> budget_;
  std::shared_ptr<const Server> server_;
  conf::Pool settings_;
  Connector connector_;
  std::vector<std::unique_ptr<ServerConnection>> connections_;
  std::vector<ServerConnection*> idle_;  // the most recently used last
  std::deque<std::shared_ptr<Waiting>> waiters_;
  std::uint32_t holders_waiting_ = 0;  // of them, who holds leases
  std::uint32_t opening_ = 0;
  std::uint32_t granted_ = 0;  // slots of waiters that have not gone on yet
  bool retired_ = false;
  bool refusing_ = false;
  bool ended_ = false;
  // As last told to the budget.
  bool hungry_ = false;
  bool urgent_ = false;
  bool asked_for_holder_ = false;
  std::shared_ptr<net::Signal> idle_signal_;
  net::Timer sweep_timer_;
  net::Timer queue_timer_;
};

}  // namespace anabranch::backends
