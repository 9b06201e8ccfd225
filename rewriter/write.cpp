#include "rewriter/write.h"

#include <algorithm>
#include <set>

#include "rewriter/buckets.h"
#include "values/mysql_type.h"

/// UPDATE and DELETE: by key, shard by shard, or on every copy; and INSERT … SELECT.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

constexpr int kSource = 1'000'000'001;

std::shared_ptr<const Plan> done(std::shared_ptr<Plan> plan) {
  return plan;
}

const router::MappedTable* target_table(const Planning& planning) {
  return planning.query.target < 0
             ? nullptr
             : planning.query.mapped(planning.query.at(planning.query.target));
}

/// Every visit of the statement: WITH, subqueries, source.
Placement placement_of(const Planning& planning, Analysis& analysis) {
  return place(planning, analysis);
}

/// The rows' shards, each with its part of the statement.
Outcome shard_by_shard(Planning& planning, const Placement& placement, std::string reason) {
  if (planning.must_describe()) return ask_original(planning);
  check_several(planning);
  tree::StatementPtr copy = tree::clone(*planning.statement);
  if (auto* insert = copy->as<tree::Insert>()) {
    write_defaults(planning, *insert, *planning.query.at(planning.query.target).relation, Defaults::rows);
  }
  fill_holes(planning, *copy);
  auto plan = planning.plan;
  plan->kind = PlanKind::broadcast;
  plan->routing.mode = Routing::Mode::by_key;
  plan->routing.condition = *placement.condition;
  plan->routing.reason = std::move(reason);
  plan->sum_counts = true;
  plan->subquery = with_holes(planning.print(*copy));
  if (plan->result) plan->recipe = rows_as_they_come(planning, *plan->result);
  note_written_buckets(planning);
  return done(plan);
}

/// Whether every row of the target meets at most one row of each table in FROM: else each server
/// takes the one that it finds first.
bool meets_one_row(const Planning& planning, const Analysis::Rows& rows) {
  const Query& query = planning.query;
  const Block& block = *query.top;
  std::set<int> settled = {query.target};
  const auto fixed = [&](Ident column) {
    const auto equals = rows.facts.equal_to(column);
    const bool joined =
        std::ranges::any_of(equals, [&](Ident other) { return settled.contains(other.instance); });
    return joined || std::ranges::any_of(rows.facts.conditions, [&](const tree::Expr* condition) {
             const auto* call = condition->as<tree::OperatorCall>();
             if (call == nullptr || call->name != "=" || !call->left || !call->schema.empty()) {
               return false;
             }
             const values::Oid type = type_of(query, column);
             if (!is_builtin_operator(query, "=", type, type)) return false;
             return (ident_of(*call->left) == column &&
                     key_operand(*call->right, type, planning.values)) ||
                    (ident_of(*call->right) == column &&
                     key_operand(*call->left, type, planning.values));
           });
  };
  const auto unique = [&](int instance) {
    const router::Relation* relation = query.at(instance).relation;
    if (relation == nullptr || query.at(instance).kind != Instance::Kind::table) return false;
    return std::ranges::any_of(relation->unique_keys, [&](const router::UniqueKey& key) {
      return std::ranges::all_of(key.columns,
                                 [&](int column) { return fixed({instance, column}); });
    });
  };
  for (bool grown = true; grown;) {
    grown = false;
    for (const int instance : block.instances) {
      if (settled.contains(instance) || !unique(instance)) continue;
      settled.insert(instance);
      grown = true;
    }
  }
  return std::ranges::all_of(block.instances,
                             [&](int instance) { return settled.contains(instance); });
}

/// Writes to every copy of a reference table must do the same everywhere.
void check_copies(const Planning& planning, const Analysis::Rows& rows) {
  const Traits& traits = planning.traits;
  const std::string& differs = traits.random.empty() ? traits.shared : traits.random;
  if (!differs.empty()) {
    refuse_clause(planning.plan->command + " of a reference table",
                  differs + " would differ on every copy",
                  "Compute the value first, and give it as a constant.");
  }
  if (!rows.distribution.same_everywhere() || !rows.distribution.unstable.empty()) {
    refuse_clause(planning.plan->command + " of a reference table",
                  rows.distribution.unstable.empty() ? "it reads rows that are not on every shard"
                                                     : rows.distribution.unstable,
                  "Read the rows first, and give their values as constants.");
  }
}

