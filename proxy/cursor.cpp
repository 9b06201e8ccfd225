#include "proxy/cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "backends/exchange.h"
#include "proxy/execute.h"
#include "proxy/merged_portal.h"
#include "proxy/planning.h"
#include "proxy/portal.h"
#include "proxy/prepared.h"
#include "proxy/replies.h"
#include "proxy/shard_request.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using rewriter::PlanKind;
using rewriter::SessionAction;
using rewriter::SessionPlan;
using values::ErrorId;
using values::make_error;

constexpr std::uint64_t all_rows = std::numeric_limits<std::uint64_t>::max();

// ------------------------------------------------------------------------------------------ DECLARE

/// The query of a DECLARE as a statement of its own, planned.
net::Task<std::shared_ptr<Statement>> query_of(SessionState& state, const Statement& outer) {
  auto query = std::make_shared<Statement>();
  query->parameter_types = outer.parameter_types;
  co_await plan_inner_statement(state, outer, outer.plan->plan->session->offset, *query);
  co_return query;
}

/// The query with the values that came with the DECLARE.
Execution execution_of(const Execution& outer, Statement& query) {
  Execution inner;
  inner.statement = &query;
  inner.plan = query.plan;
  inner.simple = outer.simple;
  inner.bound = outer.bound;
  inner.standalone = outer.standalone;
  inner.parameter_formats = outer.parameter_formats;
  inner.parameters = outer.parameters;
  inner.values = outer.values;
  return inner;
}

void check_name(const SessionState& state, const Execution& execution, const SessionPlan& command) {
  if (command.name.empty()) throw values::SqlError("34000", "invalid cursor name: must not be empty");
  // Several statements in one simple query are a transaction block too.
  const bool in_block = state.explicit_transaction() || (execution.simple && !execution.standalone);
  if (!in_block && !command.cursor.hold) {
    throw values::SqlError("25P01", "DECLARE CURSOR can only be used in transaction blocks");
  }
  if (state.portals.contains(command.name)) throw make_error(ErrorId::duplicate_portal, command.name);
}

[[noreturn]] void refuse_hold() {
  throw make_error(ErrorId::unsupported_clause, "DECLARE … WITH HOLD", "its rows are not on the default shard",
                   "Declare the cursor without HOLD, and fetch inside the transaction.");
}

void check_declare(const SessionPlan& command, const rewriter::Plan& plan) {
  if (command.cursor.hold) refuse_hold();
  if (command.cursor.scroll) {
    throw make_error(ErrorId::unsupported_clause, "DECLARE … SCROLL", "its rows come from several shards, forward only",
                     "Declare the cursor without SCROLL.");
  }
  if (plan.kind != PlanKind::scatter || writes(plan)) {
    throw make_error(ErrorId::unsupported_clause, "DECLARE of a query that locks rows", "its rows are on several shards",
                     "Give the query a key, or leave out the locking clause.");
  }
}

net::Task<Outcome> declare(SessionState& state, Execution& execution) {
  const SessionPlan& command = *execution.plan->plan->session;
  auto portal = std::make_shared<Portal>();
  portal->statement = co_await query_of(state, *execution.statement);
  portal->level = state.locals_at.size();
  Execution query = execution_of(execution, *portal->statement);
  if (query.plan->plan->kind == PlanKind::refuse) co_await throw_refusal(state, *portal->statement, query.plan);
  const router::ShardSet shards = co_await find_shards(state, query);
  check_name(state, execution, command);
  portal->cursor = Cursor{std::nullopt, command.cursor.no_scroll, command.cursor.binary};
  if (query.plan->plan->kind == PlanKind::relay) {
    const std::uint32_t shard = shards.empty() ? state.default_shard() : *shards.begin();
    portal->cursor->shard = shard;
    if (command.cursor.hold && shard != state.default_shard()) refuse_hold();
    const Outcome outcome = co_await run_relay(state, execution, shard);
    if (writes(*query.plan->plan) && state.explicit_transaction()) state.transaction.mark_written(shard);
    // One that outlives the transaction is found by its name on the default shard.
    if (!command.cursor.hold) state.portals.insert_or_assign(command.name, std::move(portal));
    co_return outcome;
  }
  check_declare(command, *query.plan->plan);
  const std::string name = fmt::format("anabranch_c{}", state.next_portal++);
  portal->state.merged = co_await MergedPortal::open(state, query, name, MergedPortal::Refill::fetch);
  state.portals.insert_or_assign(command.name, std::move(portal));
  send_complete(state.out(), "DECLARE CURSOR");
  co_return Outcome{};
}

