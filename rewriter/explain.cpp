#include <fmt/format.h>

#include <algorithm>

#include "rewriter/planner.h"
#include "rewriter/print.h"

/// A plan in words. Its first line is the kind; the golden plans and EXPLAIN print nothing else.
namespace anabranch::rewriter {
namespace {

std::string shards_line(const BoundPlan& bound, const router::ShardMap& map) {
  std::string names;
  for (const std::uint32_t shard : bound.shards) {
    names += (names.empty() ? "" : ", ") + map.shards()[shard].name;
  }
  std::string line =
      fmt::format("  shards: {} of {}", names.empty() ? "none" : names, map.shards().size());
  if (!bound.why.empty()) line += " (" + bound.why + ")";
  return line;
}

/// Each distinct text once, with the shards it goes to where there are several.
void add_queries(const BoundPlan& bound, const router::ShardMap& map,
                 std::vector<std::string>& lines) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const ShardQuery& query : bound.queries) {
    const std::string& shard = map.shards()[static_cast<std::size_t>(query.shard)].name;
    const auto at =
        std::ranges::find(texts, query.sql, &std::pair<std::string, std::string>::first);
    if (at == texts.end()) {
      texts.emplace_back(query.sql, shard);
    } else {
      at->second += ", " + shard;
    }
  }
  for (const auto& [sql, shards] : texts) {
    lines.push_back(texts.size() == 1 ? "  subquery: " + sql
                                      : "  subquery on " + shards + ": " + sql);
  }
}

void add_refusal(const values::SqlError& error, std::vector<std::string>& lines) {
  lines.push_back(fmt::format("  {}: {}", error.sqlstate, error.message));
  if (!error.hint.empty()) lines.push_back("  hint: " + error.hint);
}

}  // namespace

std::string_view to_string(PlanKind kind) {
  switch (kind) {
    case PlanKind::relay:
      return "Relay";
    case PlanKind::scatter:
      return "Scatter";
    case PlanKind::gather:
      return "Gather";
    case PlanKind::split:
      return "Split";
    case PlanKind::broadcast:
      return "Broadcast";
    case PlanKind::session:
      return "Session";
    case PlanKind::local:
      return "Local";
    case PlanKind::refuse:
      return "Refuse";
  }
  return "?";
}

namespace {

void add_evaluations(const Plan& plan, std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < plan.evaluations.size(); ++i) {
    const Plan::Evaluation& evaluation = plan.evaluations[i];
    if (evaluation.plan == nullptr) {
      lines.push_back("  evaluated once: " + evaluation.sql);
      continue;
    }
    lines.push_back(fmt::format("  answer {}, asked first, where no transaction is under way: {}", i + 1, evaluation.sql));
    for (const std::string& step : evaluation.plan->recipe->describe()) lines.push_back("    recipe: " + step);
  }
}

}  // namespace

std::vector<std::string> explain(const Plan& plan, const BoundPlan& bound,
                                 const router::ShardMap& map) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("Anabranch {}", to_string(plan.kind)));
  if (plan.refusal) {
    add_refusal(*plan.refusal, lines);
    return lines;
  }
  if (plan.kind != PlanKind::session && plan.kind != PlanKind::local) {
    lines.push_back(shards_line(bound, map));
  }
  for (std::size_t i = 0; i < plan.feeds.size(); ++i) {
    const Feed& feed = plan.feeds[i];
    const bool read = plan.feeds_of_one_moment || !feed.owners.empty();
    lines.push_back(fmt::format("  rows{}: {}", read ? " of " + feed.table : "", to_string(feed.rows->kind)));
    const std::vector<std::string> rows = explain(*feed.rows, bound.fed[i], map);
    for (std::size_t line = 1; line < rows.size(); ++line) lines.push_back("  " + rows[line]);
  }
  for (const std::string& reason : plan.reasons) lines.push_back("  why: " + reason);
  add_evaluations(plan, lines);
  add_queries(bound, map, lines);
  if (plan.gather) {
    for (const Gather::Restriction& restriction : plan.gather->restrictions) {
      lines.push_back(fmt::format("  where it pays: piece {} only where {} is among {} of piece {}", restriction.piece + 1,
                                  restriction.column, restriction.source_column, restriction.source + 1));
    }
    for (const std::string& index : plan.gather->indexes) lines.push_back("  workspace: " + index);
  }
  if (!bound.rest.empty()) lines.push_back("  workspace: " + bound.rest);
  if (plan.recipe && !plan.gather) {
    for (const std::string& step : plan.recipe->describe()) lines.push_back("  recipe: " + step);
  }
  return lines;
}

}  // namespace anabranch::rewriter
