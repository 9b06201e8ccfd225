#include "proxy/prepared.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "backends/exchange.h"
#include "net/pg/messages.h"
#include "proxy/execute.h"
#include "proxy/leases.h"
#include "proxy/planning.h"
#include "proxy/replies.h"
#include "proxy/shard_request.h"
#include "proxy/type_identity.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using rewriter::SessionPlan;
using values::ErrorId;
using values::make_error;
using values::Oid;

// ------------------------------------------------------------------------------------------ PREPARE

net::Task<std::vector<Oid>> type_oids(SessionState& state, std::vector<std::string> names) {
  std::vector<Oid> types;
  if (names.empty()) co_return types;
  std::string sql = "SELECT ";
  for (const std::string& name : names) {
    if (!types.empty()) sql += ", ";
    sql += backends::quote_literal(name) + "::pg_catalog.regtype::pg_catalog.oid";
    types.push_back(0);
  }
  ShardLease taken = co_await ShardLease::take(state, state.default_shard());
  backends::Lease& lease = *taken;
  const Running running(state, lease);
  auto answer = co_await backends::run_command(lease, std::move(sql));
  if (!answer) {
    // Its context speaks of our own question.
    net::pg::ErrorFields fields = std::move(answer.error());
    fields.remove('P');
    throw backends::ServerError(std::move(fields), lease.shard(), lease.shard_name());
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string& oid = answer->rows.at(0).at(i).value();
    std::from_chars(oid.data(), oid.data() + oid.size(), types[i]);
  }
  co_return types;
}

// ------------------------------------------------------------------------------------------ EXECUTE

std::shared_ptr<Statement> find_prepared(SessionState& state, const std::string& name) {
  const auto found = state.statements.find(name);
  if (found == state.statements.end() || name.empty()) throw make_error(ErrorId::no_such_prepared_statement, name);
  const std::shared_ptr<Statement>& statement = found->second;
  if (statement->shape.blank()) {
    throw make_error(ErrorId::unsupported_statement, "EXECUTE of an empty statement", "");
  }
  return statement;
}

/// Types whose text depends on settings, or may lose something: these travel in binary.
bool travels_in_binary(Oid type) {
  static constexpr auto types =
      std::to_array<Oid>({700, 701, 790, 791, 1021, 1022, 1082, 1083, 1114, 1115, 1182, 1183, 1184, 1185, 1186, 1187,
                          1266, 1270});
  return std::ranges::binary_search(types, type);
}

/// A constant that the type's input function reads as the server would read the argument.
bool goes_as_it_is(const SessionPlan::Argument& argument, Oid type) {
  using Kind = SessionPlan::Argument::Kind;
  static constexpr auto of_strings = std::to_array<Oid>({16, 17, 20, 21, 23, 25, 1042, 1043, 1700, 2950});
  static constexpr auto of_integers = std::to_array<Oid>({20, 23, 1700});
  switch (argument.kind) {
    case Kind::null: return true;
    case Kind::string: return std::ranges::binary_search(of_strings, type);
    case Kind::integer: return std::ranges::binary_search(of_integers, type);
    case Kind::expression: return false;
  }
  return false;
}

using Row = std::vector<std::optional<std::string>>;

/// Has the server compute the arguments: a statement that gives its parameters back is prepared under
/// the client's name, and the client's own EXECUTE is run.
void send_evaluation(const DatabaseState& db, backends::Lease& lease, std::string_view name, std::string_view text,
                     const std::vector<Oid>& types) {
  std::string select = "SELECT ";
  net::pg::Oids oids;
  net::pg::Formats formats;
  for (std::size_t i = 0; i < types.size(); ++i) {
    select += fmt::format("{}${}", i == 0 ? "" : ", ", i + 1);
    oids.add(type_on(db, lease.shard(), types[i]));
    formats.add(travels_in_binary(types[i]) ? 1 : 0);
  }
  net::Buffer& out = lease->socket().out();
  net::pg::Parse{name, select, oids.list()}.encode(out);
  net::pg::Parse{{}, text, {}}.encode(out);
  net::pg::Bind{{}, {}, {}, {}, formats.list()}.encode(out);
  net::pg::Execute{{}, 0}.encode(out);
  backends::send_sync(lease);
  net::pg::Close{'S', name}.encode(out);
  backends::send_sync(lease);
}