// -------------------------------------------------------------------------------------------- FETCH

std::shared_ptr<Portal> find(const SessionState& state, const std::string& name) {
  const auto found = state.portals.find(name);
  return found == state.portals.end() ? nullptr : found->second;
}

/// What the server knows and we do not (a cursor that a function opened), it knows on the default shard.
std::uint32_t shard_of(const SessionState& state, const Portal* portal) {
  return portal != nullptr && portal->cursor && portal->cursor->shard ? *portal->cursor->shard : state.default_shard();
}

void require_cursor(const Portal& portal) {
  if (portal.cursor) return;
  throw make_error(ErrorId::unsupported_statement, "FETCH from a portal of the extended protocol",
                   "Use Execute with a row limit.");
}

[[noreturn]] void refuse_backward(const Cursor& cursor) {
  if (cursor.no_scroll) {
    throw values::SqlError("55000", "cursor can only scan forward",
                           "Declare it with SCROLL option to enable backward scan.");
  }
  throw make_error(ErrorId::unsupported_clause, "FETCH backward", "the cursor's rows come from several shards, forward only",
                   "Fetch forward, or order the query the other way.");
}

/// Rows to pass over, and rows to fetch then.
struct Forward {
  std::uint64_t skip = 0;
  std::uint64_t count = 0;
};

Forward forward_of(const SessionPlan::Fetch& fetch, const Cursor& cursor, const MergedPortal& rows) {
  using To = SessionPlan::Fetch::To;
  const bool on_row = rows.position() > 0 && !rows.at_end();
  const auto count = static_cast<std::uint64_t>(fetch.count);
  switch (fetch.to) {
    case To::forward:
    case To::relative:
      if (fetch.count == std::numeric_limits<std::int64_t>::max()) return {0, all_rows};
      if (fetch.count == 0 && !on_row) return {0, 0};
      if (fetch.count <= 0) refuse_backward(cursor);
      if (fetch.to == To::forward) return {0, count};
      return {count - 1, 1};
    case To::absolute:
      if (fetch.count <= 0 || count <= rows.position()) refuse_backward(cursor);
      return {count - rows.position() - 1, 1};
    case To::backward:
      if (fetch.count == 0 && !on_row) return {0, 0};
      if (fetch.count < 0 && fetch.count > std::numeric_limits<std::int64_t>::min()) {
        return {0, static_cast<std::uint64_t>(-fetch.count)};
      }
      refuse_backward(cursor);
  }
  refuse_backward(cursor);
}

net::Task<Outcome> fetch_merged(SessionState& state, const Execution& execution, Portal& portal) {
  const SessionPlan& command = *execution.plan->plan->session;
  MergedPortal& rows = *portal.state.merged;
  if (rows.failed()) throw values::SqlError("55000", fmt::format("portal \"{}\" cannot be run", command.name));
  if (execution.row_limit > 0) {
    throw make_error(ErrorId::unsupported_clause, "FETCH with a row limit of Execute", "FETCH has its own",
                     "Give the number of rows to FETCH.");
  }
  const Forward forward = forward_of(command.fetch, *portal.cursor, rows);
  const net::pg::Formats binary{1};
  const bool own_binary = execution.simple && portal.cursor->binary;
  const net::pg::FormatList formats = own_binary ? binary.list() : execution.result_formats;
  const bool move = command.fetch.move;
  if (!move || rows.position() == 0) rows.set_formats(state, formats);
  if (execution.simple && !move) send_row_description(state.out(), *rows.plan().result, formats);
  if (forward.skip > 0) (void)co_await rows.fetch(state, forward.skip, false);
  const std::uint64_t count = co_await rows.fetch(state, forward.count, !move);
  send_complete(state.out(), fmt::format("{} {}", move ? "MOVE" : "FETCH", count));
  co_return Outcome{};
}

