#include "backends/mysql_exchange.h"
#include "proxy/mysql/diagnostics.h"
#include "proxy/mysql/named_statements.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/sharded.h"
#include "proxy/mysql/statements.h"
#include "values/ascii.h"

/// PREPARE, EXECUTE and DEALLOCATE PREPARE as statements.
namespace anabranch::proxy::mysql {

using Reply = net::mysql::ResultReader::Reply;
using rewriter::PlanKind;
using rewriter::SessionAction;

net::Task<bool> Sharded::run_named(const Request& command) {
  switch (command.plan->plan->session->action) {
    case SessionAction::prepare: co_return co_await prepare_named(command);
    case SessionAction::execute: co_return co_await execute_named(command);
    case SessionAction::execute_immediate: co_return co_await execute_immediate(command);
    default: co_return co_await deallocate_named(command);
  }
}

/// The statement with its plan. Throws the server's error, where it has one. Null: it is for the server to refuse.
net::Task<std::unique_ptr<Statement>> Sharded::plan_source(const rewriter::Plan& command) {
  auto made = std::make_unique<Statement>();
  set_text(*made, co_await source_text(state_, command), state_.planning.mysql);
  if (made->shape.blank() || split_statements(made->text, state_.planning.mysql).size() > 1) {
    // Servers have a word on both.
    co_await check_by_server(made->text);
    throw server_error(1065, "42000", "Query was empty");
  }
  co_await take_plan(*made);
  const rewriter::Plan& plan = *made->plan->plan;
  if (plan.kind == PlanKind::refuse && !plan.needs_values) co_await refuse(*made, made->plan);
  const auto& session = made->plan->plan->session;
  if (session && is_named_command(session->action)) {
    throw server_error(1295, "HY000", "This command is not supported in the prepared statement protocol yet");
  }
  co_return made;
}

net::Task<bool> Sharded::prepare_named(const Request& command) {
  const rewriter::Plan& plan = *command.plan->plan;
  const std::string name = values::lower_case(plan.session->name);
  // Whatever becomes of the new one, the old one is gone.
  if (const auto old = named_.find(name); old != named_.end()) {
    (void)co_await deallocate_named_on_shards(state_, old->second, name);
    named_.erase(old);
  }
  NamedStatement made;
  made.statement = co_await plan_source(plan);
  made.parameters = count_parameters(made.statement->text, state_.planning.mysql);
  const rewriter::Plan& inner = *made.statement->plan->plan;
  const bool fixed = inner.routing.mode == rewriter::Routing::Mode::one_shard;
  std::uint32_t shard = fixed ? static_cast<std::uint32_t>(inner.routing.shard) : state_.default_shard();
  if (looks_back(inner)) shard = state_.last.value_or(shard);
  auto* member = co_await state_.attach(shard);
  backends::write_command(member->lease,
                          net::mysql::ComQuery{prepare_sql(name, made.statement->text, state_.planning.mysql)});
  const ReplyEnd end = co_await pass_reply(state_, member->lease, Reply::text);
  state_.counts = State::Counts{end.failed ? -1 : 0, state_.found_before()};
  if (end.failed || end.warnings > 0) {
    state_.note_diagnostics(shard);
  } else if (forgets_diagnostics(inner)) {
    state_.forget_diagnostics();
  }
  if (end.failed) co_return false;
  note_prepared(made, *member);
  named_.insert_or_assign(name, std::move(made));
  co_return true;
}

net::Task<bool> Sharded::execute_named(const Request& command) {
  const rewriter::SessionPlan& plan = *command.plan->plan->session;
  NamedStatement& named = find_named(named_, plan.name, "EXECUTE");
  if (plan.arguments.size() != named.parameters) throw server_error(1210, "HY000", "Incorrect arguments to EXECUTE");
  co_await take_plan(*named.statement);
  const SqlCall call{command.statement->text, &named, values::lower_case(plan.name)};
  co_return co_await run_called(command, *named.statement, call);
}

net::Task<bool> Sharded::execute_immediate(const Request& command) {
  const auto statement = co_await plan_source(*command.plan->plan);
  const std::size_t parameters = count_parameters(statement->text, state_.planning.mysql);
  if (command.plan->plan->session->arguments.size() != parameters) {
    throw server_error(1210, "HY000", "Incorrect arguments to EXECUTE");
  }
  const SqlCall call{command.statement->text, nullptr, {}};
  co_return co_await run_called(command, *statement, call);
}

net::Task<bool> Sharded::run_called(const Request& command, Statement& statement, const SqlCall& call) {
  Request request;
  request.statement = &statement;
  request.plan = statement.plan;
  request.call = &call;
  const rewriter::Plan& plan = *statement.plan->plan;
  if (plan.session && !command.plan->plan->session->arguments.empty()) {
    throw values::make_error(values::ErrorId::unsupported_statement, "EXECUTE of " + plan.command + " with arguments",
                             "Send it as a text.");
  }
  // A shard that is sure takes the arguments as they are.
  const bool sure = plan.kind == PlanKind::relay && plan.routing.mode == rewriter::Routing::Mode::one_shard;
  ComputedArguments arguments;
  if (!sure) co_await arguments.compute(state_, *command.plan->plan);
  request.values = arguments.values();
  co_return co_await run(request);
}

net::Task<bool> Sharded::deallocate_named(const Request& command) {
  const std::string& name = command.plan->plan->session->name;
  NamedStatement& named = find_named(named_, name, "DEALLOCATE PREPARE");
  const std::string told = co_await deallocate_named_on_shards(state_, named, values::lower_case(name));
  named_.erase(values::lower_case(name));
  state_.note_quiet();
  send_state(state_, told);
  co_return true;
}

}  // namespace anabranch::proxy::mysql
