#include <fmt/format.h>

#include "net/pg/stream.h"
#include "proxy/cursor.h"
#include "proxy/planning.h"
#include "proxy/portal.h"
#include "proxy/prepared.h"
#include "proxy/replies.h"
#include "proxy/session.h"
#include "proxy/transaction_end.h"
#include "values/errors.h"

/// The extended query protocol: Parse, Bind, Describe, Execute, Close, Flush, Sync. Parse and Bind
/// are answered here; a shard first hears of a statement with its Execute.
namespace anabranch::proxy {

namespace {

using values::ErrorId;
using values::make_error;

template <typename M>
M decoded(std::string_view payload) {
  auto message = M::decode(payload);
  if (!message) throw make_error(ErrorId::protocol_violation, message.error().message);
  return std::move(*message);
}

}  // namespace

/// No coroutine itself, as Session::handle().
net::Task<void> Session::extended(const net::pg::Message& message) {
  switch (message.type) {
    case 'P': return parse(message.payload);
    case 'B': return bind(message.payload);
    case 'D': return describe(message.payload);
    case 'E': return execute_portal(message.payload);
    case 'C': close(message.payload); return {};
    default: return flush();
  }
}

net::Task<void> Session::flush() {
  if (const auto sent = co_await state_.client.flush(); !sent) throw ClientGone{sent.error().message};
}

namespace {

template <typename Map>
typename Map::node_type new_node(const Map&, std::string_view name) {
  Map one;
  one.try_emplace(std::string(name));
  return one.extract(one.begin());
}

/// The one statement of a Parse message; empty: none.
std::string_view parsed_text(std::string_view sql, bool standard_conforming_strings) {
  if (const auto only = rewriter::only_statement(sql)) return *only;
  const auto spans = rewriter::split_statements(sql, standard_conforming_strings);
  if (spans.empty()) return {};
  if (spans.size() == 1) return sql.substr(spans[0].offset, spans[0].length);
  throw values::SqlError("42601", "cannot insert multiple commands into a prepared statement");
}

}  // namespace

/// The statement to parse into. What was unnamed is gone from now on, also if this Parse fails; its
/// buffers serve again unless a portal still has it.
SessionState::Statements::node_type Session::new_statement(std::string_view name) {
  auto node = name.empty() ? state_.statements.extract(std::string()) : SessionState::Statements::node_type();
  if (node.empty()) {
    node = new_node(state_.statements, name);
  } else if (node.mapped().use_count() == 1) {
    node.mapped()->parameter_types.clear();
    return node;
  }
  node.mapped() = std::make_shared<Statement>();
  return node;
}

/// No coroutine itself where the plan is known, as bind() and describe().
net::Task<void> Session::parse(std::string_view payload) {
  begin_statement();
  const auto message = decoded<net::pg::Parse>(payload);
  const std::string_view name = message.statement;
  if (!name.empty() && state_.statements.contains(name)) throw make_error(ErrorId::duplicate_prepared_statement, name);
  auto node = new_statement(name);
  Statement& statement = *node.mapped();
  for (std::size_t i = 0; i < message.parameter_types.size(); ++i) {
    statement.parameter_types.push_back(message.parameter_types[i]);
  }
  set_text(state_, statement, parsed_text(message.sql, state_.planning.standard_conforming_strings));
  if (!statement.shape.blank()) {
    statement.named = !name.empty();
    read_now(state_, statement);
    statement.planned_key = state_.planning_key;
    if (!take_cached_plan(state_, statement) || !statement.plan->description) return plan_parsed(std::move(node));
  }
  finish_parse(std::move(node));
  return {};
}

net::Task<void> Session::plan_parsed(SessionState::Statements::node_type node) {
  Statement& statement = *node.mapped();
  co_await ensure_plan(state_, statement);
  check_not_failed(state_, *statement.plan->plan);
  (void)co_await ensure_description(state_, statement);
  finish_parse(std::move(node));
}

void Session::finish_parse(SessionState::Statements::node_type node) {
  Statement& statement = *node.mapped();
  if (!statement.shape.blank()) {
    check_not_failed(state_, *statement.plan->plan);
    tell_columns(statement);
  }
  state_.statements.insert(std::move(node));
  net::pg::ParseComplete{}.encode(state_.out());
}

std::shared_ptr<Statement>& Session::find_statement(std::string_view name) {
  const auto found = state_.statements.find(name);
  if (found != state_.statements.end()) return found->second;
  if (name.empty()) throw values::SqlError("26000", "unnamed prepared statement does not exist");
  throw make_error(ErrorId::no_such_prepared_statement, name);
}

const std::shared_ptr<Portal>& Session::find_portal(std::string_view name) {
  const auto found = state_.portals.find(name);
  if (found == state_.portals.end()) throw make_error(ErrorId::no_such_portal, name);
  return found->second;
}

void Session::retire_unnamed_portal() {
  const auto unnamed = state_.portals.find(std::string_view());
  if (unnamed == state_.portals.end()) return;
  if (state_.explicit_transaction()) close_on_shards(state_, {}, *unnamed->second);
  spare_portal_ = state_.portals.extract(unnamed);
  Portal& spare = *spare_portal_.mapped();
  spare.statement = nullptr;
  spare.state = {};
  spare.call = nullptr;
  spare.cursor.reset();
  if (spare.payload.capacity() > kept_bytes) spare_portal_ = {};
}

void Session::drop_portals() {
  retire_unnamed_portal();
  state_.end_portals();
}

SessionState::Portals::node_type Session::new_portal() {
  auto node = spare_portal_.empty() ? new_node(state_.portals, {}) : std::move(spare_portal_);
  if (node.mapped() == nullptr) node.mapped() = std::make_shared<Portal>();
  Portal& portal = *node.mapped();
  portal.executed = portal.failed = false;
  portal.level = state_.locals_at.size();
  return node;
}

/// No coroutine itself, unless the statement's plan is not of now.
net::Task<void> Session::bind(std::string_view payload) {
  if (state_.transaction.state() == backends::TransactionState::none) state_.renew_database();
  // The portal's name comes first.
  if (payload.starts_with('\0')) retire_unnamed_portal();
  auto node = new_portal();
  const std::shared_ptr<Portal>& portal = node.mapped();
  portal->payload = payload;
  portal->bind = decoded<net::pg::Bind>(portal->payload);
  portal->statement = find_statement(portal->bind.statement);
  Statement& statement = *portal->statement;
  if (statement.shape.blank() || (plan_is_current(state_, statement) && statement.told == statement.plan)) {
    finish_bind(std::move(node));
    return {};
  }
  return bind_anew(std::move(node));
}

net::Task<void> Session::bind_anew(SessionState::Portals::node_type node) {
  Statement& statement = *node.mapped()->statement;
  check_not_failed(state_, *statement.plan->plan);
  co_await ensure_plan(state_, statement);
  (void)co_await ensure_description(state_, statement);
  tell_columns(statement);
  finish_bind(std::move(node));
}

namespace {

void check_parameters(const net::pg::Bind& bind, std::size_t wanted) {
  const std::size_t formats = bind.parameter_formats.size();
  const std::size_t given = bind.parameters.size();
  if (formats > 1 && formats != given) {
    throw make_error(ErrorId::protocol_violation,
                     fmt::format("bind message has {} parameter formats but {} parameters", formats, given));
  }
  if (given != wanted) {
    throw make_error(ErrorId::protocol_violation,
                     fmt::format("bind message supplies {} parameters, but prepared statement \"{}\" requires {}",
                                 given, bind.statement, wanted));
  }
}

}  // namespace

void Session::finish_bind(SessionState::Portals::node_type node) {
  const std::shared_ptr<Portal>& portal = node.mapped();
  CachedPlan* plan = portal->statement->plan.get();
  if (plan != nullptr) {
    if (plan->description) check_parameters(portal->bind, plan->description->parameters.size());
    check_not_failed(state_, *plan->plan);
    // What these describe depends on what their names stand for now.
    if (concerns_cursor(*plan->plan) || executes_prepared(*plan->plan)) plan->description.reset();
  }
  const std::string_view name = portal->bind.portal;
  if (!name.empty() && state_.portals.contains(name)) throw make_error(ErrorId::duplicate_portal, name);
  node.key() = name;
  state_.portals.insert(std::move(node));
  net::pg::BindComplete{}.encode(state_.out());
}

net::Task<void> Session::describe(std::string_view payload) {
  const auto message = decoded<net::pg::Describe>(payload);
  const std::shared_ptr<Portal>* const portal = message.kind == 'P' ? &find_portal(message.name) : nullptr;
  const std::shared_ptr<Statement>& statement = portal ? (*portal)->statement : find_statement(message.name);
  const bool blank = statement->shape.blank();
  if (!blank && (!take_cached_plan(state_, *statement) || !statement->plan->description)) {
    return describe_anew(statement, portal ? *portal : nullptr);
  }
  answer_describe(*statement, portal ? portal->get() : nullptr);
  return {};
}

net::Task<void> Session::describe_anew(std::shared_ptr<Statement> statement, std::shared_ptr<Portal> portal) {
  co_await ensure_plan(state_, *statement);
  (void)co_await ensure_description(state_, *statement);
  answer_describe(*statement, portal.get());
}

void Session::answer_describe(Statement& statement, const Portal* portal) {
  const rewriter::Description* description = nullptr;
  if (!statement.shape.blank()) {
    description = &*statement.plan->description;
    tell_columns(statement);
  }
  if (portal == nullptr) {
    net::pg::Oids types;
    if (description != nullptr) {
      for (const values::Oid type : description->parameters) types.add(type);
    }
    net::pg::ParameterDescription{types.list()}.encode(state_.out());
  }
  if (description == nullptr || !description->columns) {
    net::pg::NoData{}.encode(state_.out());
    return;
  }
  send_row_description(state_.out(), *description->columns,
                       portal != nullptr ? portal->bind.result_formats : net::pg::FormatList());
}

/// What the client sends behind an Execute decides whether its statement stands alone. One byte
/// tells; the server need not answer before a Sync or Flush either.
net::Task<void> Session::wait_for_more() {
  while (state_.client.received().empty()) {
    const auto filled = co_await state_.client.fill();
    if (!filled) throw ClientGone{filled.error().message};
  }
}

/// EXECUTE: arguments are computed once, with the portal's first Execute.
net::Task<void> Session::fill_call(Portal& portal, Execution& execution) {
  if (portal.call == nullptr) {
    auto call = std::make_unique<PreparedCall>();
    co_await look_up_call(state_, execution, portal.statement->text, *call);
    portal.call = std::move(call);
  }
  fill_from_call(*portal.call, execution);
}

net::Task<void> Session::execute_portal(std::string_view payload) {
  const auto message = decoded<net::pg::Execute>(payload);
  const std::shared_ptr<Portal> held = find_portal(message.portal);
  Portal& portal = *held;
  if (state_.must_wait()) co_await wait_for_turn(state_, ended_);
  begin_statement();
  Statement& statement = *portal.statement;
  carried_out_ = &statement;
  if (statement.shape.blank()) {
    net::pg::EmptyQueryResponse{}.encode(state_.out());
    co_return;
  }
  if (statement.plan != nullptr) check_not_failed(state_, *statement.plan->plan);
  if (portal.failed) throw values::SqlError("55000", fmt::format("portal \"{}\" cannot be run", message.portal));
  if (portal.cursor) {
    throw make_error(ErrorId::unsupported_protocol_feature, "Execute of a cursor", "Use FETCH.");
  }
  if (portal.executed) {
    // A query's portal stays at its end; anything else runs once.
    const CachedPlan& plan = *statement.plan;
    const bool queries = plan.plan->command == "SELECT" || plan.plan->command == "EXECUTE" || plan.plan->command == "FETCH";
    if (queries && plan.description && plan.description->columns) {
      send_complete(state_.out(), "SELECT 0");
      co_return;
    }
    throw values::SqlError("55000", fmt::format("portal \"{}\" cannot be run", message.portal));
  }
  const std::int32_t row_limit = message.row_limit;
  if (!take_cached_plan(state_, statement)) co_await ensure_plan(state_, statement);
  if (!statement.plan->description) (void)co_await ensure_description(state_, statement);
  tell_columns(statement);
  Execution execution;
  fill_execution(portal, execution);
  if (executes_prepared(*execution.plan->plan)) co_await fill_call(portal, execution);
  execution.row_limit = std::max(row_limit, 0);
  if (state_.client.received().empty()) co_await wait_for_more();
  execution.standalone = state_.client.received().front() == 'S';
  const bool joins = joins_transaction(*execution.plan->plan) && !discards(*execution.plan->plan);
  if (!execution.standalone && joins && state_.transaction.state() == backends::TransactionState::none) {
    state_.transaction.begin_implicit();
  }
  const bool lasting = execution.row_limit > 0 && state_.transaction.state() != backends::TransactionState::none;
  if (lasting && portal.state.server_name.empty()) {
    portal.state.server_name = fmt::format("anabranch_p{}", state_.next_portal++);
  }
  portal.failed = true;  // until it has gone well
  const Outcome outcome = co_await execute(state_, execution);
  count_execution(state_, execution);
  portal.failed = false;
  portal.executed = !outcome.suspended;
}

void Session::close(std::string_view payload) {
  const auto message = decoded<net::pg::Close>(payload);
  if (message.kind == 'S') {
    const auto found = state_.statements.find(message.name);
    if (found != state_.statements.end()) state_.statements.erase(found);
  } else if (const auto found = state_.portals.find(message.name); found != state_.portals.end()) {
    close_on_shards(state_, message.name, *found->second);
    state_.portals.erase(found);
  }
  net::pg::CloseComplete{}.encode(state_.out());
}

void Session::end_sync() {
  if (!state_.explicit_transaction()) drop_portals();
  ready();
}

net::Task<void> Session::sync() {
  co_await end_statement_transaction(state_);
  end_sync();
}

}  // namespace anabranch::proxy
