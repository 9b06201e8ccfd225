#include <algorithm>
#include <cctype>

#include "rewriter/utility.h"

/// DDL of mapped tables: on all shards, and only what keeps the meaning of their constraints.
namespace anabranch::rewriter {
namespace {

const router::MappedTable* mapped_table(const Planning& planning, const tree::TableRef& table) {
  const auto& path = planning.request->context->search_path;
  const router::Relation* relation = find_table(planning.catalog(), path, table.schema, table.name);
  const int index = find_mapped(planning.map(), relation, path, table.schema, table.name);
  return index < 0 ? nullptr : &planning.map().tables()[static_cast<std::size_t>(index)];
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

void check_foreign_key(const Planning& planning, const router::MappedTable& table,
                       const std::vector<std::string>& columns, const tree::TableRef& other) {
  const router::MappedTable* target = mapped_table(planning, other);
  if (target != nullptr && target->kind == conf::TableKind::reference) return;
  const bool together = target != nullptr && table.kind == conf::TableKind::sharded &&
                        target->kind == conf::TableKind::sharded &&
                        target->scheme == table.scheme && holds_key(table, columns);
  if (together) return;
  refuse(values::SqlError("0A000",
                          "the foreign key from \"" + table.name.name + "\" to \"" + other.name +
                              "\" cannot be kept: the rows may be on different shards",
                          "Reference a reference table, or a co-located table by its key."),
         false);
}

void check_constraints(const Planning& planning, const router::MappedTable& table,
                       const tree::CreateTable& create) {
  for (const tree::ColumnDefinition& column : create.columns) {
    if (column.primary_key || column.unique) {
      check_unique(table, {column.name},
                   column.primary_key ? "the primary key" : "the unique constraint");
    }
    if (column.references && table.kind == conf::TableKind::sharded &&
        !holds_key(table, {column.name})) {
      // Which table it references is not at hand here: only a key column's reference may be local.
      refuse(values::SqlError("0A000",
                              "REFERENCES on column \"" + column.name + "\" of a sharded table",
                              "Write it as a table constraint: FOREIGN KEY (…) REFERENCES …."),
             false);
    }
  }
  for (const auto& constraint : create.constraints) {
    if (constraint.kind == "PRIMARY KEY")
      check_unique(table, constraint.columns, "the primary key");
    if (constraint.kind == "UNIQUE") {
      check_unique(table, constraint.columns, "the unique constraint");
    }
    if (constraint.kind == "EXCLUDE" && table.kind == conf::TableKind::sharded) {
      refuse_statement("EXCLUDE on a sharded table", "No shard could keep it.");
    }
    if (constraint.references) {
      check_foreign_key(planning, table, constraint.columns, *constraint.references);
    }
  }
}

bool contains_word(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; };
  return !std::ranges::search(text, word, same).empty();
}

/// Whether CREATE VIEW's query reads what is on every shard; refuses what no shard could answer.
bool reads_mapped(const Planning& planning, const tree::Utility& utility,
                  std::string_view except_schema, std::string_view except_name) {
  bool mapped = false;
  bool elsewhere = false;
  for (const tree::RelationName& relation : utility.relations) {
    if (relation.name == except_name && relation.schema == except_schema) continue;
    const Home home = home_of(planning, relation.schema, relation.name);
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
  if (create.persistence == tree::CreateTable::Persistence::temporary) {
    refuse_statement("CREATE TEMPORARY TABLE", "Use an ordinary table.");
  }
  if (create.partition_of) {
    const router::MappedTable* parent = mapped_table(planning, *create.partition_of);
    if (parent != nullptr && parent->kind != conf::TableKind::whole) {
      return broadcast_text(planning, utility, "partitions follow their table");
    }
  }
  const router::MappedTable* table = mapped_table(planning, create.table);
  for (const tree::TableRef& parent : create.inherits) {
    const router::MappedTable* other = mapped_table(planning, parent);
    if (other != nullptr || table != nullptr) {
      refuse_statement("INHERITS of mapped tables", "Use a table of its own.");
    }
  }
  if (table == nullptr) return text_to_default(planning, "the map does not list the table");
  if (table->kind == conf::TableKind::whole) {
    return relay_to(planning, static_cast<int>(table->shard), "the map puts it on one shard");
  }
  check_constraints(planning, *table, create);
  return broadcast_text(planning, utility, "the map lists the table: it is on every shard");
}

PlanResult plan_create_table_as(Planning& planning, const tree::Utility& utility,
                                const tree::CreateTableAs& create) {
  if (create.persistence == tree::CreateTable::Persistence::temporary) {
    refuse_statement("CREATE TEMPORARY TABLE", "Use an ordinary table.");
  }
  if (mapped_table(planning, create.table) != nullptr) {
    refuse_statement(utility.tag + " of a table of the map",
                     "Create the table, then INSERT … SELECT into it.");
  }
  const auto* query = create.query->as<tree::Utility>();
  if (query != nullptr && query->as<tree::Execute>() != nullptr) {
    refuse_statement("CREATE TABLE AS EXECUTE", "Write the query itself into CREATE TABLE AS.");
  }
  const PlanResult inner =
      plan_inner(planning, *create.query, to_text(*create.query, planning.shape()));
  const auto* made = std::get_if<std::shared_ptr<const Plan>>(&inner);
  const bool local = made != nullptr && (*made)->kind == PlanKind::relay &&
                     ((*made)->routing.mode == Routing::Mode::any_shard ||
                      ((*made)->routing.mode == Routing::Mode::one_shard &&
                       (*made)->routing.shard == static_cast<int>(planning.map().default_shard())));
  if (!local) {
    refuse_statement(utility.tag + " from sharded tables",
                     "Create the table, then copy the rows into it.");
  }
  return std::shared_ptr<const Plan>(text_to_default(planning, "all is on the default shard"));
}

std::shared_ptr<Plan> plan_create_view(Planning& planning, const tree::Utility& utility,
                                       const tree::CreateView& create) {
  if (create.temporary) refuse_statement("CREATE TEMPORARY VIEW", "Use an ordinary view.");
  if (reads_mapped(planning, utility, create.view.schema, create.view.name)) {
    return broadcast_text(planning, utility, "its tables are on every shard");
  }
  return text_to_default(planning, "its tables are on the default shard");
}

std::shared_ptr<Plan> plan_create_index(Planning& planning, const tree::Utility& utility,
                                        const tree::CreateIndex& create) {
  const router::MappedTable* table = mapped_table(planning, create.table);
  if (table == nullptr) return text_to_default(planning, "its table is on the default shard");
  if (table->kind == conf::TableKind::whole) {
    auto plan = relay_to(planning, static_cast<int>(table->shard), "its table is on one shard");
    plan->effect = Effect::ddl;
    plan->outside_transaction = create.concurrently;
    return plan;
  }
  if (create.unique) check_unique(*table, create.columns, "the unique index");
  auto plan = broadcast_text(planning, utility, "its table is on every shard");
  plan->outside_transaction = create.concurrently;
  return plan;
}

std::shared_ptr<Plan> plan_alter_table(Planning& planning, const tree::Utility& utility,
                                       const tree::AlterTable& alter) {
  const router::MappedTable* table = mapped_table(planning, alter.table);
  if (table == nullptr) {
    const Home home = home_of(planning, alter.table.schema, alter.table.name);
    return home.mapped ? broadcast_text(planning, utility, "its tables are on every shard")
                       : text_to_default(planning, "its table is on the default shard");
  }
  if (table->kind == conf::TableKind::whole) {
    auto plan = relay_to(planning, static_cast<int>(table->shard), "its table is on one shard");
    plan->effect = Effect::ddl;
    return plan;
  }
  // The words of the clause are all that is known of a new constraint.
  const bool constrains =
      contains_word(utility.text, "UNIQUE") || contains_word(utility.text, "PRIMARY KEY") ||
      contains_word(utility.text, "EXCLUDE") || contains_word(utility.text, "REFERENCES");
  const bool adds = std::ranges::any_of(alter.actions, [](const std::string& action) {
    return action == "AT_AddConstraint" || action == "AT_AddIndex" || action == "AT_AddColumn";
  });
  if (table->kind == conf::TableKind::sharded && adds && constrains) {
    refuse_statement("ALTER TABLE … ADD of a unique, exclusion or foreign-key constraint",
                     "Declare it in CREATE TABLE, where it is checked against the key.");
  }
  if (planning.map().shards().size() > 1) {
    check_filling(planning, utility, alter, table->kind == conf::TableKind::reference);
  }
  return broadcast_text(planning, utility, "its table is on every shard");
}

}  // namespace anabranch::rewriter
