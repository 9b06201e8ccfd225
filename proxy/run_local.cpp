#include "proxy/execute.h"
#include "proxy/explain_lines.h"
#include "proxy/prepared.h"
#include "proxy/replies.h"

/// What the proxy answers itself: EXPLAIN of its plans.
namespace anabranch::proxy {

namespace {

void send_rows(SessionState& state, const Execution& execution, const rewriter::LocalPlan& local) {
  if (execution.simple) send_row_description(state.out(), local.columns, {});
  for (const auto& row : local.rows) send_text_row(state.out(), row);
  send_complete(state.out(), local.tag);
}

/// EXPLAIN EXECUTE: of the prepared statement with these arguments.
net::Task<std::vector<std::string>> explain_call(SessionState& state, const Execution& execution) {
  const rewriter::Plan::Explain& explained = *execution.plan->plan->explained;
  Execution inner = execution;
  inner.plan = std::make_shared<CachedPlan>();
  inner.plan->plan = explained.plan;
  PreparedCall call;
  const std::string text = execution.statement->text.substr(explained.offset);
  co_await look_up_call(state, inner, text, call);
  fill_from_call(call, inner);
  (void)co_await find_shards(state, inner);
  auto whole = std::make_shared<rewriter::Plan>();
  whole->kind = rewriter::PlanKind::local;
  whole->explained = explained;
  whole->explained->plan = inner.plan->plan;
  whole->explained->offset = 0;
  inner.plan = std::make_shared<CachedPlan>();
  inner.plan->plan = std::move(whole);
  co_return co_await explain_lines(state, inner, true);
}

net::Task<void> explain(SessionState& state, Execution& execution) {
  const bool call = executes_prepared(*execution.plan->plan->explained->plan);
  std::vector<std::string> lines;
  if (call) {
    lines = co_await explain_call(state, execution);
  } else {
    lines = co_await explain_lines(state, execution, true);
  }
  if (execution.simple) {
    const rewriter::ResultColumn column{"QUERY PLAN", 0, 0, 25, -1, -1};
    send_row_description(state.out(), {&column, 1}, {});
  }
  for (const std::string& line : lines) {
    const std::optional<std::string> field(line);
    send_text_row(state.out(), {&field, 1});
  }
  send_complete(state.out(), "EXPLAIN");
}

}  // namespace

net::Task<Outcome> run_local(SessionState& state, Execution& execution) {
  const rewriter::Plan& plan = *execution.plan->plan;
  if (plan.explained) {
    co_await explain(state, execution);
  } else {
    send_rows(state, execution, *plan.local);
  }
  co_return Outcome{};
}

}  // namespace anabranch::proxy
