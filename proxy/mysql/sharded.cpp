#include "proxy/mysql/sharded.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backends/mysql_context.h"
#include "backends/mysql_exchange.h"
#include "proxy/execute.h"
#include "proxy/mysql/commands.h"
#include "proxy/mysql/description.h"
#include "proxy/mysql/diagnostics.h"
#include "proxy/mysql/known_counts.h"
#include "proxy/mysql/named_statements.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/rest.h"
#include "proxy/mysql/run_gather.h"
#include "proxy/mysql/scatter.h"
#include "proxy/mysql/several.h"
#include "proxy/mysql/statements.h"
#include "proxy/mysql/transaction.h"
#include "proxy/mysql/variables.h"
#include "proxy/planning.h"
#include "proxy/transaction_end.h"
#include "rewriter/mysql/parse.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using net::mysql::Command;
using rewriter::PlanKind;
using Previous = rewriter::Plan::Previous;
using Reply = net::mysql::ResultReader::Reply;
using Enlisted = backends::Transaction::Enlisted;

constexpr std::size_t kept_bytes = 64 * 1024;

/// A cancel's, by us or by a server.
bool is_interruption(const values::SqlError& error) {
  constexpr std::uint16_t query_interrupted = 1317;  // ER_QUERY_INTERRUPTED
  return error.sqlstate == "57014" || error.mysql_code == query_interrupted;
}

/// Sessions wait for each other's connections, and the statement may be carried out again: one that writes may have done
/// so on other shards already.
bool may_run_again(const rewriter::Plan& plan, const values::SqlError& error) {
  constexpr const values::ErrorRow& row = values::error_row(values::ErrorId::lease_cycle);
  const bool is_cycle = error.mysql_code == row.mysql_code && error.sqlstate == row.sqlstate;
  return is_cycle && (plan.kind == PlanKind::relay || plan.kind == PlanKind::scatter || plan.kind == PlanKind::gather);
}

}  // namespace

net::Task<void> Sharded::begin() {
  co_await begin_session(state_);
  const auto* member = state_.transaction.find(state_.default_shard());
  if (const std::string* told = member->lease->parameter(backends::mysql_session_state)) session_state_ = *told;
  (void)rest_at_once(state_);
}

void Sharded::cancel() {
  state_.cancel_requested = true;
  state_.stop_running();
}

bool Sharded::lost() const {
  const backends::Transaction& transaction = state_.transaction;
  return state_.closed_by_server || transaction.lost_kept() ||
         std::ranges::any_of(transaction.enlisted(),
                             [](const auto& member) { return !member->lease || member->lease->broken(); });
}

net::Task<void> Sharded::handle(std::string_view payload, const bool& ended) {
  const Command command = *net::mysql::command_of(payload);
  carried_out_ = nullptr;
  if (take_unanswered(command, payload)) co_return;
  wake(state_);
  if (state_.must_wait()) co_await wait_for_turn(state_, ended);
  state_.begin_statement();
  state_.more = false;
  std::exception_ptr failure;
  try {
    co_await carry_out(command, payload);
  } catch (const values::SqlError& error) {
    if (state_.timed_out && is_interruption(error)) {
      const auto timeout = values::make_error<>(values::ErrorId::statement_timeout);
      state_.note_failure(timeout);
      failure = std::make_exception_ptr(timeout);
    } else {
      state_.note_failure(error);
      failure = std::current_exception();
    }
  }
  state_.stop_clock();
  state_.settle_lookups();
  if (!rest_at_once(state_)) co_await rest(state_);
  if (failure) std::rethrow_exception(failure);
}

