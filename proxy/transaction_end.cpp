#include "proxy/transaction_end.h"

#include "proxy/instance.h"
#include "proxy/log.h"
#include "proxy/pins.h"
#include "proxy/settings.h"

namespace anabranch::proxy {

namespace {

net::Task<void> refresh_catalog_if_stale(SessionState& state) {
  if (!state.catalog_stale) co_return;
  state.catalog_stale = false;
  if (state.db->passthrough()) co_return;
  const std::string problem =
      co_await state.worker.instance().refresh_catalog_on_worker(state.login.database);
  if (!problem.empty()) spdlog::error("after DDL in database {}: {}", state.login.database, problem);
}

}  // namespace

bool end_at_once(SessionState& state) {
  if (state.explicit_transaction()) return true;
  if (state.transaction.state() != backends::TransactionState::none || state.catalog_stale) return false;
  state.transaction.give_back();
  return true;
}

net::Task<void> end_statement_transaction(SessionState& state) {
  if (end_at_once(state)) co_return;
  if (state.transaction.state() == backends::TransactionState::implicit) {
    (void)co_await state.transaction.commit();
    end_local_settings(state);
    co_await settle_residue(state);
  }
  state.transaction.give_back();
  co_await refresh_catalog_if_stale(state);
}

net::Task<std::string> commit_transaction(SessionState& state) {
  state.portals.clear();
  std::string tag = co_await state.transaction.commit();
  end_local_settings(state);
  state.refresh_planning();
  co_await settle_residue(state);
  state.transaction.give_back();
  if (tag != "COMMIT") state.catalog_stale = false;
  co_await refresh_catalog_if_stale(state);
  co_return tag;
}

net::Task<void> roll_back_transaction(SessionState& state) {
  state.portals.clear();
  co_await state.transaction.rollback();
  state.locals.clear();
  state.locals_at.clear();
  state.catalog_stale = false;
  state.refresh_planning();
  co_await settle_residue(state);
  state.transaction.give_back();
}

}  // namespace anabranch::proxy