/// MySQL's LIMIT of a write counts rows of the whole, which one is taken is the server's choice. What a write returns
/// has types that are known only when it runs.
void check_row_choice(const Planning& planning) {
  const auto* update = planning.statement->as<tree::Update>();
  const auto* remove = planning.statement->as<tree::Delete>();
  const bool limited = update != nullptr ? update->limit != nullptr : remove->limit != nullptr;
  if (limited) {
    refuse_clause(planning.plan->command + " … LIMIT", "its rows are on several shards", "Give the key.");
  }
  const auto& returning = update != nullptr ? update->returning : remove->returning;
  planning.plan->returns_rows = !planning.language().asks_shards && !returning.empty();
}

/// Co-located, and the target's rows are the ones joined: not the nullable side of something.
void check_sharded(const Analysis::Rows& rows, std::string_view clause) {
  if (rows.distribution.kind == Distribution::Kind::split_up) {
    refuse_distribution(clause, rows.distribution);
  }
  if (rows.distribution.kind != Distribution::Kind::sharded) {
    refuse_clause(clause, "its rows are in different places",
                  "Write to sharded tables joined by their keys.");
  }
}

}  // namespace

Outcome broadcast_copies(Planning& planning, const tree::Statement& statement) {
  check_system_columns(planning);
  check_impure(planning);
  auto plan = planning.plan;
  plan->kind = PlanKind::broadcast;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.reason = "a reference table has a copy on every shard";
  plan->sum_counts = false;
  plan->subquery = with_holes(planning.print(statement));
  if (plan->result) plan->recipe = rows_as_they_come(planning, *plan->result);
  return done(plan);
}

Outcome plan_write(Planning& planning) {
  Analysis analysis(planning.query, planning.functions);
  const auto rows = analysis.rows_of_write(*planning.query.top);
  const Placement placement = placement_of(planning, analysis);
  const router::MappedTable* table = target_table(planning);
  const bool copies = table != nullptr && table->kind == conf::TableKind::reference;
  const bool sharded = table != nullptr && table->kind == conf::TableKind::sharded;
  const auto* update = planning.statement->as<tree::Update>();
  const bool in_buckets = has_buckets(planning.query);
  if (planning.map().shards().size() > 1 || in_buckets) {
    if (sharded || copies) check_target(planning);
    if (update != nullptr && sharded) check_key_unchanged(planning, update->set, rows.facts);
  }
  if (planning.map().shards().size() > 1) check_joined_write(planning);
  const std::string command = planning.plan->command;
  if (copies && planning.map().shards().size() > 1) {
    if (planning.traits.writing_with)
      refuse_statement("a writing WITH", "Write one statement each.");
    if (!rows.distribution.same_everywhere() || !rows.distribution.unstable.empty()) {
      if (auto fed = plan_fed_write(planning)) return std::move(*fed);
    }
    check_copies(planning, rows);
    if (update != nullptr) check_assigned_defaults(planning, update->set);
    if (update != nullptr && !meets_one_row(planning, rows)) {
      refuse_clause("UPDATE … FROM of a reference table",
                    "a row may meet several rows, and every copy would take another one",
                    "Join FROM's tables by their primary keys.");
    }
    if (planning.must_describe()) return ask_original(planning);
    check_row_choice(planning);
    tree::StatementPtr copy = tree::clone(*planning.statement);
    fill_holes(planning, *copy);
    return broadcast_copies(planning, *copy);
  }
  if (!in_buckets && (!planning.traits.virtual_columns || planning.map().shards().size() == 1)) {
    if (auto plan = relay(planning, placement)) {
      if (planning.values.needs_description && !plan->described) return ask_original(planning);
      if (plan->routing.mode == Routing::Mode::any_shard) {
        plan->routing.mode = Routing::Mode::one_shard;
        plan->routing.shard = static_cast<int>(planning.map().default_shard());
      }
      return done(plan);
    }
  }
  if (in_buckets && may_be_on_one_shard(planning, placement)) {
    planning.plan->on_one_shard = true;
    return shard_by_shard(planning, placement, "all its rows are on one shard");
  }
  const bool cursor = update != nullptr
                          ? !update->current_of.empty()
                          : !planning.statement->as<tree::Delete>()->current_of.empty();
  if (cursor)
    refuse_clause(command + " … WHERE CURRENT OF", "a cursor is on one shard", "Use the key.");
  if (planning.traits.writing_with) {
    refuse_clause("a writing WITH", "its rows are on several shards", "Write one statement each.");
  }
  if (!sharded || rows.distribution.kind != Distribution::Kind::sharded) {
    auto fed = in_buckets ? std::nullopt : plan_fed_write(planning);
    if (fed) return std::move(*fed);
  }
  if (!sharded) table = joined_target(planning);
  if (table == nullptr) {
    refuse_clause(command, "it reads rows that are not where its table is",
                  "Read the rows first, and give their values as constants.");
  }
  check_sharded(rows, command);
  check_row_choice(planning);
  if (update != nullptr) check_assigned_defaults(planning, update->set);
  if (planning.values.needs_description && !planning.plan->described) return ask_original(planning);
  return shard_by_shard(planning, placement,
                        "each shard has its own rows of \"" + table->name.name + "\"");
}