net::Task<void> Sharded::carry_out(Command command, std::string_view payload) {
  const std::string_view body = payload.substr(1);
  switch (command) {
    case Command::query: co_await query(body); break;
    case Command::stmt_prepare: co_await prepare(body); break;
    case Command::stmt_execute: co_await execute(payload); break;
    case Command::stmt_fetch: co_await fetch(payload); break;
    case Command::stmt_reset: {
      const auto reset = net::mysql::ComStmtReset::decode(payload);
      if (!reset) malformed(reset.error());
      co_await prepared_.reset(state_, prepared_.find(reset->statement, "mysqld_stmt_reset"));
      break;
    }
    case Command::init_db: co_await use_database(state_, body); break;
    case Command::ping: send_ok(state_); break;
    case Command::reset_connection: co_await reset(); break;
    case Command::set_option: {
      const auto option = net::mysql::ComSetOption::decode(payload);
      if (!option) malformed(option.error());
      if (option->option > net::mysql::ComSetOption::multi_statements_off) {
        throw server_error(1047, "08S01", "Unknown command");
      }
      // Shards are sent one statement at a time.
      multi_statements_ = option->option == net::mysql::ComSetOption::multi_statements_on;
      end_rows(state_);
      break;
    }
    case Command::field_list: co_await pass_on(payload, Reply::field_list); break;
    case Command::statistics: co_await pass_on(payload, Reply::statistics); break;
    case Command::process_info: co_await pass_on(payload, Reply::text); break;
    case Command::debug: co_await pass_on(payload, Reply::ok); break;
    case Command::refresh: co_await pass_on_everywhere(payload); break;
    case Command::process_kill: co_await pass_on(payload, Reply::ok); break;
    default: {
      const std::string_view known = net::mysql::name(command);
      throw server_error(1235, "42000", fmt::format("{} is not supported in a database with schemes",
                                                    known.empty() ? "this command" : known));
    }
  }
}

/// Commands that have no answer, whatever becomes of them.
bool Sharded::take_unanswered(Command command, std::string_view payload) {
  if (command == Command::stmt_close) {
    if (const auto close = net::mysql::ComStmtClose::decode(payload)) prepared_.close(state_, close->statement);
    return true;
  }
  if (command != Command::stmt_send_long_data) return false;
  if (const auto piece = net::mysql::ComStmtSendLongData::decode(payload)) prepared_.take_ahead(state_, *piece);
  return true;
}

/// COM_RESET_CONNECTION: nothing of what the session has made is left, on any shard.
net::Task<void> Sharded::reset() {
  co_await roll_back(state_);
  for (auto& member : state_.transaction.enlisted()) {
    co_await backends::reset_mysql_session(member->lease);
    member->kept = member->untracked = false;
  }
  state_.settings.discard_all();
  // A server forgets what the client has asked for at its login.
  if (net::mysql::has(state_.capabilities, net::mysql::capability::ignore_space)) {
    backends::put_mysql_setting(state_.settings, "sql_mode", "DEFAULT");
  }
  state_.next_options.clear();
  state_.any_variable_on.reset();
  state_.insert_id_on.reset();
  state_.last_insert = LastInsert();
  state_.cursors.clear();
  state_.local_variables.clear();
  state_.forget_temporary();
  state_.tables_locked = false;
  prepared_ = PreparedStatements();
  named_.clear();
  co_await begin_session(state_);
  send_ok(state_);
}

/// What concerns no table of several shards: the default one answers. False: by an error.
net::Task<bool> Sharded::pass_on(std::string_view payload, Reply reply) {
  const std::uint32_t shard = state_.default_shard();
  Enlisted* member = co_await state_.attach(shard);
  net::mysql::Sequence numbers;
  net::mysql::PacketWriter(member->lease->socket().out(), numbers).bytes(payload);
  const ReplyEnd end = co_await pass_reply(state_, member->lease, reply);
  co_return !end.failed;
}

/// What concerns each server as a whole.
net::Task<void> Sharded::pass_on_everywhere(std::string_view payload) {
  const auto count = static_cast<std::uint32_t>(state_.db->map->shards().size());
  for (std::uint32_t shard = 0; shard < count; ++shard) {
    Enlisted* member = co_await state_.attach(shard);
    auto answer = co_await backends::run_mysql_packet(member->lease, payload, state_.token());
    if (!answer) throw backends::ServerError(answer.error(), shard, member->lease.shard_name());
  }
  send_ok(state_);
}

