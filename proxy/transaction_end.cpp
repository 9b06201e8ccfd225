#include "proxy/transaction_end.h"

#include <algorithm>

#include "proxy/cursor.h"
#include "proxy/instance.h"
#include "proxy/log.h"
#include "proxy/pins.h"
#include "proxy/portal.h"
#include "proxy/settings.h"

namespace anabranch::proxy {

namespace {

/// A commit over several shards: none straddles a moment at which the database stands still.
class WideCommit {
 public:
  WideCommit(Worker& worker, std::string database) : worker_(worker), database_(std::move(database)) {
    worker_.count_commit(database_, 1);
  }
  WideCommit(const WideCommit&) = delete;
  WideCommit& operator=(const WideCommit&) = delete;
  ~WideCommit() { worker_.count_commit(database_, -1); }

 private:
  Worker& worker_;
  const std::string database_;
};

}  // namespace

net::Task<void> publish_definitions(SessionCore& state) {
  const bool changed = state.definitions_changed;
  state.see_shared();
  if (!changed || state.db->passthrough()) co_return;
  const std::string problem =
      co_await state.worker.instance().refresh_catalog_on_worker(state.login.database);
  if (!problem.empty()) spdlog::error("after DDL in database {}: {}", state.login.database, problem);
}

net::Task<std::string> commit_on_shards(SessionCore& state) {
  if (state.transaction.writers() < 2) co_return co_await state.transaction.commit();
  const std::string database = state.db->conf->name;
  while (const auto over = state.worker.paused(database)) (void)co_await over->wait();
  const WideCommit wide(state.worker, database);
  co_return co_await state.transaction.commit();
}

namespace {

/// Cursors WITH HOLD are run to their end, as a server does it; what fails then fails the commit.
net::Task<void> hold_cursors(SessionState& state) {
  if (state.transaction.state() == backends::TransactionState::failed) co_return;
  std::exception_ptr failure;
  try {
    for (const auto& [name, portal] : state.portals) {
      if (wants_hold(*portal)) co_await prepare_hold(state, *portal);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  co_await roll_back_transaction(state);
  std::rethrow_exception(failure);
}

/// Where a commit's outcome is unknown the definitions may be the new ones.
net::Task<std::string> commit_and_publish(SessionState& state) {
  if (std::ranges::any_of(state.portals, [](const auto& entry) { return wants_hold(*entry.second); })) {
    co_await hold_cursors(state);
  }
  std::string tag;
  std::exception_ptr failure;
  try {
    tag = co_await commit_on_shards(state);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) {
    // A failed transaction's COMMIT rolls it back.
    const bool committed = tag == "COMMIT";
    for (const auto& [name, portal] : state.portals) {
      if (committed && wants_hold(*portal)) hold(*portal);
    }
    if (committed) {
      end_local_settings(state);
    } else {
      forget_local_settings(state);
    }
    state.refresh_planning();
    co_await settle_residue(state);
    state.transaction.give_back();
    if (!committed) state.definitions_changed = false;
  }
  co_await publish_definitions(state);
  if (failure) std::rethrow_exception(failure);
  co_return tag;
}

}  // namespace

bool end_at_once(SessionState& state) {
  if (state.explicit_transaction()) return true;
  if (state.transaction.state() != backends::TransactionState::none || state.definitions_changed) return false;
  state.transaction.give_back();
  return true;
}

net::Task<void> end_statement_transaction(SessionState& state) {
  if (end_at_once(state)) co_return;
  if (state.transaction.state() == backends::TransactionState::implicit) {
    (void)co_await commit_and_publish(state);
  } else {
    state.transaction.give_back();
    co_await publish_definitions(state);
  }
}

net::Task<std::string> commit_transaction(SessionState& state) {
  std::string tag = co_await commit_and_publish(state);
  state.end_portals();
  co_return tag;
}

net::Task<void> roll_back_transaction(SessionState& state) {
  state.end_portals();
  co_await state.transaction.rollback();
  forget_local_settings(state);
  state.see_shared();
  state.refresh_planning();
  co_await settle_residue(state);
  state.transaction.give_back();
}

}  // namespace anabranch::proxy
