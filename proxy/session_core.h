#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/context.h"
#include "backends/pool.h"
#include "backends/transaction.h"
#include "proxy/client_login.h"
#include "proxy/lookups.h"
#include "proxy/worker.h"
#include "rewriter/planner.h"

namespace anabranch::proxy {

/// What a client's statements share, whatever protocol it speaks: the database as the session sees it, its
/// settings, its transaction, its leases, and what a cancel reaches. One loop.
struct SessionCore {
  /// `startup`: what settings go back to. `form`: MySQL, of the session's connections.
  SessionCore(Worker& on, Login who, std::shared_ptr<const backends::Settings> startup,
              backends::SessionForm form = {});
  SessionCore(const SessionCore&) = delete;
  SessionCore& operator=(const SessionCore&) = delete;

  Worker& worker;
  const Login login;
  const backends::Identity identity;
  const backends::SessionForm form;

  /// The database as this statement (or transaction) sees it.
  std::shared_ptr<const DatabaseState> db;
  backends::SettingsStack settings;
  backends::Holder holder;
  backends::Transaction transaction;

  /// Of tables of keys (ShardMap::has_lookups()).
  LookupReader lookups;

  /// Follows the settings.
  rewriter::PlanningContext planning;
  std::string planning_key;

  /// The transaction has changed definitions: the catalog is read again when it commits.
  bool definitions_changed = false;
  /// `db` does not know what the transaction has changed: it is read before the next plan is made
  /// (see_own_definitions()).
  bool catalog_stale = false;
  void change_definitions() { definitions_changed = catalog_stale = true; }

  /// What a cancel reaches: waits for leases, and statements that run on leases.
  net::CancelSource statement;
  std::vector<backends::Lease*> running;
  bool cancel_requested = false;
  bool timed_out = false;

  net::CancelToken token() const { return statement.token(); }
  bool explicit_transaction() const;
  std::uint32_t default_shard() const { return db->map->default_shard(); }

  /// All connections stay with the session until it ends (pool.mode session; MySQL).
  bool keeps_all() const { return keeps_all_; }
  void keep_all(bool keep);
  /// The session is over: connections that were its own are closed, others go home.
  void end_leases();
  /// The session is over by a fault: nobody knows what its connections are in the middle of, and all are closed.
  void abandon_leases();

  /// Until see_shared() `db` is this one, which nobody else sees: the transaction's own definitions.
  void see_own(std::shared_ptr<const DatabaseState> own);
  /// The transaction is over.
  void see_shared();
  /// Takes the newest configuration, outside transactions only.
  void renew_database();
  const backends::ShardTarget& target(std::uint32_t shard);

  /// Whether the next statement must wait_for_turn().
  bool must_wait() const { return cancel_requested || timed_out || worker.holds_any(); }
  /// Before each statement: the newest configuration (between transactions), a clean slate for cancels, and
  /// the clock.
  void begin_statement();
  void stop_clock();
  /// After each, when its transaction may be over.
  void settle_lookups() {
    if (lookups.changed() && transaction.state() == backends::TransactionState::none) lookups.end_change();
  }
  void drop_idle_clock();
  /// What was said to the last statement is not said to the next.
  void forget_cancels();
  /// Ends what runs, and waits.
  void stop_running();
  /// Throws 57014 if the client (or the timeout) wants this statement ended.
  void check_cancelled() const;

 private:
  std::vector<backends::ShardTarget> targets_;
  std::uint64_t looked_up_in_ = 0;                  ///< Snapshot::serial
  std::shared_ptr<const DatabaseState> shared_db_;  ///< while `db` is the transaction's own
  std::unique_ptr<net::Timer> timer_;
  bool keeps_all_ = false;
};

/// A statement waits until the cancels of the one before have ended, which would hit it else; while the
/// database stands still; and, if it begins no transaction under way, while its map is swapped. Throws when
/// it is cancelled meanwhile, or `ended` has become true.
net::Task<void> wait_for_turn(SessionCore& state, const bool& ended);

/// Names a lease as running while in scope, so that a cancel reaches it.
class Running {
 public:
  Running(SessionCore& state, backends::Lease& lease) : state_(state), lease_(&lease) {
    state.running.push_back(lease_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    const auto own = std::ranges::find(state_.running, lease_);
    if (own != state_.running.end()) state_.running.erase(own);
  }

 private:
  SessionCore& state_;
  backends::Lease* lease_;
};

}  // namespace anabranch::proxy