// ---------------------------------------------------------------------------------- COM_QUERY

net::Task<void> Sharded::query(std::string_view text) {
  const bool may_be_several = text.contains(';');
  if (multi_statements_ && may_be_several) {
    co_await run_texts(std::string(text));
  } else if (may_be_several && split_statements(text, state_.planning.mysql).size() > 1) {
    co_await check_by_server(std::string(text));
  } else {
    (void)co_await run_text(text);
  }
  if (simple_.text.capacity() > kept_bytes) simple_ = Statement();
}

/// Each has a result of its own; the first that fails is the last.
net::Task<void> Sharded::run_texts(std::string text) {
  const auto statements = split_statements(text, state_.planning.mysql);
  if (statements.empty()) (void)co_await run_text(text);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    state_.more = i + 1 < statements.size();
    std::exception_ptr failure;
    bool goes_on = false;
    try {
      goes_on = co_await run_text(statements[i]);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure || !goes_on) state_.more = false;
    if (failure) std::rethrow_exception(failure);
    if (!goes_on) co_return;
  }
}

/// False: an error has been passed on.
net::Task<bool> Sharded::run_text(std::string_view text) {
  set_text(simple_, text, state_.planning.mysql);
  carried_out_ = &simple_;
  if (simple_.shape.blank()) {
    // Where there is a comment it is a statement that does nothing.
    co_return co_await pass_on("\x03" + simple_.text, Reply::text);
  }
  simple_.plan = cached_plan(state_, simple_, false);
  if (simple_.plan == nullptr) simple_.plan = co_await make_plan(simple_, false);
  Request request;
  request.statement = &simple_;
  request.plan = simple_.plan;
  const auto& session = simple_.plan->plan->session;
  if (session && is_named_command(session->action)) co_return co_await run_named(request);
  co_return co_await run(request);
}

net::Task<bool> Sharded::run(Request& request) {
  const auto begun = std::chrono::steady_clock::now();
  if (!state_.db->outdated.empty() && writes(*request.plan->plan)) {
    throw values::make_error(values::ErrorId::outdated_map, state_.db->outdated);
  }
  if (state_.db->map->has_lookups()) begin_lookups(state_, *request.plan->plan, request.statement->text);
  bool went_well = true;
  const auto& session = request.plan->plan->session;
  const bool shows = session && session->action == rewriter::SessionAction::warnings;
  check_not_lost(state_, *request.plan->plan);
  if (takes_counts(state_, request)) co_return co_await run_filled(request, with_counts(state_, request));
  // Rows of the proxy's, and not of the server that has prepared the statement, are texts.
  const bool of_proxy = shows && (!state_.warned.empty() || state_.aside);
  if (session && request.prepared != nullptr && (!request.values.empty() || of_proxy)) {
    throw values::make_error(values::ErrorId::unsupported_statement, request.plan->plan->command + " as a prepared statement",
                             "Send it as a text.");
  }
  for (bool again = false;; again = true) {
    try {
      if (const auto shard = plain_shard(request)) {
        went_well = co_await relay(request, *shard);
      } else if (shows && request.prepared != nullptr) {
        went_well = co_await relay(request, (co_await last_connection(state_))->shard);
      } else if (asks_for_counts(state_, request)) {
        co_await answer_counts(state_, request);
      } else if (request.plan->plan->kind == PlanKind::session) {
        went_well = co_await run_session_command(state_, request);
      } else {
        const auto one = co_await choose_shard(request);
        if (one) {
          went_well = co_await relay(request, *one);
        } else if (request.plan->plan->kind == PlanKind::local) {
          explain(state_, request);
        } else if (request.plan->plan->kind == PlanKind::scatter) {
          co_await bring_variables(state_, variables_of(state_, request).names, std::nullopt);
          co_await run_scatter(state_, request);
        } else if (request.plan->plan->kind == PlanKind::gather) {
          co_await bring_variables(state_, variables_of(state_, request).names, std::nullopt);
          went_well = co_await run_gather(state_, request);
        } else {
          co_await bring_variables(state_, variables_of(state_, request).names, std::nullopt);
          check_insert_id(std::nullopt);
          co_await run_on_several(state_, request);
        }
      }
      break;
    } catch (const values::SqlError& error) {
      // What lingers gives way, and not the statement.
      if (again || !may_run_again(*request.plan->plan, error) || !let_go_of_wanted(state_)) throw;
    }
  }
  if (went_well && !state_.options_on.empty()) state_.next_options.clear();
  state_.worker.metrics().statement(request.plan->plan->kind, std::chrono::steady_clock::now() - begun);
  co_return went_well;
}