Outcome plan_insert_whole(Planning& planning, const tree::Insert& insert) {
  Analysis analysis(planning.query, planning.functions);
  for (const auto& [select, block] : planning.query.top->subqueries) {
    analysis.of(*block, {}, kSource);
  }
  const Placement placement = placement_of(planning, analysis);
  for (const auto& instance : planning.query.instances) {
    // Written by a CTE or not: copies are written by statements of their own only.
    if (planning.query.reference(*instance) && planning.traits.writing_with) {
      refuse_statement("a writing WITH over reference tables", "Write one statement each.");
    }
  }
  if (placement.fixed_shard) {
    return done(relay_to(planning, *placement.fixed_shard, "its tables are on one shard"));
  }
  if (can_be_fed(planning, insert) || can_feed_values(planning, insert)) return plan_fed_insert(planning, insert);
  refuse_clause("INSERT", "it reads rows that are not where its table is",
                "Read the rows first, then insert them as VALUES.");
}

namespace {

/// Without strict mode MySQL cuts a value to what its column can hold.
bool stored_alike(const Query& query, Ident from, Ident into) {
  const router::Column* source = query.column(from);
  const router::Column* target = query.column(into);
  return source != nullptr && target != nullptr && source->type.oid == target->type.oid &&
         source->collation_name == target->collation_name &&
         values::MysqlModifier::of(source->type.typmod).length ==
             values::MysqlModifier::of(target->type.typmod).length;
}

/// Whether the rows are given to a column that every shard would count up for itself.
bool gives_counted(const tree::Insert& insert, const router::Relation& relation) {
  return std::ranges::any_of(relation.columns, [&](const router::Column& column) {
    const bool named = insert.columns.empty() ||
                       std::ranges::find(insert.columns, column.name, &tree::Insert::Column::name) !=
                           insert.columns.end();
    return column.identity && named && values::is_mysql_type(column.type.oid);
  });
}

/// Rows made of what every shard has, all with one key that the statement gives: the key's shard makes them. Absent:
/// they are others.
std::shared_ptr<Plan> of_one_key(Planning& planning, const tree::Insert& insert, const KeyTuple& key, const KeyTuple& fed) {
  const tree::Select& source = *insert.source;
  const bool plain = !source.left && std::ranges::none_of(source.targets, [](const tree::Target& target) {
    const auto* column = target.expr->as<tree::ColumnRef>();
    return column != nullptr && column->star;
  });
  KeyCondition condition;
  condition.kind = KeyCondition::Kind::stored;
  condition.table = fed.table;
  for (std::size_t i = 0; plain && i < fed.columns.size(); ++i) {
    const auto place = static_cast<std::size_t>(fed.columns[i].column);
    const router::Column* column = planning.query.column(key.columns[i]);
    if (column == nullptr || place >= source.targets.size()) return nullptr;
    auto operand = key_operand(*source.targets[place].expr, column->type.oid, planning.values);
    if (!operand) return nullptr;
    operand->column_type = column->type.oid;
    operand->column_modifier = column->type.typmod;
    condition.operands.push_back(std::move(*operand));
  }
  if (condition.operands.empty()) return nullptr;
  auto plan = planning.plan;
  plan->kind = PlanKind::relay;
  plan->routing.mode = Routing::Mode::by_key;
  plan->routing.condition = std::move(condition);
  plan->routing.reason = "the rows' key";
  return plan;
}

}  // namespace

