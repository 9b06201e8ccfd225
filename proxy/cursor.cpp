#include "proxy/cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

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

using rewriter::FetchRange;
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

void check_plan(const rewriter::Plan& plan) {
  if (can_be_merged_portal(plan)) return;
  throw make_error(ErrorId::unsupported_clause, "DECLARE of a query that locks rows", "its rows are on several shards",
                   "Give the query a key, or leave out the locking clause.");
}

net::Task<void> read_to_end(SessionState& state, Portal& portal) {
  MergedPortal& rows = *portal.state.merged;
  co_await rows.hold(state);
  if (portal.cursor->scrolls) portal.cursor->scroll.emplace(rows.held().size());
}

/// Rows that are kept are so in one form: the one that the client asks for in general.
net::pg::Formats kept_formats(const Execution& declaring, const SessionPlan& command) {
  const bool binary = command.cursor.binary || net::pg::format_of(declaring.result_formats, 0) == 1;
  return {static_cast<std::int16_t>(binary ? 1 : 0)};
}

net::Task<void> declare_merged(SessionState& state, const Execution& declaring, Execution& query, Portal& portal) {
  const SessionPlan& command = *declaring.plan->plan->session;
  if (query.plan->plan->kind == PlanKind::gather) {
    const net::pg::Formats formats = kept_formats(declaring, command);
    portal.state.merged = co_await MergedPortal::gather(state, query, formats.list());
  } else {
    check_plan(*query.plan->plan);
    const std::string name = fmt::format("anabranch_c{}", state.next_portal++);
    portal.state.merged = co_await MergedPortal::open(state, query, name, MergedPortal::Refill::fetch);
  }
  portal.cursor->hold = command.cursor.hold;
  portal.cursor->scrolls = command.cursor.scroll;
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
  portal->cursor.emplace();
  portal->cursor->no_scroll = command.cursor.no_scroll;
  portal->cursor->binary = command.cursor.binary;
  const std::uint32_t shard = shards.empty() ? state.default_shard() : *shards.begin();
  const bool of_server = query.plan->plan->kind == PlanKind::relay;
  // A server's own that is held keeps its connection: only the default shard's may be.
  if (of_server && (!command.cursor.hold || shard == state.default_shard())) {
    portal->cursor->shard = shard;
    const Outcome outcome = co_await run_relay(state, execution, shard);
    if (writes(*query.plan->plan) && state.explicit_transaction()) state.transaction.mark_written(shard);
    portal->cursor->hold = command.cursor.hold;
    portal->cursor->held = command.cursor.hold && state.transaction.state() == backends::TransactionState::none;
    if (auto* member = state.transaction.find(shard); member != nullptr && wants_hold(*portal)) member->holds = true;
    state.portals.insert_or_assign(command.name, std::move(portal));
    co_return outcome;
  }
  if (of_server) {
    co_await take_plan_for_several(state, query);
    co_await evaluate(state, query);
  }
  co_await declare_merged(state, execution, query, *portal);
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

Forward forward_of(const FetchRange& fetch, const Cursor& cursor, const MergedPortal& rows) {
  using To = FetchRange::To;
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

net::Task<std::uint64_t> go_forward(SessionState& state, MergedPortal& rows, Forward forward, bool send) {
  if (forward.skip > 0) (void)co_await rows.fetch(state, forward.skip, false);
  co_return co_await rows.fetch(state, forward.count, send);
}

net::Task<std::uint64_t> scroll(SessionState& state, Portal& portal, const FetchRange& fetch) {
  const ScrollSpan span = portal.cursor->scroll->move(fetch);
  const merge::Batch& rows = portal.state.merged->held();
  if (!fetch.move) portal.state.merged->check_writing(state);
  for (std::size_t i = 0; !fetch.move && i < span.count; ++i) {
    state.client.write(rows.message(span.backward ? span.first - i : span.first + i));
    if (state.client.congested()) co_await give_way_to_client(state);
  }
  co_return span.count;
}

net::Task<Outcome> fetch_merged(SessionState& state, const Execution& execution, Portal& portal) {
  const SessionPlan& command = *execution.plan->plan->session;
  MergedPortal& rows = *portal.state.merged;
  if (rows.failed()) throw values::SqlError("55000", fmt::format("portal \"{}\" cannot be run", command.name));
  if (execution.row_limit > 0) {
    throw make_error(ErrorId::unsupported_clause, "FETCH with a row limit of Execute", "FETCH has its own",
                     "Give the number of rows to FETCH.");
  }
  const net::pg::Formats binary{1};
  const Cursor cursor = portal.cursor.value_or(Cursor());
  const bool own_binary = execution.simple && cursor.binary;
  const net::pg::FormatList formats = own_binary ? binary.list() : execution.result_formats;
  const bool move = command.fetch.move;
  std::optional<Forward> forward;
  if (!cursor.scrolls) forward = forward_of(command.fetch, cursor, rows);
  if (!move || !rows.has_formats()) rows.set_formats(state, formats);
  if (cursor.scrolls && !cursor.scroll) co_await read_to_end(state, portal);
  if (execution.simple && !move) send_row_description(state.out(), *rows.plan().result, formats);
  const std::uint64_t count = forward ? co_await go_forward(state, rows, *forward, !move)
                                      : co_await scroll(state, portal, command.fetch);
  send_complete(state.out(), fmt::format("{} {}", move ? "MOVE" : "FETCH", count));
  co_return Outcome{};
}

// ------------------------------------------------------------ FETCH from a portal of the protocol

[[noreturn]] void refuse_portal() {
  throw make_error(ErrorId::unsupported_statement, "FETCH from such a portal of the extended protocol",
                   "Use Execute with a row limit.");
}

/// Bound where its rows are, at its begin, as a server's portal is from its Bind on.
net::Task<void> open_portal(SessionState& state, Portal& portal) {
  Statement& statement = *portal.statement;
  if (statement.shape.blank() || portal.executed) refuse_portal();
  co_await ensure_plan(state, statement);
  (void)co_await ensure_description(state, statement);
  tell_columns(statement);
  Execution query;
  fill_execution(portal, query);
  if (query.plan->plan->session) refuse_portal();
  const router::ShardSet shards = co_await find_shards(state, query);
  portal.state.server_name = fmt::format("anabranch_p{}", state.next_portal++);
  if (query.plan->plan->kind == PlanKind::relay) {
    query.open_only = true;
    (void)co_await run_relay(state, query, shards.empty() ? state.default_shard() : *shards.begin());
  } else if (query.plan->plan->kind == PlanKind::gather) {
    portal.state.merged = co_await MergedPortal::gather(state, query, query.result_formats);
  } else if (can_be_merged_portal(*query.plan->plan)) {
    const auto refill = MergedPortal::Refill::execute;
    portal.state.merged = co_await MergedPortal::open(state, query, portal.state.server_name, refill);
  } else {
    refuse_portal();
  }
}

std::string count_text(std::int64_t count) {
  return count == std::numeric_limits<std::int64_t>::max() ? "ALL" : std::to_string(count);
}

/// The command for the portal as the shard calls it.
std::string renamed(const FetchRange& fetch, std::string_view name) {
  using To = FetchRange::To;
  std::string way;
  switch (fetch.to) {
    case To::forward: way = "FORWARD " + count_text(fetch.count); break;
    case To::backward: way = "BACKWARD " + count_text(fetch.count); break;
    case To::absolute: way = fmt::format("ABSOLUTE {}", fetch.count); break;
    case To::relative: way = fmt::format("RELATIVE {}", fetch.count); break;
  }
  return fmt::format("{} {} FROM {}", fetch.move ? "MOVE" : "FETCH", way, backends::quote_identifier(name));
}

net::Task<Outcome> fetch_renamed(SessionState& state, Execution& execution, const Portal& portal) {
  Statement command;
  command.text = renamed(execution.plan->plan->session->fetch, portal.state.server_name);
  command.reading_key = state.reading_key;
  Statement* const before = std::exchange(execution.statement, &command);
  std::exception_ptr failure;
  Outcome outcome;
  try {
    outcome = co_await run_relay(state, execution, portal.state.shard);
  } catch (...) {
    failure = std::current_exception();
  }
  execution.statement = before;
  if (failure) std::rethrow_exception(failure);
  co_return outcome;
}

net::Task<Outcome> fetch_from_portal(SessionState& state, Execution& execution, Portal& portal) {
  if (portal.failed) {
    throw values::SqlError("55000", fmt::format("portal \"{}\" cannot be run", execution.plan->plan->session->name));
  }
  if (portal.state.buffered != nullptr) refuse_portal();
  if (portal.state.merged == nullptr && !portal.state.open) co_await open_portal(state, portal);
  if (portal.state.merged == nullptr) co_return co_await fetch_renamed(state, execution, portal);
  co_return co_await fetch_merged(state, execution, portal);
}

net::Task<Outcome> fetch(SessionState& state, Execution& execution) {
  const std::shared_ptr<Portal> portal = find(state, execution.plan->plan->session->name);
  if (portal == nullptr || (portal->cursor && portal->cursor->shard)) {
    return run_relay(state, execution, shard_of(state, portal.get()));
  }
  return portal->cursor ? fetch_merged(state, execution, *portal) : fetch_from_portal(state, execution, *portal);
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
  close_on_shards(state, name, *portal);
  state.portals.erase(name);
  send_complete(state.out(), "CLOSE CURSOR");
  co_return Outcome{};
}

}  // namespace

bool wants_hold(const Portal& portal) { return portal.cursor && portal.cursor->hold && !portal.cursor->held; }

net::Task<void> prepare_hold(SessionState& state, Portal& portal) {
  if (portal.state.merged == nullptr) co_return;
  MergedPortal& rows = *portal.state.merged;
  const net::pg::Formats binary{1};
  // In what format it will be fetched is not known where nothing has been yet.
  if (!rows.has_formats()) rows.set_formats(state, portal.cursor->binary ? binary.list() : net::pg::FormatList());
  // One that failed stays so: a savepoint had the transaction go on.
  if (!portal.cursor->scroll && !rows.failed()) co_await read_to_end(state, portal);
}

void hold(Portal& portal) {
  portal.cursor->held = true;
  portal.level = 0;
}

void close_on_shards(SessionState& state, std::string_view name, Portal& portal) noexcept {
  if (portal.cursor && portal.cursor->shard) {
    auto* member = state.transaction.find(*portal.cursor->shard);
    if (member != nullptr && !member->lease->broken()) send_close_portal(member->lease, name);
    return;
  }
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
  } else if (portal != nullptr && !portal->cursor) {
    const CachedPlanPtr& plan = portal->statement->plan;
    if (plan != nullptr && plan->description) description.columns = plan->description->columns;
  } else if (state.transaction.find(shard_of(state, portal.get())) != nullptr) {
    co_return co_await describe_on_shard(state, shard_of(state, portal.get()), statement);
  }
  co_return description;
}

}  // namespace anabranch::proxy
