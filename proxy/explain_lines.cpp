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
                         kind == rewriter::PlanKind::gather ||
                         kind == rewriter::PlanKind::split || kind == rewriter::PlanKind::broadcast;
  if (on_shards) co_await look_up_keys(state, inner);
  if (on_shards && inner.plan->plan->on_one_shard) explained.bound.shards = rewriter::route(bind_request(state, inner), nullptr);
  // One for several is made then.
  if (on_shards && explained.bound.shards.size() <= 1) explained.bound = rewriter::bind(bind_request(state, inner));
  co_return explained;
}

/// A relay that turns out to need several shards is explained as what would then run.
net::Task<Explained> explain_plan(SessionState& state, Execution& execution) {
  Explained explained = co_await bind_explained(state, execution);
  if (!rewriter::is_for_one_shard(*explained.plan->plan) || explained.bound.shards.size() <= 1) {
    co_return explained;
  }
  CachedPlanPtr several = co_await make_plan(state, *execution.statement, true);
  if (!several->plan->explained) co_return explained;
  execution.plan = several;
  co_return co_await bind_explained(state, execution);
}

/// What a shard's own EXPLAIN says of its subquery, as lines.
net::Task<std::vector<std::string>> ask_shard(SessionState& state, std::string explain, std::string subquery,
                                              backends::Lease& lease) {
  const Running running(state, lease);
  auto answer = co_await backends::run_command(lease, fmt::format("{} {}", explain, subquery));
  if (!answer) throw backends::ServerError(answer.error(), lease.shard(), lease.shard_name());
  std::vector<std::string> lines{fmt::format("plan of shard {}:", lease.shard_name())};
  for (auto& row : answer->rows) lines.push_back("  " + row.at(0).value_or(""));
  co_return lines;
}

/// EXPLAIN and its options, as a shard is asked.
std::string explain_command(const rewriter::Plan::Explain& explain) {
  if (!explain.analyze) return "EXPLAIN " + explain.options;
  if (explain.options.empty()) return "EXPLAIN (ANALYZE)";
  return "EXPLAIN (ANALYZE, " + explain.options.substr(1);
}

/// Of the first shard asked; with ANALYZE of all, which carry their subqueries out at once.
net::Task<std::vector<std::string>> shard_plans(SessionState& state, const Execution& execution,
                                                const Explained& explained) {
  const rewriter::Plan::Explain& explain = *execution.plan->plan->explained;
  std::vector<ShardLease> leases;
  std::vector<std::string> subqueries;
  for (const std::uint32_t shard : explained.bound.shards) {
    std::string sql = execution.statement->text.substr(explain.offset);
    for (const auto& query : explained.bound.queries) {
      if (query.shard == static_cast<int>(shard)) sql = query.sql;
    }
    leases.push_back(co_await ShardLease::take(state, shard));
    subqueries.push_back(std::move(sql));
    if (explain.analyze) {
      note_sequences(state, *explained.plan->plan, *leases.back());
    } else {
      break;
    }
  }
  std::vector<net::Task<std::vector<std::string>>> asking;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    asking.push_back(ask_shard(state, explain_command(explain), std::move(subqueries[i]), *leases[i]));
  }
  std::vector<std::string> lines;
  for (auto& of_shard : co_await net::when_all(std::move(asking))) {
    for (auto& line : of_shard) lines.push_back(std::move(line));
  }
  co_return lines;
}

/// What ANALYZE would have to carry out, and cannot.
void check_analyze(const Execution& execution, const rewriter::Plan& inner) {
  const auto refuse = [](std::string_view clause, std::string_view reason, std::string_view hint) {
    throw values::make_error(values::ErrorId::unsupported_clause, clause, reason, hint);
  };
  if (inner.effect != rewriter::Effect::none && inner.effect != rewriter::Effect::reads) {
    refuse("EXPLAIN ANALYZE of a statement that writes", "it would write on its shards, and not by this session's rules",
           "Use EXPLAIN without ANALYZE.");
  }
  if (inner.residue != rewriter::Residue::none) {
    refuse("EXPLAIN ANALYZE of functions that concern the session", "what they leave would be on a connection of others",
           "Use EXPLAIN without ANALYZE.");
  }
  if (execution.parameters.size() > 0) {
    refuse("EXPLAIN ANALYZE with parameters", "the shards' EXPLAIN is run without them",
           "Write the values into the statement.");
  }
}

bool shards_can_explain(rewriter::PlanKind kind, const rewriter::Plan& plan) {
  using enum rewriter::PlanKind;
  return (kind == relay || kind == scatter || kind == gather || kind == broadcast || kind == split) &&
         plan.effect != rewriter::Effect::ddl && !plan.copy && plan.feeds.empty() && !answers_first(plan);
}

}  // namespace

net::Task<std::vector<std::string>> explain_lines(SessionState& state, Execution& execution,
                                                  bool with_shard_plan) {
  const Explained explained = co_await explain_plan(state, execution);
  const rewriter::Plan& inner = *explained.plan->plan;
  if (execution.plan->plan->explained->analyze) check_analyze(execution, inner);
  std::vector<std::string> lines = rewriter::explain(inner, explained.bound, *state.db->map);
  if (with_shard_plan && execution.parameters.size() == 0 && shards_can_explain(inner.kind, inner)) {
    for (auto& line : co_await shard_plans(state, execution, explained)) lines.push_back(std::move(line));
  }
  co_return lines;
}

}  // namespace anabranch::proxy
