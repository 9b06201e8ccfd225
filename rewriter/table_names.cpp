#include <algorithm>

#include "rewriter/buckets.h"

namespace anabranch::rewriter {

const router::Relation* find_table(const router::Catalog& catalog,
                                   const std::vector<std::string>& search_path,
                                   std::string_view schema, std::string_view name) {
  if (!schema.empty()) return catalog.find_relation({std::string(schema)}, name);
  bool names_catalog = false;
  for (const std::string& entry : search_path) names_catalog |= entry == "pg_catalog";
  if (!names_catalog) {
    if (const auto* found = catalog.find_relation({"pg_catalog"}, name)) return found;
  }
  for (const std::string& entry : search_path) {
    if (const auto* found = catalog.find_relation({entry}, name)) return found;
  }
  return nullptr;
}

bool is_temporary(const PlanningContext& context, const router::Catalog& catalog,
                  std::string_view schema, std::string_view name) {
  if (context.dialect == Dialect::mysql) {
    const bool here = schema.empty() || schema == context.search_path.front();
    return here && std::ranges::binary_search(context.temporary, name);
  }
  if (!schema.empty()) return schema == "pg_temp" || schema.starts_with("pg_temp_");
  if (!std::ranges::binary_search(context.temporary, name)) return false;
  const auto& path = context.search_path;
  const auto place = std::ranges::find(path, "pg_temp");
  if (place == path.end()) return true;
  return find_table(catalog, {path.begin(), place}, {}, name) == nullptr;
}

namespace {

int index_in(const router::ShardMap& map, std::string_view schema, std::string_view name) {
  const router::MappedTable* table = map.find_table(schema, name);
  return table == nullptr ? -1 : static_cast<int>(table - map.tables().data());
}

int index_of_owner(const router::ShardMap& map, const router::Catalog& catalog,
                   const router::Relation& relation) {
  using enum router::RelationKind;
  constexpr int deepest = 32;
  const bool counts = relation.kind == sequence;
  if (!counts && relation.kind != table && relation.kind != partitioned) return -1;
  const router::Relation* at = &relation;
  for (int depth = 0; depth < deepest && at != nullptr && !at->parent.empty(); ++depth) {
    const int found = index_in(map, at->parent_schema, at->parent);
    if (found >= 0) {
      const bool whole = map.tables()[static_cast<std::size_t>(found)].kind == conf::TableKind::whole;
      return counts && !whole ? -1 : found;
    }
    at = catalog.find_relation({at->parent_schema}, at->parent);
  }
  return -1;
}

}  // namespace

int find_mapped(const router::ShardMap& map, const router::Catalog& catalog,
                const router::Relation* relation, const std::vector<std::string>& search_path,
                std::string_view schema, std::string_view name) {
  if (relation != nullptr) {
    const int listed = index_in(map, relation->schema, relation->name);
    return listed >= 0 ? listed : index_of_owner(map, catalog, *relation);
  }
  if (!schema.empty()) return index_in(map, schema, name);
  for (const std::string& entry : search_path) {
    if (const int found = index_in(map, entry, name); found >= 0) return found;
  }
  return -1;
}

NamedTable find_any_named(const Planning& planning, std::string_view schema, std::string_view name) {
  const PlanningContext& context = *planning.request->context;
  NamedTable named;
  named.temporary = is_temporary(context, planning.catalog(), schema, name);
  if (named.temporary) return named;
  named.relation = find_table(planning.catalog(), context.search_path, schema, name);
  named.index = find_mapped(planning.map(), planning.catalog(), named.relation, context.search_path, schema, name);
  if (named.index >= 0) named.table = &planning.map().tables()[static_cast<std::size_t>(named.index)];
  return named;
}

NamedTable find_named(const Planning& planning, std::string_view schema, std::string_view name) {
  NamedTable named = find_any_named(planning, schema, name);
  if (named.table != nullptr) check_no_buckets(planning, *named.table);
  return named;
}

std::string implicit_name(const tree::Expr& expr) {
  if (const auto* column = expr.as<tree::ColumnRef>()) {
    return column->parts.empty() ? "?column?" : column->parts.back();
  }
  if (const auto* call = expr.as<tree::FunctionCall>()) return call->name.back();
  if (const auto* field = expr.as<tree::FieldSelect>()) return field->field;
  if (const auto* subscript = expr.as<tree::Subscript>()) return implicit_name(*subscript->arg);
  if (const auto* collate = expr.as<tree::Collate>()) return implicit_name(*collate->arg);
  if (expr.as<tree::Coalesce>() != nullptr) return "coalesce";
  if (expr.as<tree::NullIf>() != nullptr) return "nullif";
  if (expr.as<tree::Exists>() != nullptr) return "exists";
  if (expr.as<tree::Grouping>() != nullptr) return "grouping";
  if (expr.as<tree::AtTimeZone>() != nullptr) return "timezone";
  if (expr.as<tree::ArrayLiteral>() != nullptr || expr.as<tree::ArraySubquery>() != nullptr) {
    return "array";
  }
  if (expr.as<tree::Row>() != nullptr) return "row";
  if (const auto* value = expr.as<tree::SqlValueFunction>()) return value->name;
  if (const auto* choice = expr.as<tree::MinMax>()) return choice->greatest ? "greatest" : "least";
  if (const auto* cast = expr.as<tree::TypeCast>()) {
    const std::string inner = implicit_name(*cast->arg);
    const bool strong = inner != "?column?" && inner != "case";
    return strong || cast->type.names.empty() ? inner : cast->type.names.back();
  }
  if (const auto* choice = expr.as<tree::Case>()) {
    const std::string inner = choice->otherwise ? implicit_name(*choice->otherwise) : "?column?";
    return inner == "?column?" ? "case" : inner;
  }
  if (const auto* scalar = expr.as<tree::ScalarSubquery>()) {
    if (scalar->query->targets.size() == 1) {
      const tree::Target& target = scalar->query->targets.front();
      return target.alias.empty() ? implicit_name(*target.expr) : target.alias;
    }
  }
  return "?column?";
}

}  // namespace anabranch::rewriter
