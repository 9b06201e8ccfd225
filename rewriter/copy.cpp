#include <algorithm>

#include "rewriter/clock.h"
#include "rewriter/copy_format.h"
#include "rewriter/utility.h"
#include "rewriter/write.h"

/// COPY: rows in are split by their keys.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

struct Target {
  const router::Relation* relation = nullptr;
  int index = -1;
  const router::MappedTable* table = nullptr;
};

Target target_of(const Planning& planning, const tree::TableRef& name) {
  const auto& path = planning.request->context->search_path;
  Target target;
  if (is_temporary(*planning.request->context, planning.catalog(), name.schema, name.name)) return target;
  target.relation = find_table(planning.catalog(), path, name.schema, name.name);
  target.index = find_mapped(planning.map(), target.relation, path, name.schema, name.name);
  if (target.index >= 0) {
    target.table = &planning.map().tables()[static_cast<std::size_t>(target.index)];
  }
  return target;
}

std::vector<int> copied_columns(const tree::Copy& copy, const router::Relation& relation) {
  std::vector<int> columns;
  if (copy.columns.empty()) {
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      if (!relation.columns[i].generated) columns.push_back(static_cast<int>(i));
    }
    return columns;
  }
  for (const std::string& name : copy.columns) {
    const auto found = relation.find_column(name);
    columns.push_back(found ? *found : -1);
  }
  return columns;
}

/// A column that COPY leaves out is filled by its default: a constant, or not at all.
void check_left_out(const router::Column& column, bool every_shard) {
  if (column.generated) return;
  if (!every_shard && is_fresh_per_row(column)) return;
  const bool differs =
      !column.default_sql.empty() && column.default_volatility != router::Volatility::immutable;
  if (!column.identity && !differs) return;
  refuse(make_error(ErrorId::unsupported_clause, "COPY",
                    "column \"" + column.name + "\" would be filled by every shard for itself",
                    "Give the column in the data."),
         false);
}

CopySplit::KeyField key_field(const tree::Copy& copy, const std::vector<int>& columns,
                              const router::Relation& relation, int part) {
  const router::Column& column = relation.columns[static_cast<std::size_t>(part)];
  CopySplit::KeyField field;
  field.column_type = column.type.oid;
  const auto at = std::ranges::find(columns, part);
  if (at != columns.end()) {
    field.field = static_cast<int>(at - columns.begin());
  } else if (!column.default_sql.empty() || column.identity) {
    refuse(make_error(ErrorId::unsupported_clause, "COPY",
                      "the key column \"" + column.name + "\" is filled by its default",
                      "Give the key in the data."),
           false);
  }
  for (const tree::Option& option : copy.options) {
    if (option.name == "force_null") field.force_null = lists(option, column.name);
    if (option.name == "force_not_null") field.force_not_null = lists(option, column.name);
  }
  return field;
}

PlanResult copy_in(Planning& planning, const tree::Utility& utility, const tree::Copy& copy,
                   const Target& target) {
  if (target.relation == nullptr) {
    refuse(make_error(ErrorId::unmappable_syntax,
                      "table \"" + copy.table->name + "\" is not in the catalog"),
           false);
  }
  if (target.relation->triggers || target.relation->rules) {
    refuse(values::SqlError("0A000",
                            "\"" + target.relation->name +
                                "\" has triggers or rules, which may read other shards",
                            "Drop them, or load one shard: /* anabranch: shard=NAME */"),
           false);
  }
  if (copy.where) {
    refuse_clause("COPY FROM … WHERE", "every shard would choose among its rows for itself",
                  "Leave the rows out of the data, or DELETE them afterwards.");
  }
  CopySplit split;
  split.table = target.index;
  split.every_shard = target.table->kind == conf::TableKind::reference;
  static_cast<CopyFormat&>(split) = copy_format(copy);
  const auto columns = copied_columns(copy, *target.relation);
  split.field_count = static_cast<int>(columns.size());
  for (std::size_t i = 0; i < target.relation->columns.size(); ++i) {
    if (std::ranges::find(columns, static_cast<int>(i)) == columns.end()) {
      check_left_out(target.relation->columns[i], split.every_shard);
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] < 0) continue;
    const router::Column& column = target.relation->columns[static_cast<std::size_t>(columns[i])];
    if (is_clock_type(planning.catalog(), column.type.oid)) {
      split.clock_fields.push_back(static_cast<int>(i));
    }
  }
  if (!split.every_shard) {
    const auto& key =
        target.table->expression ? target.table->expression->columns() : target.table->key;
    for (const std::string& name : key) {
      const auto part = target.relation->find_column(name);
      if (!part) {
        refuse(make_error(ErrorId::unsupported_clause, "COPY", "the key is not among its columns",
                          "Correct the key in the configuration."),
               false);
      }
      split.key.push_back(key_field(copy, columns, *target.relation, *part));
    }
  }
  auto plan = planning.plan;
  plan->kind = PlanKind::split;
  plan->effect = Effect::writes;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.condition.table = target.index;
  plan->routing.reason = split.every_shard ? "a reference table has a copy on every shard"
                                           : "each row goes to its key's shard";
  plan->sum_counts = !split.every_shard;
  plan->subquery.pieces.emplace_back(utility.text);
  plan->copy = std::move(split);
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace

PlanResult plan_copy(Planning& planning, const tree::Utility& utility, const tree::Copy& copy) {
  const auto to_default = [&](std::string reason) -> PlanResult {
    auto plan =
        relay_to(planning, static_cast<int>(planning.map().default_shard()), std::move(reason));
    plan->effect = Effect::writes;
    return std::shared_ptr<const Plan>(std::move(plan));
  };
  if (planning.map().shards().size() == 1) return to_default("there is one shard only");
  if (!copy.from) {
    if (!copy.file.empty() || copy.program) refuse_statement("COPY TO a file", "Use STDOUT.");
    return plan_copy_out(planning, utility, copy);
  }
  const Target target = target_of(planning, *copy.table);
  if (target.table == nullptr) return to_default("its table is on the default shard");
  if (target.table->kind == conf::TableKind::whole) {
    auto plan =
        relay_to(planning, static_cast<int>(target.table->shard), "its table is on one shard");
    plan->effect = Effect::writes;
    return std::shared_ptr<const Plan>(std::move(plan));
  }
  if (!copy.file.empty() || copy.program) refuse_statement("COPY FROM a file", "Use STDIN.");
  return copy_in(planning, utility, copy, target);
}

}  // namespace anabranch::rewriter
