#include "rewriter/fed_table.h"

#include <algorithm>

#include "rewriter/buckets.h"
#include "rewriter/fed_rows.h"
#include "rewriter/scatter.h"

namespace anabranch::rewriter {
namespace {

/// It makes the empty table of the query itself, and so must know what the query reads.
void check_known(const Planning& planning, const Query& query) {
  const router::MappedTable* elsewhere = table_elsewhere(query);
  if (elsewhere == nullptr) return;
  refuse_clause(planning.plan->command + " of a query", "table " + elsewhere->name.name + " is not on the default shard",
                "Create the table, then INSERT … SELECT into it.");
}

}  // namespace

std::string made_name(const Planning& planning, const tree::Name& name, bool temporary) {
  if (name.size() > 1) return quote_name(name);
  if (temporary) return quote_name({"pg_temp", name.back()});
  if (is_temporary(*planning.request->context, planning.catalog(), {}, name.back())) {
    refuse_clause(planning.plan->command, "\"" + name.back() + "\" is the name of a temporary table, too", "Write the schema.");
  }
  return quote_name(name);
}

Outcome plan_made_table(Planning& planning, const tree::Statement& query, MadeTable made) {
  const Query resolved = resolve(query, planning.catalog(), planning.map(), *planning.request->context);
  check_known(planning, resolved);
  if (has_buckets(resolved)) {
    refuse_clause(planning.plan->command == "SELECT" ? "SELECT … INTO" : planning.plan->command,
                  "the statement would be described by a table that has one for each bucket",
                  "Create the table, and insert the rows.");
  }
  if (!scan(resolved, planning.functions).parameter_uses.empty()) {
    refuse_clause("a parameter in " + planning.plan->command, "the query's rows are on several shards",
                  "Write the value into the statement.");
  }
  FedRows fed(planning, {});
  const auto rows = fed.plan(query);
  if (rows == nullptr) return fed.need();
  auto plan = planning.plan;
  // What has been described is the query.
  plan->described = false;
  plan->result.reset();
  // The definition has the literals in it.
  for (std::size_t i = 0; i < planning.shape().literals().size(); ++i) planning.pins.pin(static_cast<int>(i));
  plan->kind = PlanKind::split;
  plan->effect = made.temporary ? Effect::temporary : Effect::ddl;
  plan->residue = made.temporary ? Residue::may_begin : Residue::none;
  plan->evaluations = rows->evaluations;
  plan->routing.mode = Routing::Mode::one_shard;
  plan->routing.shard = static_cast<int>(planning.map().default_shard());
  plan->routing.reason = "tables that the map does not list are on the default shard";
  plan->subquery.pieces = {SqlTemplate::Piece(made.definition)};
  Feed& feed = plan->feeds.emplace_back();
  feed.rows = rows;
  feed.table = std::move(made.name);
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace anabranch::rewriter
