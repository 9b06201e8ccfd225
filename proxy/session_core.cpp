#include "proxy/session_core.h"

#include <utility>

#include "backends/cancel.h"
#include "proxy/instance.h"
#include "values/errors.h"

namespace anabranch::proxy {

SessionCore::SessionCore(Worker& on, Login who, std::shared_ptr<const backends::Settings> startup,
                         backends::SessionForm of)
    : worker(on),
      login(std::move(who)),
      identity{login.user, login.password},
      form(of),
      db(login.state),
      settings(std::move(startup)),
      transaction(holder, settings, db->conf->kind),
      lookups(worker.lookup_cache(), worker.instance().lookup_changes()) {
  transaction.allow_several_writers(db->conf->transactions.two_phase == conf::TwoPhase::off);
}

void SessionCore::keep_all(bool keep) {
  keeps_all_ = keep;
  transaction.keep_leases(keep);
}

void SessionCore::end_leases() {
  for (auto& member : transaction.enlisted()) {
    if (keeps_all_ || member->kept || member->lingers || member->unsettled) member->lease.discard();
  }
  transaction.drop();
}

void SessionCore::abandon_leases() {
  stop_clock();
  for (auto& member : transaction.enlisted()) member->lease.discard();
  transaction.drop();
}

bool SessionCore::explicit_transaction() const {
  return transaction.state() == backends::TransactionState::explicit_ ||
         transaction.state() == backends::TransactionState::failed;
}

void SessionCore::see_own(std::shared_ptr<const DatabaseState> own) {
  if (shared_db_ == nullptr) shared_db_ = std::move(db);
  db = std::move(own);
  catalog_stale = false;
}

void SessionCore::see_shared() {
  definitions_changed = catalog_stale = false;
  if (shared_db_ == nullptr) return;
  db = std::exchange(shared_db_, nullptr);
  looked_up_in_ = 0;
}

void SessionCore::renew_database() {
  const auto& snapshot = worker.snapshot();
  if (snapshot->serial == looked_up_in_) return;
  const auto current = snapshot->find(login.database);
  if (current == nullptr) {
    throw values::make_error(values::ErrorId::no_such_database, login.database);
  }
  looked_up_in_ = snapshot->serial;
  if (current == db) return;
  const bool same_servers = current->config == db->config;
  db = current;
  transaction.allow_several_writers(db->conf->transactions.two_phase == conf::TwoPhase::off);
  if (same_servers) return;
  targets_.clear();
  // What is bound to a server that the shard has no more is lost with it.
  for (const auto& member : transaction.enlisted()) {
    bool there = member->shard < db->map->shards().size();
    if (there) {
      backends::Server now = backends::resolve_server(*db->conf, member->shard, identity, login.database);
      now.form = form;
      there = now == member->lease->server();
    }
    if (!there) member->lease->mark_broken();
  }
  transaction.give_back();
}

const backends::ShardTarget& SessionCore::target(std::uint32_t shard) {
  if (targets_.size() <= shard) targets_.resize(db->map->shards().size());
  if (targets_[shard] == nullptr) {
    targets_[shard] = worker.pools().target(*db->conf, shard, identity, login.database, form);
  }
  return targets_[shard];
}

void SessionCore::begin_statement() {
  if (transaction.state() == backends::TransactionState::none) renew_database();
  forget_cancels();
  const auto limit = db->config->limits.statement_timeout;
  if (limit.count() == 0) {
    stop_clock();
    return;
  }
  if (timer_ == nullptr) {
    timer_ = std::make_unique<net::Timer>([this] {
      timed_out = true;
      stop_running();
    });
  }
  timer_->start(limit);
}

void SessionCore::stop_clock() {
  if (timer_ != nullptr) timer_->stop();
}

void SessionCore::drop_idle_clock() {
  if (timer_ != nullptr && !timer_->active()) timer_ = nullptr;
}

void SessionCore::forget_cancels() {
  if (cancel_requested || timed_out) statement = net::CancelSource();
  cancel_requested = false;
  timed_out = false;
}

void SessionCore::stop_running() {
  for (backends::Lease* lease : running) backends::request_cancel(*lease);
  statement.cancel();
}

void SessionCore::check_cancelled() const {
  if (timed_out) throw values::make_error<>(values::ErrorId::statement_timeout);
  if (cancel_requested) throw values::make_error<>(values::ErrorId::canceled);
}

net::Task<void> wait_for_turn(SessionCore& state, const bool& ended) {
  for (const auto& member : state.transaction.enlisted()) {
    if (member->lease) co_await backends::cancels_ended(member->lease);
  }
  while (true) {
    const std::string& database = state.db->conf->name;
    std::shared_ptr<net::Event> released = state.worker.paused(database);
    if (released == nullptr && state.transaction.state() == backends::TransactionState::none) {
      released = state.worker.held(database);
    }
    if (released == nullptr) co_return;
    state.forget_cancels();
    (void)co_await released->wait(state.token());
    state.check_cancelled();
    if (ended) throw values::make_error<>(values::ErrorId::shutdown);
  }
}

}  // namespace anabranch::proxy
