#include "proxy/mysql/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "backends/exchange.h"
#include "backends/mysql_context.h"
#include "backends/mysql_exchange.h"
#include "net/mysql/command_messages.h"
#include "proxy/mysql/diagnostics.h"
#include "proxy/mysql/maintenance.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/rest.h"
#include "proxy/mysql/table_locks.h"
#include "proxy/mysql/transaction.h"
#include "proxy/mysql/variables.h"
#include "proxy/mysql/warnings.h"
#include "values/ascii.h"
#include "values/errors.h"
#include "values/mysql_quote.h"

namespace anabranch::proxy::mysql {

namespace {

using backends::TransactionState;
using rewriter::SessionAction;
using rewriter::SessionPlan;
using Setting = SessionPlan::Setting;
using Reply = net::mysql::ResultReader::Reply;

void answer_done(State& state) {
  state.note_quiet();
  send_ok(state);
}

// ---------------------------------------------------------------------------------- transactions

net::Task<void> begin_transaction(State& state, const SessionPlan& plan) {
  if (state.transaction.state() != TransactionState::none) co_await commit(state);
  co_await unlock_for_transaction(state);
  std::string options = std::exchange(state.next_options, {});
  if (!plan.options.empty()) options += (options.empty() ? "" : ", ") + plan.options;
  state.transaction.begin(std::move(options));
  answer_done(state);
}

net::Task<void> end_transaction(State& state, const SessionPlan& plan) {
  const bool commits = plan.action == SessionAction::commit;
  const bool chains = plan.chain && state.transaction.state() != TransactionState::none;
  const std::string options = state.transaction.options();
  co_await (commits ? commit(state) : roll_back(state));
  if (plan.chain) state.transaction.begin(chains ? options : std::string());
  answer_done(state);
  if (plan.release) throw SessionLost{"it was released"};
}

net::Task<void> savepoint(State& state, const SessionPlan& plan) {
  // Names are compared whatever their case.
  const std::string name = values::lower_case(plan.name);
  const bool none = state.transaction.state() == TransactionState::none;
  if (none && plan.action != SessionAction::savepoint) {
    throw server_error(1305, "42000", fmt::format("SAVEPOINT {} does not exist", plan.name));
  }
  if (none && !state.autocommit) state.transaction.begin_unspoken();
  if (!none || !state.autocommit) {
    if (plan.action == SessionAction::savepoint) {
      co_await state.transaction.savepoint(name);
    } else if (plan.action == SessionAction::rollback_to) {
      co_await state.transaction.rollback_to(name);
    } else {
      co_await state.transaction.release_savepoint(name);
    }
  }
  answer_done(state);
}

// ---------------------------------------------------------------------------------- settings

/// What one statement may set and another shard's would not be: counters of that server's session.
constexpr auto of_one_server = std::to_array<std::string_view>({"pseudo_thread_id", "rand_seed1", "rand_seed2"});
/// The same, of which the session remembers where.
bool sets_last_insert(std::string_view name) { return name == "identity" || name == "last_insert_id"; }
/// Texts in these hold bytes that look like quotes and backslashes.
constexpr auto unsafe_character_sets =
    std::to_array<std::string_view>({"big5", "cp932", "gb18030", "gbk", "sjis"});

void check_character_set(std::string_view name) {
  if (std::ranges::find(unsafe_character_sets, values::lower_case(name)) == unsafe_character_sets.end()) return;
  throw values::make_error(values::ErrorId::unsupported_setting, "character_set_client", name);
}

void check(const Setting& setting) {
  if (setting.target == Setting::Target::names || setting.target == Setting::Target::character_set ||
      setting.name == "character_set_client") {
    check_character_set(backends::literal_value(setting.value));
  }
  // Each server would tell of its own part of a transaction.
  const bool tracks = setting.name == "session_track_transaction_info" && setting.target == Setting::Target::session &&
                      values::lower_case(backends::literal_value(setting.value)) != "off" && !setting.value.empty();
  if (tracks) throw values::make_error(values::ErrorId::unsupported_setting, setting.name, setting.value);
  if (setting.target == Setting::Target::session &&
      std::ranges::find(of_one_server, setting.name) != of_one_server.end()) {
    throw values::make_error(values::ErrorId::unsupported_setting, setting.name, setting.value);
  }
}

/// A value that was computed, as a literal; empty: it has none that means the same under every sql_mode.
net::Task<std::string> ask(State& state, backends::Lease& lease, std::string what) {
  auto answer = co_await backends::run_command(lease, "SELECT " + what, state.token());
  if (!answer) throw backends::ServerError(answer.error(), lease.shard(), lease.shard_name());
  const auto& value = answer->rows.at(0).at(0);
  if (!value) co_return "NULL";
  if (answer->numbers.at(0)) co_return *value;
  if (value->contains('\\')) co_return "";
  co_return backends::quote_literal(*value);
}

void put_transaction_modes(State& state, std::string_view modes) {
  while (!modes.empty()) {
    const std::string_view mode = modes.substr(0, modes.find(", "));
    modes.remove_prefix(std::min(modes.size(), mode.size() + 2));
    const auto name = mode.starts_with("ISOLATION") ? backends::mysql_isolation : backends::mysql_access;
    backends::put_mysql_setting(state.settings, name, std::string(mode));
  }
}

/// What was set on `lease` becomes the session's.
net::Task<void> take_setting(State& state, backends::Lease& lease, const Setting& setting) {
  using Target = Setting::Target;
  std::string value = setting.value.empty() ? std::string("DEFAULT") : setting.value;
  switch (setting.target) {
    case Target::user_variable: {
      const std::string lower = values::lower_case(setting.name);
      // A string has the collation of the moment.
      if (!setting.constant || value.find('\'') != std::string::npos || value.find('"') != std::string::npos) {
        value = co_await variable_literal(state, lease, lower);
      }
      state.local_variables.erase(lower);
      backends::put_mysql_setting(state.settings, variable_setting(lower), std::move(value));
      break;
    }
    case Target::session:
      if (sets_last_insert(setting.name)) {
        co_await note_insert(state, lease.shard(), true);
        break;
      }
      if (setting.name == "insert_id") {
        state.insert_id_on = lease.shard();
        break;
      }
      if (!setting.constant) value = co_await ask(state, lease, "@@session." + setting.name);
      if (value.empty()) throw values::make_error(values::ErrorId::unsupported_setting, setting.name, setting.value);
      backends::put_mysql_setting(state.settings, setting.name, std::move(value));
      break;
    case Target::names:
      if (!setting.collation.empty()) value += " COLLATE " + setting.collation;
      backends::put_mysql_setting(state.settings, backends::mysql_names, std::move(value));
      break;
    case Target::character_set:
      backends::put_mysql_setting(state.settings, backends::mysql_character_set, std::move(value));
      break;
    case Target::transaction: break;
    case Target::session_transaction: put_transaction_modes(state, setting.value); break;
  }
}

bool names(const SessionPlan& plan, std::string_view variable) {
  return std::ranges::any_of(plan.settings, [&](const Setting& setting) {
    return setting.target == Setting::Target::session && setting.name == variable;
  });
}

/// SET TRANSACTION alone is the proxy's to remember: it is of the next transaction, wherever that begins.
bool set_next_transaction(State& state, const SessionPlan& plan) {
  if (plan.settings.size() != 1 || plan.settings.front().target != Setting::Target::transaction) return false;
  if (state.transaction.state() != TransactionState::none) {
    throw server_error(1568, "25001",
                       "Transaction characteristics can't be changed while a transaction is in progress");
  }
  if (!state.next_options.empty()) state.next_options += ", ";
  state.next_options += plan.settings.front().value;
  answer_done(state);
  return true;
}

bool turns_autocommit_on(const State& state, const SessionPlan& plan) {
  if (state.autocommit) return false;
  return std::ranges::any_of(plan.settings, [](const Setting& setting) {
    if (setting.name != "autocommit" || setting.target != Setting::Target::session) return false;
    const std::string value = values::lower_case(backends::literal_value(setting.value));
    return value != "0" && value != "off" && value != "false";
  });
}

/// Of sql_select_limit: the default is more rows than there can be.
bool limits(std::string_view sql_select_limit) {
  return sql_select_limit != "18446744073709551615";
}

/// What the server has taken becomes the session's.
net::Task<void> take_settings(State& state, backends::Lease& lease, const SessionPlan& plan) {
  for (const Setting& setting : plan.settings) co_await take_setting(state, lease, setting);
  lease->applied.replace(state.settings.current());
  if (names(plan, "sql_mode")) {
    state.read_mode(backends::literal_value(co_await ask(state, lease, "@@sql_mode")), {});
  }
  if (names(plan, "div_precision_increment")) {
    state.read_division_digits(co_await ask(state, lease, "@@div_precision_increment"));
  }
  if (names(plan, "sql_select_limit")) state.limits_selects = limits(co_await ask(state, lease, "@@sql_select_limit"));
  if (names(plan, "sql_auto_is_null")) state.choose_pooling(co_await ask(state, lease, "@@sql_auto_is_null") == "1");
  state.renew_planning_key();
  if (names(plan, "autocommit")) state.autocommit = co_await ask(state, lease, "@@autocommit") == "1";
}

/// Values that were computed are asked for before the client is told anything.
net::Task<void> set_computed(State& state, const Request& request, backends::Lease& lease) {
  auto answer = co_await backends::run_command(lease, request.statement->text, state.token());
  if (!answer) throw backends::ServerError(answer.error(), lease.shard(), lease.shard_name());
  co_await take_settings(state, lease, *request.plan->plan->session);
  state.note_quiet();
  send_state(state, answer->session_state);
}

/// The client's own text is run on one shard, which says whether it likes it; others are told when they are
/// next needed.
net::Task<bool> set(State& state, Request& request) {
  const SessionPlan& plan = *request.plan->plan->session;
  for (const Setting& setting : plan.settings) check(setting);
  if (set_next_transaction(state, plan)) co_return true;
  // Turned on, it ends the transaction.
  if (turns_autocommit_on(state, plan) && state.transaction.state() != TransactionState::none) co_await commit(state);
  auto* member = co_await first_connection(state, *request.plan->plan);
  if (!std::ranges::all_of(plan.settings, &Setting::constant)) {
    co_await set_computed(state, request, member->lease);
    co_return true;
  }
  backends::write_command(member->lease, net::mysql::ComQuery{request.statement->text});
  const ReplyEnd end = co_await pass_reply(state, member->lease, Reply::text);
  state.note_quiet();
  if (end.failed || end.warnings > 0) state.note_diagnostics(member->shard);
  if (end.failed) co_return false;
  std::optional<std::string> lost;
  try {
    co_await take_settings(state, member->lease, plan);
  } catch (const values::SqlError& error) {
    // The client has been told that all is well.
    lost = error.message;
  }
  if (lost) throw SessionLost{*lost};
  co_return true;
}

// ---------------------------------------------------------------------------------- others

/// SHOW WARNINGS and its kin, of the statement before.
net::Task<bool> show_warnings(State& state, Request& request) {
  if (!state.warned.empty()) {
    co_await show_all_warnings(state, request.statement->text);
    co_return true;
  }
  backends::Lease& lease = state.aside ? *state.aside : (co_await last_connection(state))->lease;
  backends::write_command(lease, net::mysql::ComQuery{request.statement->text});
  const ReplyEnd end = co_await pass_reply(state, lease, Reply::text);
  const bool counts = request.plan->plan->session->name.starts_with("count");
  state.counts = State::Counts{-1, counts ? std::optional<std::uint64_t>(1) : state.found_before()};
  co_return !end.failed;
}

}  // namespace

net::Task<bool> run_session_command(State& state, Request& request) {
  const SessionPlan& plan = *request.plan->plan->session;
  switch (plan.action) {
    case SessionAction::begin: co_await begin_transaction(state, plan); break;
    case SessionAction::commit:
    case SessionAction::rollback: co_await end_transaction(state, plan); break;
    case SessionAction::savepoint:
    case SessionAction::rollback_to:
    case SessionAction::release: co_await savepoint(state, plan); break;
    case SessionAction::set: co_return co_await set(state, request);
    case SessionAction::use: co_await use_database(state, plan.name); break;
    case SessionAction::lock:
      co_await lock_tables(state, *request.plan->plan);
      answer_done(state);
      break;
    case SessionAction::unlock:
      co_await unlock_tables(state);
      answer_done(state);
      break;
    case SessionAction::maintain: co_await maintain(state, request); break;
    case SessionAction::warnings: co_return co_await show_warnings(state, request);
    default:
      throw values::make_error(values::ErrorId::unsupported_statement, request.plan->plan->command,
                               "Use the protocol's own commands.");
  }
  co_return true;
}

net::Task<backends::Transaction::Enlisted*> first_connection(State& state, const rewriter::Plan& plan) {
  const auto* begun = state.transaction.first_begun();
  auto* member = co_await state.attach(begun != nullptr ? begun->shard : state.default_shard());
  if (plan.asks_sequences) co_await bring_last_insert(state, *member);
  co_return member;
}

net::Task<void> use_database(State& state, std::string_view name) {
  const std::string& own = state.planning.search_path.front();
  if (name != state.login.database && name != own) {
    // The server says what it would, of a database that is not there or not the client's.
    auto* member = co_await state.attach(state.default_shard());
    auto answer = co_await backends::run_command(
        member->lease, fmt::format("SHOW TABLES FROM {} LIKE ''", values::quote_mysql_identifier(name)), state.token());
    if (!answer) throw backends::ServerError(answer.error(), member->shard, member->lease.shard_name());
    throw server_error(1044, "42000",
                       fmt::format("Access denied for user '{}' to database '{}': a session stays in its database",
                                   state.login.user, name));
  }
  const std::uint32_t shard = state.default_shard();
  auto* member = co_await state.attach(shard);
  backends::write_command(member->lease, net::mysql::ComInitDb{own});
  const ReplyEnd end = co_await pass_reply(state, member->lease, Reply::ok);
  if (!end.failed) co_return;
  state.counts = State::Counts{-1, state.found_before()};
  state.note_diagnostics(shard);
}

net::Task<void> begin_session(State& state) {
  const std::uint32_t shard = state.default_shard();
  auto* member = co_await state.attach(shard);
  auto answer = co_await backends::run_command(
      member->lease, "SELECT @@sql_mode, @@version, @@autocommit, @@character_set_client, @@div_precision_increment, "
                     "@@sql_select_limit, @@sql_auto_is_null, @@max_allowed_packet", state.token());
  if (!answer) throw backends::ServerError(answer.error(), shard, member->lease.shard_name());
  const auto& row = answer->rows.at(0);
  const auto text = [&](std::size_t column) { return row.at(column).value_or(std::string()); };
  check_character_set(text(3));
  state.character_set = text(3);
  state.autocommit = text(2) == "1";
  state.read_mode(text(0), text(1));
  state.read_division_digits(text(4));
  state.limits_selects = limits(text(5));
  state.choose_pooling(text(6) == "1");
  state.packet_bound = leading_number(text(7));
  state.note_done(State::Counts{0, 0});
  state.renew_planning_key();
}

}  // namespace anabranch::proxy::mysql
