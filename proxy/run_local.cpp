#include "proxy/execute.h"
#include "proxy/explain_lines.h"
#include "proxy/replies.h"

/// What the proxy answers itself: EXPLAIN of its plans.
namespace anabranch::proxy {

namespace {

void send_rows(SessionState& state, const Execution& execution, const rewriter::LocalPlan& local) {
  if (execution.simple) send_row_description(state.out(), local.columns, {});
  for (const auto& row : local.rows) send_text_row(state.out(), row);
  send_complete(state.out(), local.tag);
}

net::Task<void> explain(SessionState& state, Execution& execution) {
  const std::vector<std::string> lines = co_await explain_lines(state, execution, true);
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
