#include "rewriter/fed_rows.h"

namespace anabranch::rewriter {

std::shared_ptr<const Plan> FedRows::plan(const tree::Statement& query) {
  auto plan = plan_query(query, false);
  if (plan != nullptr && plan->on_one_shard) return plan_query(query, true);
  if (plan == nullptr || plan->kind != PlanKind::relay) return plan;
  // Whether its keys lead to one shard is known when it runs; then it must not be another plan.
  if (plan->routing.mode == Routing::Mode::by_key) return plan_query(query, true);
  return as_rows(*plan, query);
}

std::shared_ptr<const Plan> FedRows::plan_query(const tree::Statement& query, bool several) {
  PlanRequest request = *planning_.request;
  request.parameter_types = planning_.plan->parameters;
  request.several = several;
  auto plan = steps_.plan(request, query, to_text(query, planning_.shape()));
  if (plan != nullptr) check(*plan);
  return plan;
}

void FedRows::check(const Plan& plan) {
  for (const int token : plan.pinned) planning_.pins.pin(token);
  if (plan.refusal) refuse(*plan.refusal, false);
  const bool only_reads = plan.effect == Effect::reads && plan.residue == Residue::none && !plan.advances_sequences;
  const bool merges = plan.kind == PlanKind::scatter || plan.kind == PlanKind::gather;
  if (only_reads && (plan.kind == PlanKind::relay || (merges && plan.recipe && plan.result))) return;
  refuse_clause(why_.clause, "the query does more than read them", why_.hint);
}

/// One shard's answer, to be taken as rows.
std::shared_ptr<const Plan> FedRows::as_rows(const Plan& relay, const tree::Statement& query) {
  auto plan = std::make_shared<Plan>(relay);
  if (!plan->described) {
    const Description* described = steps_.describe({to_text(query, planning_.shape()), planning_.plan->parameters});
    if (described == nullptr) return nullptr;
    plan->parameters = described->parameters;
    plan->result = described->columns;
    plan->described = true;
  }
  if (!plan->result) refuse_clause(why_.clause, "the query has no columns", "Select a column.");
  plan->kind = PlanKind::scatter;
  plan->subquery = with_holes(planning_.print(query));
  plan->recipe = rows_as_they_come(planning_, *plan->result);
  return plan;
}

}  // namespace anabranch::rewriter
