#include "backends/exchange.h"
#include "proxy/execute.h"
#include "values/errors.h"

/// Subqueries over several shards are answered, then the statement is carried out with their values.
namespace anabranch::proxy {

namespace {

using rewriter::BoundValue;
using rewriter::Plan;

net::Task<std::optional<std::string>> answer(SessionState& state, const Execution& execution, const std::shared_ptr<const Plan>& plan) {
  std::optional<std::string> value;
  std::size_t rows = 0;
  const RowTaker taker = [&](const merge::Batch& batch) -> net::Task<void> {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (++rows > 1) throw values::SqlError("21000", "more than one row returned by a subquery used as an expression");
      value = backends::texts_of(batch.row(i)).at(0);
    }
    co_return;
  };
  Execution query = part_of(execution, plan, taker, {});
  (void)co_await run_partials(state, query);
  co_return value;
}

/// A server answers a subquery only where a row asks for it, and may never come to this: too many rows, a division by
/// zero, what a function raises.
bool is_of_values(const values::SqlError& error) {
  const std::string_view state = error.sqlstate;
  return state.starts_with("21") || state.starts_with("22") || state.starts_with("P0");
}

}  // namespace

net::Task<std::optional<Outcome>> run_alone(SessionState& state, Execution& execution) {
  const CachedPlanPtr plain = execution.plan;
  if (!state.transaction.begin_one_moment()) co_return std::nullopt;
  execution.plan = std::make_shared<CachedPlan>(*plain);
  execution.plan->plan = plain->plan->alone;
  const Plan& plan = *execution.plan->plan;
  bool answered = true;
  try {
    co_await evaluate(state, execution);
    for (std::size_t i = 0; i < plan.evaluations.size(); ++i) {
      if (plan.evaluations[i].plan == nullptr) continue;
      execution.evaluated[i] = co_await answer(state, execution, plan.evaluations[i].plan);
      BoundValue& bound = execution.evaluations[i];
      bound.type = plan.evaluations[i].plan->result->front().type;
      if (execution.evaluated[i]) bound.bytes = *execution.evaluated[i];
    }
  } catch (const values::SqlError& error) {
    if (!is_of_values(error)) throw;
    answered = false;
  }
  if (answered) {
    co_return co_await (plan.kind == rewriter::PlanKind::gather ? run_gather(state, execution) : run_partials(state, execution));
  }
  co_await state.transaction.rollback();
  state.transaction.give_back();
  execution.plan = plain;
  co_return std::nullopt;
}

}  // namespace anabranch::proxy