net::Task<Row> evaluate_arguments(SessionState& state, std::string name, std::string_view text,
                                  const std::vector<Oid>& types) {
  ShardLease taken = co_await ShardLease::take_to_evaluate(state);
  backends::Lease& lease = *taken;
  const Running running(state, lease);
  send_evaluation(*state.db, lease, name, text, types);
  backends::ReplyStream replies(lease);
  Row values;
  const auto take = [&](const backends::Reply& reply) {
    if (reply.kind == backends::Reply::Kind::rows) values = backends::texts_of(replies.rows.row(0));
  };
  auto failure = co_await backends::read_to_end(lease, replies, take);
  if (failure) throw backends::ServerError(std::move(*failure), lease.shard(), lease.shard_name());
  co_return values;
}

void check_count(const SessionPlan& command, std::size_t wanted) {
  if (command.arguments.size() == wanted) return;
  values::SqlError error("42601",
                         fmt::format("wrong number of parameters for prepared statement \"{}\"", command.name));
  error.detail = fmt::format("Expected {} parameters but got {}.", wanted, command.arguments.size());
  throw error;
}

/// Control of the session and statements about other statements have no rows to give.
void check_callable(const rewriter::Plan& plan) {
  if (plan.kind != rewriter::PlanKind::session || plan.session->action == rewriter::SessionAction::show) return;
  throw make_error(ErrorId::unsupported_statement, "EXECUTE of " + plan.command, "Send the statement itself.");
}

}  // namespace

net::Task<void> prepare(SessionState& state, const Statement& outer, const SessionPlan& command) {
  auto statement = std::make_shared<Statement>();
  statement->parameter_types = co_await type_oids(state, command.types);
  statement->named = true;
  co_await plan_inner_statement(state, outer, command.offset, *statement);
  if (state.statements.contains(command.name)) throw make_error(ErrorId::duplicate_prepared_statement, command.name);
  state.statements.emplace(command.name, std::move(statement));
  send_complete(state.out(), "PREPARE");
}

void deallocate(SessionState& state, const SessionPlan& command) {
  if (command.name.empty()) {
    state.deallocate_all();
    send_complete(state.out(), "DEALLOCATE ALL");
    return;
  }
  const auto found = state.statements.find(command.name);
  if (found == state.statements.end()) throw make_error(ErrorId::no_such_prepared_statement, command.name);
  state.statements.erase(found);
  send_complete(state.out(), "DEALLOCATE");
}

net::Task<void> look_up_call(SessionState& state, const Execution& execution, std::string_view text,
                             PreparedCall& call) {
  check_not_failed(state, *execution.plan->plan);
  const SessionPlan& command = *execution.plan->plan->session;
  call.statement = find_prepared(state, command.name);
  co_await ensure_plan(state, *call.statement);
  check_callable(*call.statement->plan->plan);
  const std::vector<Oid> types = (co_await ensure_description(state, *call.statement))->parameters;
  tell_columns(*call.statement);
  check_count(command, types.size());
  bool computed = false;
  for (std::size_t i = 0; i < types.size(); ++i) computed = computed || !goes_as_it_is(command.arguments[i], types[i]);
  Row values;
  if (computed) values = co_await evaluate_arguments(state, command.name, text, types);
  if (computed && values.size() != types.size()) throw make_error(ErrorId::internal, "EXECUTE lost its arguments");
  for (std::size_t i = 0; i < types.size(); ++i) {
    const SessionPlan::Argument& argument = command.arguments[i];
    const bool null = computed ? !values[i] : argument.kind == SessionPlan::Argument::Kind::null;
    const std::string& value = computed && values[i] ? *values[i] : argument.text;
    call.fields.add(null ? net::pg::Field() : net::pg::Field(value));
    call.formats.add(computed && travels_in_binary(types[i]) ? 1 : 0);
  }
}

void fill_from_call(PreparedCall& call, Execution& execution) {
  Statement& statement = *call.statement;
  execution.statement = &statement;
  execution.plan = statement.plan;
  execution.bound = true;
  execution.parameter_formats = call.formats.list();
  execution.parameters = call.fields.list();
  if (execution.portal == nullptr) execution.portal = &call.portal;
  type_values(execution.parameters, execution.parameter_formats, statement.plan->description->parameters, call.values);
  execution.values = call.values;
}

}  // namespace anabranch::proxy