net::Task<Outcome> fetch(SessionState& state, Execution& execution) {
  const std::shared_ptr<Portal> portal = find(state, execution.plan->plan->session->name);
  if (portal != nullptr) require_cursor(*portal);
  if (portal == nullptr || portal->cursor->shard) {
    return run_relay(state, execution, shard_of(state, portal.get()));
  }
  return fetch_merged(state, execution, *portal);
}

// -------------------------------------------------------------------------------------------- CLOSE

/// The default shard's answer is the client's: it may have cursors that outlive transactions.
net::Task<Outcome> close_all(SessionState& state, Execution& execution) {
  const std::uint32_t preferred = state.default_shard();
  for (auto& member : state.transaction.enlisted()) {
    if (member->shard == preferred) continue;
    auto answer = co_await backends::run_command(member->lease, "CLOSE ALL");
    if (!answer) throw backends::ServerError(answer.error(), member->shard, member->lease.shard_name());
  }
  state.portals.clear();
  if (state.transaction.find(preferred) != nullptr || state.transaction.enlisted().empty()) {
    co_return co_await run_relay(state, execution, preferred);
  }
  send_complete(state.out(), "CLOSE CURSOR ALL");
  co_return Outcome{};
}

net::Task<Outcome> close_cursor(SessionState& state, Execution& execution) {
  const std::string& name = execution.plan->plan->session->name;
  if (name.empty()) co_return co_await close_all(state, execution);
  const std::shared_ptr<Portal> portal = find(state, name);
  if (portal == nullptr || (portal->cursor && portal->cursor->shard)) {
    const Outcome outcome = co_await run_relay(state, execution, shard_of(state, portal.get()));
    state.portals.erase(name);
    co_return outcome;
  }
  close_on_shards(state, *portal);
  state.portals.erase(name);
  send_complete(state.out(), "CLOSE CURSOR");
  co_return Outcome{};
}

}  // namespace

void close_on_shards(SessionState& state, Portal& portal) noexcept {
  if (portal.state.merged != nullptr) portal.state.merged->close(state);
  if (!portal.state.open || portal.state.server_name.empty()) return;
  auto* member = state.transaction.find(portal.state.shard);
  if (member == nullptr || !member->began || member->lease->broken()) return;
  if (member->lease->pending() == member->lease->skipped()) send_close_portal(member->lease, portal.state.server_name);
}

net::Task<Outcome> run_cursor_command(SessionState& state, Execution& execution) {
  switch (execution.plan->plan->session->action) {
    case SessionAction::declare: return declare(state, execution);
    case SessionAction::fetch: return fetch(state, execution);
    default: return close_cursor(state, execution);
  }
}

net::Task<rewriter::Description> describe_cursor_command(SessionState& state, Statement& statement) {
  const SessionPlan& command = *statement.plan->plan->session;
  rewriter::Description description;
  if (command.action == SessionAction::declare) {
    const std::shared_ptr<Statement> query = co_await query_of(state, statement);
    description.parameters = (co_await ensure_description(state, *query))->parameters;
    co_return description;
  }
  if (command.action == SessionAction::close_cursor || command.fetch.move) co_return description;
  const std::shared_ptr<Portal> portal = find(state, command.name);
  if (portal != nullptr && portal->state.merged != nullptr) {
    description.columns = portal->state.merged->plan().result;
  } else if (state.transaction.find(shard_of(state, portal.get())) != nullptr) {
    co_return co_await describe_on_shard(state, shard_of(state, portal.get()), statement);
  }
  co_return description;
}

}  // namespace anabranch::proxy
