#include <algorithm>

#include "rewriter/write.h"

/// MySQL's UPDATE and DELETE of several tables at once: what may not be written on one shard alone (keys, and
/// copies), and what each shard may write for itself.
namespace anabranch::rewriter {
namespace {

bool assigns(const tree::Assignment& assignment, const Instance& instance) {
  if (!assignment.qualifier.empty()) return assignment.qualifier.back() == instance.name;
  return std::ranges::find(instance.columns, assignment.column) != instance.columns.end() || instance.open;
}

bool is_key(const router::MappedTable& table, const std::string& column) {
  const auto& key = table.expression ? table.expression->columns() : table.key;
  return std::ranges::find(key, column) != key.end();
}

void check_assigned(const Instance& instance, const router::MappedTable* table, const tree::Update& update) {
  if (table == nullptr || table->kind != conf::TableKind::sharded) return;
  for (const tree::Assignment& assignment : update.set) {
    if (assigns(assignment, instance) && is_key(*table, assignment.column)) {
      refuse(values::make_error(values::ErrorId::key_update, assignment.column, table->name.name));
    }
  }
}

void check_written(const Planning& planning, const Instance& instance) {
  const router::MappedTable* table = planning.query.mapped(instance);
  if (instance.kind != Instance::Kind::table) {
    refuse_clause(planning.plan->command + " of several tables", "\"" + instance.name + "\" is no table",
                  "Name the tables themselves.");
  }
  if (table != nullptr && table->kind == conf::TableKind::reference) {
    refuse_clause(planning.plan->command + " of several tables",
                  "\"" + instance.name + "\" has a copy on every shard", "Write one statement for each table.");
  }
  if (table != nullptr && table->kind == conf::TableKind::sharded && instance.relation != nullptr &&
      instance.relation->triggers) {
    refuse_clause(planning.plan->command, "\"" + instance.name + "\" has triggers, which may read other shards",
                  "Drop them.");
  }
}

}  // namespace

namespace {

bool is_joined(const Planning& planning) {
  const auto* update = planning.statement->as<tree::Update>();
  return (update != nullptr ? update->table : planning.statement->as<tree::Delete>()->table).name.empty();
}

bool is_written(const Planning& planning, const Instance& instance) {
  if (const auto* update = planning.statement->as<tree::Update>()) {
    return std::ranges::any_of(update->set, [&](const auto& at) { return assigns(at, instance); });
  }
  return std::ranges::any_of(planning.statement->as<tree::Delete>()->targets,
                             [&](const tree::Name& at) { return at.back() == instance.name; });
}

}  // namespace

void check_joined_write(const Planning& planning) {
  if (!is_joined(planning)) return;
  const auto* update = planning.statement->as<tree::Update>();
  for (const int index : planning.query.top->instances) {
    const Instance& instance = planning.query.at(index);
    if (is_written(planning, instance)) check_written(planning, instance);
    if (update != nullptr) check_assigned(instance, planning.query.mapped(instance), *update);
  }
}

const router::MappedTable* joined_target(const Planning& planning) {
  if (!is_joined(planning)) return nullptr;
  const router::MappedTable* first = nullptr;
  for (const int index : planning.query.top->instances) {
    const Instance& instance = planning.query.at(index);
    if (!is_written(planning, instance)) continue;
    const router::MappedTable* table = planning.query.mapped(instance);
    if (table == nullptr || table->kind != conf::TableKind::sharded) return nullptr;
    if (first == nullptr) first = table;
  }
  const auto* update = planning.statement->as<tree::Update>();
  const bool defaults = update != nullptr && std::ranges::any_of(update->set, [](const tree::Assignment& at) {
                          return at.value->as<tree::SetToDefault>() != nullptr;
                        });
  if (defaults) {
    refuse_clause("SET … = DEFAULT", "every shard would compute the default for itself", "Write the value.");
  }
  return first;
}

}  // namespace anabranch::rewriter