/// The one shard of a relay, where it is plain to see.
std::optional<std::uint32_t> Sharded::plain_shard(const Request& request) {
  const rewriter::Plan& plan = *request.plan->plan;
  if (plan.kind != PlanKind::relay || plan.asks_sequences || plan.previous != Previous::none) return std::nullopt;
  const LookupReader::Pass pass(state_.lookups, false);
  const auto shard = rewriter::only_shard(bind_request(state_, request));
  return pass.complete() ? shard : std::nullopt;
}

/// The shard of a relay. Nothing: the statement is for several, and its plan is one for these; or for none.
net::Task<std::optional<std::uint32_t>> Sharded::choose_shard(Request& request) {
  const rewriter::Plan* plan = request.plan->plan.get();
  if (plan->kind == PlanKind::refuse) {
    co_await take_values(request);
    plan = request.plan->plan.get();
  }
  co_await look_up_keys(state_, request);
  if (plan->kind == PlanKind::relay) {
    const rewriter::BindRequest bind = bind_request(state_, request);
    if (plan->routing.mode == rewriter::Routing::Mode::any_shard) {
      if (plan->asks_sequences) co_return state_.last_insert.shard.value_or(state_.default_shard());
      if (plan->previous == Previous::diagnostics) co_return (co_await last_connection(state_))->shard;
      if (plan->previous == Previous::counts) co_return state_.last.value_or(state_.default_shard());
    }
    const router::ShardSet shards = rewriter::route(bind, nullptr);
    if (shards.size() <= 1) co_return shards.empty() ? state_.default_shard() : *shards.begin();
    request.plan = cached_plan(state_, *request.statement, true);
    if (request.plan == nullptr) request.plan = co_await make_plan(*request.statement, true);
    plan = request.plan->plan.get();
    if (plan->kind == PlanKind::refuse) co_await take_values(request);
    co_await look_up_keys(state_, request);
  }
  co_return std::nullopt;
}

/// The request becomes one of that text, which has no parameters.
net::Task<void> Sharded::fill(Request& request, std::string text, bool several) {
  set_text(filled_, text, state_.planning.mysql);
  filled_.plan = cached_plan(state_, filled_, several);
  if (filled_.plan == nullptr) filled_.plan = co_await make_plan(filled_, several);
  request.statement = &filled_;
  request.plan = filled_.plan;
  request.values = {};
}

/// By that text, which answers with no rows.
net::Task<bool> Sharded::run_filled(Request& request, std::string text) {
  co_await fill(request, std::move(text), false);
  request.prepared = nullptr;
  request.call = nullptr;
  co_return co_await run(request);
}

/// The plan is a refusal: the statement is planned with the values of its parameters, where these count. Throws.
net::Task<void> Sharded::take_values(Request& request) {
  const rewriter::Plan& refused = *request.plan->plan;
  if (!refused.needs_values || request.values.empty()) co_await refuse(*request.statement, request.plan);
  co_await fill(request, with_values(request.statement->text, request.values, state_.planning.mysql), true);
  if (request.plan->plan->kind == PlanKind::refuse) co_await refuse(filled_, request.plan);
}

