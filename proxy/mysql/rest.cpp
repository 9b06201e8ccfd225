#include "proxy/mysql/rest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "backends/exchange.h"
#include "proxy/mysql/diagnostics.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using backends::TransactionState;
using Enlisted = backends::Transaction::Enlisted;

/// How long somebody else waits for a connection on which something lingers.
constexpr std::chrono::milliseconds linger_interval{100};

bool is_said_of(const State& state, std::uint32_t shard) {
  return state.last == shard || std::ranges::find(state.warned, shard) != state.warned.end();
}

/// The connection is the only one that will do.
bool is_bound(const State& state, std::uint32_t shard) {
  return state.insert_id_on == shard || std::ranges::find(state.cursors, shard) != state.cursors.end();
}

/// What it was is not known. The connection, where there is one, is of no use.
void lose_number(State& state, Enlisted* member) {
  state.last_insert = {std::nullopt, 0, true};
  if (member != nullptr) member->lease->tainted = true;
}

/// Asks the connection what it knows, and makes it forget that: it is the next session's, too.
net::Task<void> take_number(State& state, Enlisted& member) {
  auto answer = co_await backends::run_command(member.lease, "SELECT LAST_INSERT_ID(), LAST_INSERT_ID(0)");
  state.last_insert.shard.reset();
  if (!answer) throw backends::ServerError(answer.error(), member.shard, member.lease.shard_name());
  // sql_select_limit may be 0.
  if (answer->rows.empty()) co_return lose_number(state, &member);
  const std::string text = answer->rows[0].at(0).value_or("");
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number != 0) state.last_insert = {std::nullopt, number, false};
}

bool let_go_of_aside(State& state) {
  const std::uint32_t shard = state.default_shard();
  if (!state.aside || !backends::is_waited_for(state.target(shard))) return false;
  state.forget_diagnostics();
  state.lost_on = shard;
  return true;
}

}  // namespace

bool let_go_of_wanted(State& state) {
  bool any = let_go_of_aside(state);
  if (state.transaction.state() != TransactionState::none) return any;
  for (auto& member : state.transaction.enlisted()) {
    const std::uint32_t shard = member->shard;
    if (!member->lingers || member->kept || is_bound(state, shard) || !backends::is_waited_for(state.target(shard))) continue;
    member->lingers = false;
    any = true;
    if (state.last_insert.shard == shard) lose_number(state, member.get());
    if (!is_said_of(state, shard)) continue;
    state.forget_diagnostics();
    if (!state.counts) state.counts.emplace();
    state.lost_on = shard;
  }
  state.transaction.give_back();
  return any;
}

namespace {

void watch(State& state) {
  const auto& enlisted = state.transaction.enlisted();
  const bool lingers = std::ranges::any_of(enlisted, [](const auto& member) { return member->lingers; });
  if (!lingers && !state.aside) return;
  if (state.linger_timer == nullptr) {
    state.linger_timer = std::make_unique<net::Timer>([&state] {
      (void)let_go_of_wanted(state);
      watch(state);
    });
  }
  state.linger_timer->start(linger_interval);
}

/// LOCK TABLES are on all of them.
bool keeps_as_they_are(const State& state) {
  return state.keeps_all() || state.tables_locked || state.transaction.state() != TransactionState::none;
}

void give_back(State& state) {
  for (auto& member : state.transaction.enlisted()) {
    const std::uint32_t shard = member->shard;
    member->lease->tainted |= std::ranges::find(state.options_on, shard) != state.options_on.end();
    member->lingers = !member->lease->broken() &&
                      (is_said_of(state, shard) || is_bound(state, shard) || state.last_insert.shard == shard);
  }
  state.transaction.give_back();
  watch(state);
}

}  // namespace

bool rest_at_once(State& state) {
  if (keeps_as_they_are(state) || state.transaction.enlisted().empty()) return true;
  const auto& numbered = state.last_insert.shard;
  // Asking would make the server forget what the statement has left beside.
  if (numbered && !is_said_of(state, *numbered)) return false;
  give_back(state);
  return true;
}

net::Task<void> rest(State& state) {
  Enlisted* member = state.transaction.find(*state.last_insert.shard);
  bool failed = member == nullptr || member->lease->broken();
  try {
    if (!failed) co_await take_number(state, *member);
  } catch (const values::SqlError&) {
    failed = true;
  }
  // The client has had its answer: it hears of this when it asks.
  if (failed) lose_number(state, member);
  if (failed && member != nullptr) member->lease->mark_broken();
  give_back(state);
}

void wake(State& state) {
  if (state.linger_timer != nullptr) state.linger_timer->stop();
  state.options_on.clear();
}

void keep_aside(State& state, backends::Lease lease) {
  state.aside = std::move(lease);
  watch(state);
}

void check_not_lost(const State& state, const rewriter::Plan& plan) {
  if (!state.lost_on || !looks_back(plan)) return;
  throw values::make_error(values::ErrorId::connection_lent, state.db->map->shards()[*state.lost_on].name);
}

net::Task<void> note_insert(State& state, std::uint32_t shard, bool surely) {
  LastInsert& noted = state.last_insert;
  if (noted.shard && *noted.shard != shard) {
    if (auto* other = state.transaction.find(*noted.shard)) co_await take_number(state, *other);
  }
  if (surely) noted = LastInsert();
  noted.shard = shard;
}

net::Task<void> bring_last_insert(State& state, Enlisted& member) {
  LastInsert& noted = state.last_insert;
  const bool knows_all = noted.number == 0 && !noted.lost;
  if (knows_all && (!noted.shard || *noted.shard == member.shard)) co_return;
  if (noted.shard) {
    if (auto* other = state.transaction.find(*noted.shard)) co_await take_number(state, *other);
  }
  if (noted.lost) throw values::make_error(values::ErrorId::connection_lent, member.lease.shard_name());
  if (noted.number == 0) co_return;
  auto answer = co_await backends::run_command(member.lease, fmt::format("SET last_insert_id = {}", noted.number));
  if (!answer) throw backends::ServerError(answer.error(), member.shard, member.lease.shard_name());
  noted = {member.shard, 0, false};
}

}  // namespace anabranch::proxy::mysql