bool comparable_types(const Query& query, const Block& source, const KeyTuple& from,
                      const KeyTuple& key) {
  for (std::size_t i = 0; i < from.columns.size() && i < key.columns.size(); ++i) {
    const auto output = static_cast<std::size_t>(from.columns[i].column);
    if (output >= source.outputs.size()) return false;
    const values::Oid type = type_of(query, source.outputs[output].ident);
    if (!comparable_keys(type, type_of(query, key.columns[i]))) return false;
    if (values::is_mysql_type(type) && !stored_alike(query, source.outputs[output].ident, key.columns[i])) {
      return false;
    }
  }
  return true;
}

Outcome plan_insert_select(Planning& planning, const tree::Insert& insert) {
  const Query& query = planning.query;
  const Instance& target = query.at(query.target);
  Analysis analysis(query, planning.functions);
  const Block& source = *query.top->subqueries.at(insert.source.get());
  const Distribution rows = analysis.of(source, {}, kSource);
  check_defaults(planning, insert, *target.relation);
  const bool can_feed = can_be_fed(planning, insert);
  if (rows.kind == Distribution::Kind::split_up && !can_feed) refuse_distribution("INSERT … SELECT", rows);
  if (gives_counted(insert, *target.relation)) {
    refuse_clause("INSERT … SELECT", "each shard would count the AUTO_INCREMENT column for itself",
                  "Insert the rows as VALUES, with their numbers.");
  }
  const KeyTuple key = key_of(query, query.target);
  // Each row must be stored where it was read: its key comes from the key of the row it is made of.
  KeyTuple fed{target.table, {}};
  for (const Ident column : key.columns) {
    int place = column.column;
    if (!insert.columns.empty()) {
      const auto& name = target.relation->columns[static_cast<std::size_t>(column.column)].name;
      const auto at = std::ranges::find(insert.columns, name, &tree::Insert::Column::name);
      place = at == insert.columns.end() ? -1 : static_cast<int>(at - insert.columns.begin());
    }
    fed.columns.push_back({kSource, place});
  }
  if (rows.same_everywhere() && !planning.language().asks_shards) {
    if (auto plan = of_one_key(planning, insert, key, fed)) return done(std::move(plan));
  }
  const bool together = rows.kind == Distribution::Kind::sharded &&
                        std::ranges::any_of(rows.keys, [&](const KeyTuple& from) {
                          return from.columns == fed.columns && same_place(query, {}, from, fed) &&
                                 comparable_types(query, source, from, key);
                        });
  if (!together) {
    if (can_feed) return plan_fed_insert(planning, insert);
    refuse_clause("INSERT … SELECT",
                  "the new rows' key is not the key of the rows they are made of",
                  "Select the key into the key column, or insert the rows as VALUES.");
  }
  if (planning.must_describe()) return ask_original(planning);
  Placement placement = placement_of(planning, analysis);
  KeyCondition everywhere;
  everywhere.table = target.table;
  placement.condition = everywhere;
  return shard_by_shard(planning, placement, "each row is stored where it was read");
}

}  // namespace anabranch::rewriter