net::Task<CachedPlanPtr> Sharded::make_plan(Statement& statement, bool several) {
  return make_plan_by(state_, statement, several,
                      [this](rewriter::NeedDescribe::Ask ask) { return describe(state_, std::move(ask)); });
}

/// Throws the server's own error, if it has one: it prepares the text, and no more.
net::Task<void> Sharded::check_by_server(std::string text) {
  const std::uint32_t shard = state_.default_shard();
  Enlisted* member = co_await state_.attach(shard);
  auto answer = co_await backends::prepare_mysql_statement(member->lease, std::move(text), state_.token());
  if (!answer) {
    backends::ServerError error(answer.error(), shard, member->lease.shard_name());
    constexpr std::uint16_t cannot_prepare = 1295;  // ER_UNSUPPORTED_PS: it has not looked at the text any further
    if (error.mysql_code == cannot_prepare) co_return;
    throw error;
  }
  backends::write_command(member->lease, net::mysql::ComStmtClose{answer->statement});
}

net::Task<void> Sharded::refuse(const Statement& statement, CachedPlanPtr plan) {
  const rewriter::Plan& refused = *plan->plan;
  if (refused.command == "CALL") {
    co_await check_procedure(state_, refused.prepare_text);
  } else if (refused.prepare_only) {
    co_await check_by_server(refused.prepare_text.empty() ? statement.text : refused.prepare_text);
  }
  throw *refused.refusal;
}

/// What a server's session knows of the statement before, as long as nothing else is said there.
void Sharded::check_previous(const rewriter::Plan& plan, std::uint32_t shard) {
  if (plan.previous == Previous::none) return;
  const bool counted = plan.previous == Previous::counts && state_.counts;
  const Enlisted* member = state_.transaction.find(shard);
  const bool untouched = member != nullptr && *member->lease->applied.current() == *state_.settings.current();
  if (state_.last == shard && !counted && untouched && state_.warned.empty()) return;
  throw values::make_error(values::ErrorId::unsupported_statement,
                           "what FOUND_ROWS(), ROW_COUNT() and the like say of a statement on other shards",
                           "Ask for it alone, right behind the statement.");
}

/// Preparing it would be what it looks back at.
void Sharded::check_prepared_there(const Request& request, const Enlisted& member) const {
  const bool named = request.call != nullptr && request.call->named != nullptr;
  const bool there = request.prepared != nullptr ? request.prepared->is_on(member)
                                                 : !named || request.call->named->parameters == 0;
  if (there) return;
  throw values::make_error(values::ErrorId::unsupported_statement,
                           "a prepared statement that asks for the one before, which another shard has carried out",
                           "Send it as a text.");
}

/// Before a write.
void Sharded::check_insert_id(std::optional<std::uint32_t> shard) const {
  if (!state_.insert_id_on || state_.insert_id_on == shard) return;
  throw values::make_error(values::ErrorId::unsupported_statement,
                           "a write to another shard than the one that SET insert_id has told",
                           "Give the row its number.");
}

