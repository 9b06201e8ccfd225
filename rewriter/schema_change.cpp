#include <algorithm>

#include "rewriter/fed_table.h"
#include "rewriter/utility.h"

/// DDL of mapped tables: on all shards, and only what keeps the meaning of their constraints.
namespace anabranch::rewriter {
namespace {

const router::MappedTable* mapped_table(const Planning& planning, const tree::TableRef& table) {
  return find_named(planning, table.schema, table.name).table;
}

/// The default shard has the definition, whoever has the rows.
bool is_shown(const Planning& planning, const tree::TableRef& table) {
  const router::Relation* relation = find_named(planning, table.schema, table.name).relation;
  return relation != nullptr && relation->oid != 0;
}

std::vector<std::string> key_columns(const router::MappedTable& table) {
  return table.expression ? table.expression->columns() : table.key;
}

bool holds_key(const router::MappedTable& table, const std::vector<std::string>& columns) {
  const auto key = key_columns(table);
  return !key.empty() && std::ranges::all_of(key, [&](const std::string& column) {
    return std::ranges::find(columns, column) != columns.end();
  });
}

void check_unique(const router::MappedTable& table, const std::vector<std::string>& columns,
                  std::string_view what) {
  if (table.kind != conf::TableKind::sharded || holds_key(table, columns)) return;
  refuse(values::SqlError("0A000",
                          std::string(what) + " on \"" + table.name.name +
                              "\" does not contain its key: no shard could keep it",
                          "Add the key column to the constraint."),
         false);
}

/// The columns referenced; empty: nothing is known of them.
std::vector<std::string> referenced_columns(const Planning& planning, const tree::TableRef& other,
                                            const std::vector<std::string>& written) {
  if (!written.empty()) return written;
  const auto& path = planning.request->context->search_path;
  const router::Relation* relation = find_table(planning.catalog(), path, other.schema, other.name);
  if (relation == nullptr) return {};
  for (const router::UniqueKey& key : relation->unique_keys) {
    if (!key.primary) continue;
    std::vector<std::string> columns;
    for (const int column : key.columns) {
      columns.push_back(relation->columns[static_cast<std::size_t>(column)].name);
    }
    return columns;
  }
  return {};
}

/// The key of the one is compared with the key of the other: both rows are on one shard.
bool by_key(const router::MappedTable& table, const std::vector<std::string>& columns,
            const router::MappedTable& target, const std::vector<std::string>& referenced) {
  // Rows that are placed at random have no key.
  if (table.scheme != target.scheme || table.expression || target.expression || table.key.empty()) return false;
  for (std::size_t i = 0; i < table.key.size() && i < target.key.size(); ++i) {
    const auto at = std::ranges::find(columns, table.key[i]);
    const auto place = static_cast<std::size_t>(at - columns.begin());
    if (at == columns.end() || place >= referenced.size()) return false;
    if (referenced[place] != target.key[i]) return false;
  }
  return true;
}

[[noreturn]] void refuse_foreign_key(const std::string& table, const std::string& other,
                                     std::string_view hint) {
  refuse(values::SqlError("0A000",
                          "the foreign key from \"" + table + "\" to \"" + other +
                              "\" cannot be kept: the rows may be on different shards",
                          std::string(hint)),
         false);
}

/// What a foreign key may lead to. `table` is null where the map does not list it.
void check_foreign_key(const Planning& planning, const router::MappedTable* table,
                       const std::string& name, const std::vector<std::string>& columns,
                       const tree::TableRef& other, const std::vector<std::string>& written) {
  if (planning.map().shards().size() == 1) return;
  const router::MappedTable* target = mapped_table(planning, other);
  if (target != nullptr && target->kind == conf::TableKind::reference) return;
  const auto shard_of = [&](const router::MappedTable* at) {
    return at == nullptr ? planning.map().default_shard() : at->shard;
  };
  const bool from_one = table == nullptr || table->kind == conf::TableKind::whole;
  const bool to_one = target == nullptr || target->kind == conf::TableKind::whole;
  if (from_one && to_one && shard_of(table) == shard_of(target)) return;
  const bool sharded = !from_one && !to_one && table->kind == conf::TableKind::sharded;
  if (sharded &&
      by_key(*table, columns, *target, referenced_columns(planning, other, written))) {
    return;
  }
  refuse_foreign_key(name, other.name,
                     "Reference a reference table, or a co-located table by its key.");
}

}  // namespace

void check_constraints(const Planning& planning, const tree::TableRef& of,
                       const std::vector<tree::ColumnDefinition>& columns,
                       const std::vector<tree::CreateTable::TableConstraint>& constraints) {
  const router::MappedTable* table = mapped_table(planning, of);
  const std::string& name = of.name;
  for (const tree::ColumnDefinition& column : columns) {
    if (table != nullptr && (column.primary_key || column.unique)) {
      check_unique(*table, {column.name},
                   column.primary_key ? "the primary key" : "the unique constraint");
    }
    if (column.references) {
      check_foreign_key(planning, table, name, {column.name}, *column.references,
                        column.referenced);
    }
  }
  for (const auto& constraint : constraints) {
    if (constraint.references) {
      check_foreign_key(planning, table, name, constraint.columns, *constraint.references,
                        constraint.referenced);
    }
    if (table == nullptr) continue;
    if (constraint.kind == "PRIMARY KEY")
      check_unique(*table, constraint.columns, "the primary key");
    if (constraint.kind == "UNIQUE") {
      check_unique(*table, constraint.columns, "the unique constraint");
    }
    if (constraint.kind == "EXCLUDE" && table->kind == conf::TableKind::sharded) {
      refuse_statement("EXCLUDE on a sharded table", "No shard could keep it.");
    }
  }
}

void check_unique_index(const Planning& planning, const tree::CreateIndex& create) {
  const router::MappedTable* table = mapped_table(planning, create.table);
  if (create.unique && table != nullptr) check_unique(*table, create.columns, "the unique index");
}

namespace {

/// Whether CREATE VIEW's query reads what is on every shard; refuses what no shard could answer.
bool reads_mapped(const Planning& planning, const tree::Utility& utility,
                  std::string_view except_schema, std::string_view except_name) {
  bool mapped = false;
  bool elsewhere = false;
  for (const tree::RelationName& relation : utility.relations) {
    if (relation.name == except_name && relation.schema == except_schema) continue;
    const Home home = home_of(planning, relation.schema, relation.name);
    if (home.shard >= 0) {
      refuse_statement(utility.tag + " over a table of another shard than the default one",
                       "Query the table itself, or move it to the default shard.");
    }
    mapped |= home.mapped;
    elsewhere |= !home.mapped;
  }
  if (mapped && elsewhere) {
    refuse_statement(utility.tag + " over tables that live in different places",
                     "Make the tables that are on one shard reference tables.");
  }
  return mapped;
}

}  // namespace

std::shared_ptr<Plan> plan_create_table(Planning& planning, const tree::Utility& utility,
                                        const tree::CreateTable& create) {
  if (makes_temporary(planning, create.table, create.persistence)) {
    const auto is_mapped = [&](const tree::TableRef& parent) { return mapped_table(planning, parent) != nullptr; };
    if (std::ranges::any_of(create.inherits, is_mapped) || (create.partition_of && is_mapped(*create.partition_of))) {
      refuse_statement("INHERITS of mapped tables", "Use a table of its own.");
    }
    return text_for_session(planning);
  }
  if (create.partition_of) {
    const router::MappedTable* parent = mapped_table(planning, *create.partition_of);
    if (parent != nullptr && parent->kind != conf::TableKind::whole) {
      return broadcast_text(planning, utility, "partitions follow their table");
    }
    if (parent != nullptr) {
      const bool shown = is_shown(planning, *create.partition_of);
      return text_elsewhere(planning, utility, static_cast<int>(parent->shard), shown);
    }
  }
  const router::MappedTable* table = mapped_table(planning, create.table);
  for (const tree::TableRef& parent : create.inherits) {
    const router::MappedTable* other = mapped_table(planning, parent);
    if (other != nullptr || table != nullptr) {
      refuse_statement("INHERITS of mapped tables", "Use a table of its own.");
    }
  }
  check_constraints(planning, create.table, create.columns, create.constraints);
  if (table == nullptr) return text_to_default(planning, "the map does not list the table");
  if (table->kind == conf::TableKind::whole) {
    return text_elsewhere(planning, utility, static_cast<int>(table->shard), true);
  }
  for (const tree::TableRef& source : create.likes) {
    if (planning.map().shards().size() > 1 && !home_of(planning, source.schema, source.name).mapped) {
      refuse_clause("CREATE TABLE … LIKE", "\"" + source.name + "\" is not on every shard",
                    "Write the columns.");
    }
  }
  return broadcast_text(planning, utility, "the map lists the table: it is on every shard");
}

PlanResult plan_create_table_as(Planning& planning, const tree::Utility& utility,
                                const tree::CreateTableAs& create) {
  const bool temporary = makes_temporary(planning, create.table, create.persistence);
  if (!temporary && mapped_table(planning, create.table) != nullptr) {
    refuse_statement(utility.tag + " of a table of the map",
                     "Create the table, then INSERT … SELECT into it.");
  }
  const auto* query = create.query->as<tree::Utility>();
  if (query != nullptr && query->as<tree::Execute>() != nullptr) {
    refuse_statement("CREATE TABLE AS EXECUTE", "Write the query itself into CREATE TABLE AS.");
  }
  const PlanResult inner =
      plan_inner(planning, *create.query, to_text(*create.query, planning.shape()));
  if (!runs_on_default(planning, inner) && !create.with_no_data) {
    if (create.materialized_view) refuse_statement(utility.tag + " from sharded tables", "Use an ordinary view, or a table.");
    tree::Name name{create.table.name};
    if (!create.table.schema.empty()) name.insert(name.begin(), create.table.schema);
    return plan_made_table(planning, *create.query, {create.empty_form, made_name(planning, name, temporary), temporary});
  }
  return std::shared_ptr<const Plan>(temporary ? text_for_session(planning)
                                               : text_to_default(planning, "all is on the default shard"));
}

std::shared_ptr<Plan> plan_create_view(Planning& planning, const tree::Utility& utility,
                                       const tree::CreateView& create) {
  // A view over temporary tables is one itself, whether the statement says so or not.
  const auto& context = *planning.request->context;
  const bool reads_temporary = std::ranges::any_of(utility.relations, [&](const tree::RelationName& relation) {
    return is_temporary(context, planning.catalog(), relation.schema, relation.name);
  });
  const auto persistence = create.temporary ? tree::CreateTable::Persistence::temporary
                                            : tree::CreateTable::Persistence::permanent;
  if (reads_temporary || makes_temporary(planning, create.view, persistence)) {
    const tree::Statement query(std::move(*tree::clone(*create.query)));
    if (!runs_on_default(planning, plan_inner(planning, query, to_text(query, planning.shape())))) {
      refuse_statement("CREATE TEMPORARY VIEW over sharded tables", "Use an ordinary view.");
    }
    return text_for_session(planning);
  }
  if (reads_mapped(planning, utility, create.view.schema, create.view.name)) {
    return broadcast_text(planning, utility, "its tables are on every shard");
  }
  return text_to_default(planning, "its tables are on the default shard");
}

std::shared_ptr<Plan> plan_create_index(Planning& planning, const tree::Utility& utility,
                                        const tree::CreateIndex& create) {
  const router::MappedTable* table = mapped_table(planning, create.table);
  if (table == nullptr) {
    const Home home = home_of(planning, create.table.schema, create.table.name);
    auto plan = home.mapped ? broadcast_text(planning, utility, "its table is on every shard")
                            : text_to_default(planning, "its table is on the default shard");
    plan->outside_transaction = create.concurrently;
    return plan;
  }
  if (table->kind == conf::TableKind::whole) {
    auto plan = text_elsewhere(planning, utility, static_cast<int>(table->shard), is_shown(planning, create.table));
    plan->outside_transaction = create.concurrently;
    return plan;
  }
  if (create.unique) check_unique(*table, create.columns, "the unique index");
  auto plan = broadcast_text(planning, utility, "its table is on every shard");
  plan->outside_transaction = create.concurrently;
  return plan;
}

void check_key_column(const Planning& planning, const tree::RelationName& relation,
                      std::string_view column, std::string_view tag) {
  tree::TableRef named;
  named.schema = relation.schema;
  named.name = relation.name;
  const router::MappedTable* table = mapped_table(planning, named);
  if (table == nullptr || table->kind != conf::TableKind::sharded) return;
  const auto key = key_columns(*table);
  if (std::ranges::find(key, column) == key.end()) return;
  refuse_clause(std::string(tag) + " of column \"" + std::string(column) + "\"",
                "the map places the rows by it",
                "Change the map, and move the rows to a table with another key.");
}

namespace {

/// A table and its partition, each listed by the map: their rows are placed alike. Or their indexes.
bool parts_alike(const Planning& planning, const tree::Utility& utility) {
  if (utility.relations.size() != 2) return false;
  const auto entry = [&](const tree::RelationName& name) -> const router::MappedTable* {
    const router::Relation* relation = find_named(planning, name.schema, name.name).relation;
    return relation == nullptr ? nullptr : planning.map().find_table(relation->schema, relation->name);
  };
  const tree::RelationName& whole = utility.relations[0];
  const tree::RelationName& part = utility.relations[1];
  if (utility.kind == "AlterTableStmt" && whole.kind == tree::RelationName::Kind::index) {
    return home_of(planning, whole.schema, whole.name).mapped && home_of(planning, part.schema, part.name).mapped;
  }
  const router::MappedTable* table = entry(whole);
  const router::MappedTable* other = entry(part);
  if (table == nullptr || other == nullptr || table->kind != other->kind) return false;
  if (table->kind == conf::TableKind::reference) return true;
  return table->scheme == other->scheme && table->key == other->key && !table->expression && !other->expression;
}

void check_actions(const Planning& planning, const tree::Utility& utility,
                   const tree::AlterTable& alter) {
  for (std::size_t i = 0; i < alter.actions.size(); ++i) {
    const std::string& action = alter.actions[i];
    if ((action == "AT_DropColumn" || action == "AT_AlterColumnType") &&
        !utility.relations.empty()) {
      check_key_column(planning, utility.relations.front(), alter.names[i], utility.tag);
    }
    const bool moves_partition = action == "AT_DetachPartition" || action == "AT_AttachPartition";
    if (moves_partition && parts_alike(planning, utility)) continue;
    if (moves_partition || action == "AT_DropInherit" || action == "AT_AddInherit") {
      refuse_clause(utility.tag + " that moves parts of a table",
                    "the map does not list what would be a table of its own",
                    "List it with its table's scheme and key; or create the partition with CREATE TABLE … "
                    "PARTITION OF, and end it with DROP TABLE.");
    }
  }
}

}  // namespace

std::shared_ptr<Plan> plan_alter_table(Planning& planning, const tree::Utility& utility,
                                       const tree::AlterTable& alter) {
  const router::MappedTable* table = mapped_table(planning, alter.table);
  check_constraints(planning, alter.table, alter.columns, alter.constraints);
  if (table == nullptr) {
    const Home home = home_of(planning, alter.table.schema, alter.table.name);
    if (!home.mapped) return text_to_default(planning, "its table is on the default shard");
    check_actions(planning, utility, alter);
    return broadcast_text(planning, utility, "its tables are on every shard");
  }
  if (table->kind == conf::TableKind::whole) {
    return text_elsewhere(planning, utility, static_cast<int>(table->shard), is_shown(planning, alter.table));
  }
  if (planning.map().shards().size() > 1) {
    check_actions(planning, utility, alter);
    check_filling(planning, utility, alter, table->kind == conf::TableKind::reference);
  }
  return broadcast_text(planning, utility, "its table is on every shard");
}

}  // namespace anabranch::rewriter
