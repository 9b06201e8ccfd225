#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "backends/pool.h"
#include "net/loop.h"
#include "net/socket.h"
#include "proxy/client_login.h"
#include "proxy/log.h"
#include "proxy/metrics.h"
#include "proxy/plan_cache.h"
#include "proxy/snapshot.h"
#include "proxy/user_lookup.h"
#include "router/lookup_cache.h"

namespace anabranch::proxy {

class Instance;
class ClientSession;

/// Counts a connection that has not logged in, until it is reset or destroyed. Any thread.
class Newcomer {
 public:
  explicit Newcomer(std::atomic<std::uint32_t>& count) : count_(&count) { ++count; }
  Newcomer(Newcomer&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Newcomer& operator=(Newcomer&&) = delete;
  ~Newcomer() { reset(); }
  void reset() {
    if (count_ != nullptr) --*std::exchange(count_, nullptr);
  }

 private:
  std::atomic<std::uint32_t>* count_;
};

/// What one loop owns: its sessions, leases and plans. Everything but the counters is touched on
/// the loop's thread only.
class Worker {
 public:
  Worker(Instance& instance, std::uint32_t index);
  ~Worker();

  Instance& instance() { return instance_; }
  backends::Pools& pools() { return pools_; }
  PlanCache& plans() { return plans_; }
  router::LookupCache& lookup_cache() { return lookup_cache_; }
  backends::SharedSettings& shared_settings() { return shared_settings_; }
  LoopMetrics& metrics() { return metrics_; }
  const LoopMetrics& metrics() const { return metrics_; }

  /// The newest snapshot; costs one atomic load where nothing has changed.
  const std::shared_ptr<const Snapshot>& snapshot();

  /// Serves a client of that protocol until it leaves.
  void adopt(net::UniqueFd fd, Newcomer newcomer, conf::Kind protocol);
  /// What a login needs besides its socket, as of now.
  LoginContext login_context();
  /// Flushes what a client was told that is not let in, and counts it.
  net::Task<void> send_away(net::Socket& socket, TurnedAway away);
  /// Sessions register under the process number of their cancel key (their connection's id), which names the
  /// worker too.
  std::int32_t next_process();
  void enter(std::int32_t process, ClientSession& session);
  void leave(std::int32_t process);
  /// Null: there is none of that number.
  ClientSession* find(std::int32_t process) const;
  /// Cancels what the session of that key runs; a wrong secret does nothing. Any thread.
  void cancel(std::int32_t process, std::int32_t secret);

  /// New statements on the database (by its entry's name) wait until release(): its map is about to
  /// be swapped for one under which keys have moved.
  void hold(const std::string& database);
  void release();
  /// Set at release(); null: the database is not held.
  std::shared_ptr<net::Event> held(const std::string& database) const;
  bool holds_any() const { return !held_.empty() || !paused_.empty(); }
  /// No statement of the database begins until resume(), also within transactions, and no commit
  /// over several shards. `quiet` is called once none is under way.
  void pause(const std::string& database, std::move_only_function<void()> quiet);
  void resume(const std::string& database);
  /// Set at resume(); null: the database is not paused.
  std::shared_ptr<net::Event> paused(const std::string& database) const;
  /// A commit over several shards begins, or has ended.
  void count_commit(const std::string& database, int change);
  /// Its sessions that are within a statement or a transaction.
  std::size_t busy(const std::string& database) const;

  /// No new statements: sessions end when their transaction does.
  void drain();
  bool draining() const { return draining_; }
  std::size_t session_count() const { return sessions_.size(); }
  /// Ends every session now.
  void end_all();

  static std::uint32_t worker_of(std::int32_t process) {
    return (static_cast<std::uint32_t>(process) >> 20) & 0x7FF;
  }

 private:
  net::Task<void> serve(net::UniqueFd fd, Newcomer newcomer);
  net::Task<void> serve_mysql(net::UniqueFd fd, Newcomer newcomer);
  void let_rest();
  net::Task<std::optional<Login>> receive(net::Socket& socket);

  Instance& instance_;
  std::uint32_t index_;
  backends::Pools pools_;
  PlanCache plans_;
  router::LookupCache lookup_cache_;
  backends::SharedSettings shared_settings_;
  LoopMetrics& metrics_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::unordered_map<std::int32_t, ClientSession*> sessions_;
  std::map<std::string, std::shared_ptr<net::Event>> held_;
  struct Pause {
    std::shared_ptr<net::Event> over;
    std::move_only_function<void()> quiet;
  };
  std::map<std::string, Pause> paused_;
  std::map<std::string, int> commits_;  ///< over several shards, under way
  LogLimit refusals_logged_;
  UserLookup users_;
  net::Timer rest_timer_;  ///< lets sessions give back what they do not need
  std::uint32_t next_session_ = 0;
  bool draining_ = false;
};

}  // namespace anabranch::proxy