net::Task<bool> Sharded::relay(Request& request, std::uint32_t shard) {
  const rewriter::Plan& plan = *request.plan->plan;
  if (writes(plan)) check_insert_id(shard);
  const VariableUse variables = variables_of(state_, request);
  // GET DIAGNOSTICS only sets them, and must find the session as it is.
  const bool sets_only = plan.previous == Previous::diagnostics && variables.assigns;
  if (!variables.names.empty() && !sets_only) co_await bring_variables(state_, variables.names, shard);
  check_previous(plan, shard);
  if (must_open(state_)) co_await open_transaction(state_, plan);
  Enlisted* member = co_await enlist(state_, plan, shard);
  if (plan.asks_sequences || plan.sets_last_insert) co_await bring_last_insert(state_, *member);
  if (variables.assigns) {
    for (const std::string& name : variables.names) forget_variable(state_, *member, name);
  }
  if (plan.may_set_variables) forget_all_variables(state_, *member);
  PreparedStatement* prepared = request.prepared;
  if (looks_back(plan)) check_prepared_there(request, *member);
  if (prepared != nullptr) {
    co_await prepare_on(state_, *prepared, *member, request.cursor);
    write_execution(*prepared, *member, request.cursor);
  } else if (request.call != nullptr) {
    const SqlCall& call = *request.call;
    // What looks back must find the session as it is: its text is as good.
    const bool by_text = call.named != nullptr && looks_back(plan);
    if (call.named != nullptr && !by_text) {
      co_await prepare_named_on(*call.named, call.name, *member, state_.planning.mysql);
    }
    backends::write_command(member->lease, net::mysql::ComQuery{by_text ? request.statement->text : call.text});
  } else {
    backends::write_command(member->lease, net::mysql::ComQuery{request.statement->text});
  }
  const ReplyEnd end = co_await pass_reply(state_, member->lease, prepared != nullptr ? Reply::binary : Reply::text);
  if (prepared != nullptr) {
    (void)prepared_.forget_cursor(state_, *prepared);
    if ((end.status & net::mysql::status::cursor_exists) != 0) prepared_.note_cursor(state_, *prepared, *member);
  }
  co_await finish(request, *member, end);
  co_return !end.failed;
}

/// What the next statement may ask about this one: the less the shard's session alone knows, the sooner its connection
/// goes home.
void Sharded::note_answer(const Request& request, std::uint32_t shard, const ReplyEnd& end) {
  const rewriter::Plan& plan = *request.plan->plan;
  const bool quiet = !end.failed && end.warnings == 0;
  const bool tells_found = plan.tells_counts && request.cursor == net::mysql::cursor::none;
  if (end.has_rows && plan.counts_found && !tells_found && (plan.uses_tables || !quiet)) return state_.note_done(shard);
  // Some of what is no SELECT finds rows, too (INSERT … SELECT, SHOW TABLES).
  const auto found = end.has_rows && tells_found ? std::optional(end.rows)
                     : plan.tells_counts         ? state_.found_before()
                                                 : std::nullopt;
  state_.counts = State::Counts{end.has_rows || end.failed ? -1 : static_cast<std::int64_t>(end.affected), found};
  if (!quiet) {
    state_.note_diagnostics(shard);
  } else if (forgets_diagnostics(plan)) {
    state_.forget_diagnostics();
  }
}

net::Task<void> Sharded::finish(Request& request, Enlisted& member, ReplyEnd end) {
  const rewriter::Plan& plan = *request.plan->plan;
  note_answer(request, member.shard, end);
  // A row of a sharded table has brought its number along: that is not LAST_INSERT_ID()'s.
  const bool brought = plan.routing.mode == rewriter::Routing::Mode::by_key && !plan.asks_sequences;
  // Neither rows of RETURNING nor LOAD DATA's answer name a number.
  const bool may_count = end.insert_id != 0 || (writes(plan) && (end.has_rows || !plan.tells_counts));
  if (plan.sets_last_insert || (may_count && (plan.counts_row || !brought))) {
    co_await note_insert(state_, member.shard, plan.sets_last_insert || (plan.counts_row && end.insert_id != 0));
    member.lingers = true;
  }
  if (end.insert_id != 0) state_.insert_id_on.reset();
  if (!end.failed) state_.note_temporary(member, plan);
  if (state_.transaction.state() != backends::TransactionState::none) co_await settle(state_, member, end);
  if (end.failed || !changes_definitions(plan)) co_return;
  state_.change_definitions();
  co_await publish_definitions(state_);
}

net::Task<void> Sharded::take_plan(Statement& statement) {
  if (plan_is_current(state_, statement)) co_return;
  statement.plan = cached_plan(state_, statement, false);
  if (statement.plan == nullptr) statement.plan = co_await make_plan(statement, false);
  statement.planned_under = state_.db->version;
  statement.planned_key = state_.planning_key;
}

}  // namespace anabranch::proxy::mysql
