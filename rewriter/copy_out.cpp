#include <algorithm>

#include "rewriter/copy_format.h"
#include "rewriter/utility.h"

/// COPY … TO STDOUT: of one shard as its own stream; of a sharded table the shards' streams one after
/// another; of a query over shards its merged rows.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

/// A reference table, a view, one that is on one shard, or one that has one for each bucket: what SELECT of it would be.
tree::StatementPtr query_of(const tree::Copy& copy) {
  if (copy.query) return tree::clone(*copy.query);
  tree::Select select;
  for (const std::string& column : copy.columns) select.targets.push_back(tree::make::target(tree::make::column({column})));
  if (copy.columns.empty()) select.targets.push_back(tree::make::target(tree::make::star()));
  select.from.push_back(tree::make::table(copy.table->schema, copy.table->name));
  return std::make_unique<tree::Statement>(tree::Statement::Node(std::move(select)));
}

CopyOut copy_out_of(const tree::Copy& copy) {
  CopyOut out;
  static_cast<CopyFormat&>(out) = copy_format(copy);
  return out;
}

ResultColumn column_of(const router::Column& column) {
  ResultColumn result;
  result.name = column.name;
  result.type = column.type.oid;
  return result;
}

std::vector<ResultColumn> table_columns(const tree::Copy& copy, const router::Relation& relation) {
  std::vector<ResultColumn> columns;
  for (const router::Column& column : relation.columns) {
    const bool named = std::ranges::find(copy.columns, column.name) != copy.columns.end();
    if (copy.columns.empty() ? !column.generated : named) columns.push_back(column_of(column));
  }
  return columns;
}

/// Every shard's own rows, as it writes them.
PlanResult of_table(Planning& planning, const tree::Utility& utility, const tree::Copy& copy,
                    const router::Relation* relation, int table) {
  if (relation == nullptr) {
    refuse(make_error(ErrorId::unmappable_syntax, "table \"" + copy.table->name + "\" is not in the catalog"),
           false);
  }
  if (!relation->refusal.empty()) {
    refuse(values::SqlError("0A000", relation->refusal, "Make the table fit its scheme, then RELOAD."), false);
  }
  CopyOut out = copy_out_of(copy);
  out.columns = table_columns(copy, *relation);
  auto plan = planning.plan;
  plan->kind = PlanKind::scatter;
  plan->effect = Effect::reads;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.condition.table = table;
  plan->routing.reason = "each shard has its rows";
  plan->subquery.pieces.emplace_back(utility.text);
  plan->copy_out = std::move(out);
  return std::shared_ptr<const Plan>(std::move(plan));
}

/// What cannot be copied, for reasons that a server has.
PlanResult to_server(Planning& planning) {
  return std::shared_ptr<const Plan>(relay_to(planning, static_cast<int>(planning.map().default_shard()),
                                              "the server says why it cannot be copied"));
}

/// A COPY takes none.
bool has_parameters(const Planning& planning, const tree::Statement& query) {
  const Query resolved =
      resolve(query, planning.catalog(), planning.map(), *planning.request->context);
  return !scan(resolved, planning.functions).parameter_uses.empty();
}

std::string probe_of(const CopyOut& out, const tree::Copy& copy) {
  std::string targets;
  for (const ResultColumn& column : out.columns) {
    targets += (targets.empty() ? "NULL AS " : ", NULL AS ") + quote_identifier(column.name);
  }
  return "COPY (SELECT " + targets + " WHERE false) TO STDOUT" + printed_options(copy.options);
}

/// The merged rows of a query that several shards answer.
PlanResult of_query(Planning& planning, const tree::Copy& copy, const Plan& inner) {
  auto plan = std::make_shared<Plan>(inner);
  CopyOut out = copy_out_of(copy);
  out.columns = *inner.result;
  for (const ResultColumn& column : out.columns) {
    out.force_quote.push_back(std::ranges::any_of(copy.options, [&](const tree::Option& option) {
      return option.name == "force_quote" && lists(option, column.name);
    }));
  }
  out.probe = probe_of(out, copy);
  plan->copy_out = std::move(out);
  plan->result.reset();  // a COPY describes no rows
  planning.plan = plan;
  return std::shared_ptr<const Plan>(std::move(plan));
}

/// The query's own refusal; the server is asked about the query, as it does not look into a COPY.
PlanResult refused_as(const Plan& inner, const std::string& text) {
  auto plan = std::make_shared<Plan>(inner);
  if (plan->prepare_text.empty()) plan->prepare_text = text;
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace

PlanResult plan_copy_out(Planning& planning, const tree::Utility& utility, const tree::Copy& copy) {
  bool in_buckets = false;
  if (copy.table) {
    const NamedTable named = find_any_named(planning, copy.table->schema, copy.table->name);
    in_buckets = named.table != nullptr && !named.table->physical.empty();
    if (!in_buckets && named.table != nullptr && named.table->kind == conf::TableKind::sharded) {
      return of_table(planning, utility, copy, named.relation, named.index);
    }
  }
  const tree::StatementPtr query = query_of(copy);
  if (has_parameters(planning, *query)) return to_server(planning);
  const std::string text = to_text(*query, planning.shape());
  const PlanResult result = plan_inner(planning, *query, text);
  if (const auto* need = std::get_if<NeedDescribe>(&result)) return *need;
  const Plan& inner = *std::get<std::shared_ptr<const Plan>>(result);
  for (const int token : inner.pinned) planning.pins.pin(token);
  if (inner.kind == PlanKind::relay && !planning.request->several) {
    auto plan = planning.plan;
    plan->kind = PlanKind::relay;
    plan->effect = inner.effect;
    plan->routing = inner.routing;
    plan->residue = inner.residue;
    return std::shared_ptr<const Plan>(std::move(plan));
  }
  if (copy.table && !in_buckets) return to_server(planning);
  if (inner.kind == PlanKind::refuse) return refused_as(inner, text);
  const bool merges = inner.kind == PlanKind::scatter || inner.kind == PlanKind::gather;
  if (merges && inner.recipe && inner.result) return of_query(planning, copy, inner);
  refuse_statement("COPY TO of a statement that several shards carry out", "Copy a SELECT.");
}

}  // namespace anabranch::rewriter
