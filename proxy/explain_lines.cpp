#include "proxy/explain_lines.h"

#include <fmt/format.h>

#include "backends/exchange.h"
#include "proxy/execute.h"
#include "proxy/leases.h"
#include "proxy/planning.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

/// The explained plan bound: what each shard would be sent.
struct Explained {
  CachedPlanPtr plan;
  rewriter::BoundPlan bound;
};

net::Task<Explained> bind_explained(SessionState& state, Execution& execution) {
  Execution inner = execution;
  inner.plan = std::make_shared<CachedPlan>();
  inner.plan->plan = execution.plan->plan->explained->plan;
  co_await evaluate(state, inner);
  Explained explained{inner.plan, {}};
  const auto kind = inner.plan->plan->kind;
  const bool on_shards = kind == rewriter::PlanKind::relay || kind == rewriter::PlanKind::scatter ||
                         kind == rewriter::PlanKind::split || kind == rewriter::PlanKind::broadcast;
  if (on_shards) explained.bound = rewriter::bind(bind_request(state, inner));
  co_return explained;
}

/// A relay that turns out to need several shards is explained as what would then run.
net::Task<Explained> explain_plan(SessionState& state, Execution& execution) {
  Explained explained = co_await bind_explained(state, execution);
  if (explained.plan->plan->kind != rewriter::PlanKind::relay || explained.bound.shards.size() <= 1) {
    co_return explained;
  }
  CachedPlanPtr several = co_await make_plan(state, *execution.statement, true);
  if (!several->plan->explained) co_return explained;
  execution.plan = several;
  co_return co_await bind_explained(state, execution);
}

/// The first asked shard's own plan of its subquery, as lines.
net::Task<std::vector<std::string>> shard_plan(SessionState& state, const Execution& execution,
                                               const Explained& explained) {
  std::vector<std::string> lines;
  const rewriter::Plan::Explain& explain = *execution.plan->plan->explained;
  const bool parameters = execution.parameters.size() > 0;
  if (explained.bound.shards.empty() || explained.plan->plan->copy || parameters) co_return lines;
  const std::uint32_t shard = *explained.bound.shards.begin();
  std::string sql = execution.statement->text.substr(explain.offset);
  for (const auto& query : explained.bound.queries) {
    if (query.shard == static_cast<int>(shard)) sql = query.sql;
  }
  ShardLease taken = co_await ShardLease::take(state, shard);
  backends::Lease& lease = *taken;
  const Running running(state, lease);
  auto answer = co_await backends::run_command(lease, fmt::format("EXPLAIN {} {}", explain.options, sql));
  if (!answer) throw backends::ServerError(answer.error(), shard, lease.shard_name());
  lines.push_back(fmt::format("plan of shard {}:", lease.shard_name()));
  for (auto& row : answer->rows) lines.push_back("  " + row.at(0).value_or(""));
  co_return lines;
}

bool shards_can_explain(rewriter::PlanKind kind, const rewriter::Plan& plan) {
  using enum rewriter::PlanKind;
  return (kind == relay || kind == scatter || kind == broadcast || kind == split) &&
         plan.effect != rewriter::Effect::ddl && !plan.copy;
}

}  // namespace

net::Task<std::vector<std::string>> explain_lines(SessionState& state, Execution& execution,
                                                  bool with_shard_plan) {
  const bool analyze = execution.plan->plan->explained->analyze;
  const Explained explained = co_await explain_plan(state, execution);
  const rewriter::Plan& inner = *explained.plan->plan;
  if (analyze && inner.effect == rewriter::Effect::writes) {
    throw values::make_error(values::ErrorId::unsupported_clause, "EXPLAIN ANALYZE of a statement that writes",
                             "it would write on one shard only", "Use EXPLAIN without ANALYZE.");
  }
  std::vector<std::string> lines = rewriter::explain(inner, explained.bound, *state.db->map);
  if (with_shard_plan && shards_can_explain(inner.kind, inner)) {
    for (auto& line : co_await shard_plan(state, execution, explained)) lines.push_back(std::move(line));
  }
  co_return lines;
}

}  // namespace anabranch::proxy
