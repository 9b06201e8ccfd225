#include <algorithm>

#include "rewriter/buckets.h"
#include "rewriter/clock.h"
#include "rewriter/copy_format.h"
#include "rewriter/utility.h"
#include "rewriter/write.h"

/// COPY: rows in are split by their keys.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

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

/// A default like now(): the same for all rows of a statement. Binary data cannot be given a value that
/// was read as text, nor a header that must match another column.
bool fill_once(const tree::Copy& copy, const router::Column& column, const CopySplit& split) {
  const bool matched = std::ranges::any_of(copy.options, [](const tree::Option& option) {
    return option.name == "header" && (option.value == "match" || option.value == "MATCH");
  });
  return !matched && !column.generated && !column.identity && !column.default_sql.empty() &&
         column.default_volatility == router::Volatility::stable && split.format != CopyFormat::Format::binary;
}

/// The statement with these columns behind the client's own; their values are evaluated once.
std::string fill_columns(Planning& planning, const tree::Copy& copy, const router::Relation& relation,
                         const std::vector<int>& given, const std::vector<const router::Column*>& filled) {
  std::string list;
  for (const int column : given) {
    // One that is not there is the server's to complain of.
    if (column < 0) return planning.statement->as<tree::Utility>()->text;
    list += quote_identifier(relation.columns[static_cast<std::size_t>(column)].name) + ", ";
  }
  for (const router::Column* column : filled) {
    list += quote_identifier(column->name) + (column == filled.back() ? "" : ", ");
    planning.plan->evaluations.push_back({"(" + column->default_sql + ")::" + column->type_name, column->type_name, true});
  }
  std::string text = "COPY " + quote_name({relation.schema, relation.name}) + " (" + list + ") FROM STDIN" +
                     printed_options(copy.options);
  if (copy.where) text += " WHERE " + planning.text(*copy.where);
  return text;
}

/// What keeps a WHERE from meaning the same for every row, wherever it is asked; empty: nothing.
std::string unstable(const Traits& traits, bool copies) {
  for (const std::string* reason : {&traits.opaque, &traits.shared, &traits.unknown, &traits.impure, &traits.session_value,
                                    &traits.session_call, &traits.system_column}) {
    if (!reason->empty()) return *reason;
  }
  if (copies && !traits.random.empty()) return traits.random + "()";
  if (traits.ambient) return "a function of time or session";
  if (traits.settings) return "set_config()";
  return traits.virtual_columns ? "a column of the shard" : "";
}

bool names_now(const tree::Expr& where, tree::PinSet& pins) {
  bool found = false;
  tree::walk(where, [&](const tree::Expr& at) {
    const auto* literal = at.as<tree::Literal>();
    if (literal != nullptr && literal->kind() == tree::Literal::Kind::string) found |= says_now(literal->value(pins));
    return true;
  });
  return found;
}

/// A row's fate must depend on the row alone.
void check_where(Planning& planning, const tree::Copy& copy, bool copies) {
  tree::Select select;
  select.targets.push_back(tree::make::target(tree::make::star()));
  select.from.push_back(tree::make::table(copy.table->schema, copy.table->name));
  select.where = tree::clone(*copy.where);
  const tree::Statement query{std::move(select)};
  const Query resolved = resolve(query, planning.catalog(), planning.map(), *planning.request->context);
  std::string reason = unstable(scan(resolved, planning.functions), copies);
  if (reason.empty() && names_now(*copy.where, planning.pins)) reason = "a moment named by the clock";
  if (reason.empty()) return;
  refuse_clause("COPY FROM … WHERE", reason + " may be another one on each shard",
                "Leave the rows out of the data, or DELETE them afterwards.");
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
                   const NamedTable& target) {
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
  const bool copies = target.table->kind == conf::TableKind::reference;
  if (copy.where) check_where(planning, copy, copies);
  CopySplit split;
  split.table = target.index;
  split.every_shard = copies;
  static_cast<CopyFormat&>(split) = copy_format(copy);
  const auto columns = copied_columns(copy, *target.relation);
  split.field_count = static_cast<int>(columns.size());
  std::vector<const router::Column*> filled;
  for (std::size_t i = 0; i < target.relation->columns.size(); ++i) {
    if (std::ranges::find(columns, static_cast<int>(i)) != columns.end()) continue;
    const router::Column& column = target.relation->columns[i];
    if (fill_once(copy, column, split)) {
      filled.push_back(&column);
    } else {
      check_left_out(column, split.every_shard);
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
  plan->subquery.pieces.emplace_back(
      filled.empty() ? utility.text : fill_columns(planning, copy, *target.relation, columns, filled));
  plan->copy = std::move(split);
  return std::shared_ptr<const Plan>(std::move(plan));
}

/// Of a table that has one for each bucket a shard knows no more than the buckets.
bool reads_buckets(const Planning& planning, const tree::Copy& copy) {
  if (!has_buckets(planning.map())) return false;
  if (copy.query) return has_buckets(resolve(*copy.query, planning.catalog(), planning.map(), *planning.request->context));
  const NamedTable named = find_any_named(planning, copy.table->schema, copy.table->name);
  return named.table != nullptr && !named.table->physical.empty();
}

/// A part of a table has rows of its own, which nobody would place.
void check_no_bucket(const Planning& planning, const tree::Copy& copy) {
  const NamedTable named = find_any_named(planning, copy.table->schema, copy.table->name);
  if (named.table != nullptr || named.relation == nullptr || named.relation->refusal.empty()) return;
  refuse(values::SqlError("0A000", named.relation->refusal,
                          "Name the shard, and see to it yourself that the rows belong there: /* anabranch: shard=NAME */"),
         false);
}

}  // namespace

PlanResult plan_copy(Planning& planning, const tree::Utility& utility, const tree::Copy& copy) {
  const auto to_default = [&](std::string reason) -> PlanResult {
    auto plan =
        relay_to(planning, static_cast<int>(planning.map().default_shard()), std::move(reason));
    plan->effect = Effect::writes;
    return std::shared_ptr<const Plan>(std::move(plan));
  };
  if (copy.from) check_no_bucket(planning, copy);
  if (planning.map().shards().size() == 1 && !reads_buckets(planning, copy)) return to_default("there is one shard only");
  if (!copy.from) {
    if (!copy.file.empty() || copy.program) refuse_statement("COPY TO a file", "Use STDOUT.");
    return plan_copy_out(planning, utility, copy);
  }
  const NamedTable target = find_named(planning, copy.table->schema, copy.table->name);
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
