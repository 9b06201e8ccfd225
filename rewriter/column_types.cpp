#include "rewriter/column_types.h"

#include "rewriter/merging.h"
#include "values/key.h"

namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

bool is_collatable(const values::ColumnType& type) {
  const values::TypeInfo* info = values::find_type(type.oid);
  return info != nullptr && info->is_collatable;
}

std::string name_of(const values::ColumnType& type) {
  return values::type_name(type);
}

/// Nothing is known of it: it may order and equate in any way.
CollationOf unknown(std::string reason, std::string name = {}, bool is_explicit = false) {
  return {values::Collation::unproved(std::move(reason), false), std::move(name), is_explicit};
}

/// Of a dialect whose shards compute what its text is compared by: that is bytes.
std::optional<CollationOf> settled(const Planning& planning) {
  if (planning.language().merging->has_collations) return std::nullopt;
  return CollationOf{values::Collation::c(), "binary", false};
}

CollationOf database_default(const Planning& planning, bool is_explicit = false) {
  return {planning.catalog().database_collation, "default", is_explicit};
}

CollationOf named(const Planning& planning, const tree::Name& name) {
  const std::string& last = name.back();
  if (name.size() == 1 || name.front() == "pg_catalog") {
    if (last == "C" || last == "POSIX" || last == "ucs_basic") {
      return {values::Collation::c(), last, true};
    }
    if (last == "default") return database_default(planning, true);
  }
  const router::Catalog& catalog = planning.catalog();
  const router::NamedCollation* found =
      name.size() > 1 ? catalog.find_collation(name[name.size() - 2], last)
                      : catalog.find_collation(planning.request->context->search_path, last);
  if (found == nullptr) return unknown("its order is not known here", last, true);
  if (found->differs) return unknown("it is not the same on every shard", last, true);
  return {values::Collation::from_server(found->provider, found->locale, found->version,
                                         found->deterministic),
          last, true};
}

bool is_default(const CollationOf& collation) {
  return collation.name == "default" || collation.name == "pg_catalog.\"default\"" ||
         collation.name.empty();
}

std::optional<CollationOf> merge(std::optional<CollationOf> left,
                                 const std::optional<CollationOf>& right) {
  if (!left) return right;
  if (!right || left->explicit_) return left;
  if (right->explicit_) return right;
  if (left->name == right->name) return left;
  if (is_default(*left)) return right;
  if (is_default(*right)) return left;
  return unknown("two collations meet in it");
}

/// What a function in FROM makes of its arguments: it has their collation.
CollationOf of_function(const Planning& planning, const Instance& instance) {
  std::optional<CollationOf> merged;
  for (const tree::Expr* call : instance.calls) {
    merged = merge(std::move(merged), collation_of(planning, *call));
  }
  return merged ? *merged : database_default(planning);
}

const Block* block_of(const Planning& planning, const tree::Select& select) {
  for (const auto& block : planning.query.blocks) {
    const auto found = block->subqueries.find(&select);
    if (found != block->subqueries.end()) return found->second;
  }
  return nullptr;
}

}  // namespace

std::optional<CollationOf> collation_of(const Planning& planning, Ident ident) {
  if (auto bytes = settled(planning)) return bytes;
  if (const router::Column* column = planning.query.column(ident)) {
    if (!is_collatable(column->type)) return std::nullopt;
    return CollationOf{column->collation, column->collation_name, false};
  }
  if (!ident.known()) return std::nullopt;
  const Instance& instance = planning.query.at(ident.instance);
  if (instance.kind == Instance::Kind::merged) {
    return merge(collation_of(planning, instance.merged.front().first),
                 collation_of(planning, instance.merged.front().second));
  }
  if (instance.kind == Instance::Kind::function) return of_function(planning, instance);
  if (instance.block == nullptr) return unknown("its collation is not known");
  return collation_of(planning, *instance.block, ident.column);
}

std::optional<CollationOf> collation_of(const Planning& planning, const Block& block, int output) {
  if (auto bytes = settled(planning)) return bytes;
  const auto index = static_cast<std::size_t>(output);
  if (block.left != nullptr) {
    return merge(collation_of(planning, *block.left, output),
                 collation_of(planning, *block.right, output));
  }
  if (index >= block.outputs.size()) return unknown("its collation is not known");
  const OutputColumn& column = block.outputs[index];
  if (column.ident.known()) return collation_of(planning, column.ident);
  return column.expr == nullptr ? std::nullopt : collation_of(planning, *column.expr);
}

std::optional<CollationOf> collation_of(const Planning& planning, const tree::Expr& expr) {
  if (auto bytes = settled(planning)) return bytes;
  if (const auto* collate = expr.as<tree::Collate>()) return named(planning, collate->collation);
  if (expr.as<tree::ColumnRef>() != nullptr) return collation_of(planning, ident_of(expr));
  if (const auto* cast = expr.as<tree::TypeCast>()) {
    // A domain may have a collation of its own.
    if (cast->type.names.empty() || values::find_type_by_name(cast->type.names.back()) == nullptr) {
      return unknown("its collation is not known");
    }
    // A cast to a text type keeps its argument's collation, and gives the default to all else.
    if (auto inner = collation_of(planning, *cast->arg)) return inner;
    return database_default(planning);
  }
  if (const auto* call = expr.as<tree::FunctionCall>()) {
    std::optional<CollationOf> of_arguments;
    for (const tree::ExprPtr& arg : call->args) {
      of_arguments = merge(std::move(of_arguments), collation_of(planning, *arg));
    }
    if (of_arguments) return of_arguments;
  }
  if (expr.as<tree::Verbatim>() != nullptr) return unknown("its collation is not known");
  std::optional<CollationOf> merged;
  tree::for_each_child(expr, [&](const tree::Expr& child) {
    merged = merge(std::move(merged), collation_of(planning, child));
  });
  tree::for_each_subquery(expr, [&](const tree::Select& select) {
    const Block* block = block_of(planning, select);
    merged = merge(std::move(merged), block == nullptr ? unknown("its collation is not known")
                                                       : collation_of(planning, *block, 0));
  });
  if (merged) return merged;
  return database_default(planning);
}

std::string without_modifier(const values::TypeInfo& type) {
  return "pg_catalog." + quote_identifier(type.internal);
}

bool compares_by_bytes(const Planning& planning, const tree::Expr& expr) {
  bool by_bytes = true;
  tree::walk(expr, [&](const tree::Expr& at) {
    if (at.as<tree::ColumnRef>() != nullptr || at.as<tree::Collate>() != nullptr) {
      const auto collation = collation_of(planning, at);
      by_bytes &= !collation || collation->collation.deterministic();
    }
    return by_bytes;
  });
  return by_bytes;
}

bool text_is_canonical(const values::ColumnType& type) {
  if (type.enumeration && values::find_type(type.oid) == nullptr) return true;
  const values::TypeInfo* info = values::find_type(type.oid);
  return info != nullptr && info->text_is_canonical;
}

void check_equality(const values::ColumnType& type, const std::optional<CollationOf>& collation,
                    const std::string& what) {
  values::KeySpec spec;
  spec.type = type;
  spec.format = values::Format::binary;
  if (auto encoder = values::KeyEncoder::make(spec); !encoder) {
    refuse(make_error(ErrorId::no_equality, what, name_of(type), encoder.error()));
  }
  if (is_collatable(type) && collation && !collation->collation.deterministic()) {
    const std::string why =
        collation->collation.can_order()
            ? "its collation " + collation->name + " is not deterministic"
            : "collation " + collation->name + ": " + std::string(collation->collation.reason());
    refuse(make_error(ErrorId::no_equality, what, name_of(type), why));
  }
}

values::Collation check_order(const values::ColumnType& type,
                              const std::optional<CollationOf>& collation,
                              const std::string& what) {
  values::KeySpec spec;
  spec.type = type;
  spec.format = values::Format::binary;
  const bool collatable = is_collatable(type);
  if (collatable) {
    if (!collation) {
      refuse(make_error(ErrorId::ordering_unprovable, what, "its collation is not known"));
    }
    if (!collation->collation.can_order()) {
      refuse(make_error(ErrorId::ordering_unprovable, what,
                        "the order of collation " + collation->name +
                            " is not proved: " + std::string(collation->collation.reason())));
    }
    spec.collation = collation->collation;
  }
  if (auto encoder = values::KeyEncoder::make(spec); !encoder) {
    refuse(make_error(ErrorId::ordering_unprovable, what, encoder.error()));
  }
  const values::TypeInfo* info = values::find_type(type.oid);
  const bool ordered = info != nullptr ? info->has_order : type.enumeration != nullptr;
  if (!ordered) {
    refuse(make_error(ErrorId::ordering_unprovable, what,
                      "the order of type " + name_of(type) + " is not known"));
  }
  return spec.collation;
}

values::ColumnType column_type(const Planning& planning, values::Oid type, std::int32_t typmod) {
  values::ColumnType made;
  made.oid = type;
  made.typmod = typmod;
  made.enumeration = planning.catalog().find_enum(type);
  if (const values::TypeInfo* info = values::find_type(type);
      info == nullptr && !made.enumeration) {
    made.enumeration = nullptr;
  }
  return made;
}

values::ColumnType column_type(const Planning& planning, const ResultColumn& column) {
  return planning.language().merging->type(planning, column);
}

merge::Recipe rows_as_they_come(const Planning& planning, const std::vector<ResultColumn>& columns) {
  merge::Recipe recipe;
  recipe.source = merge::Concat{};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const values::ColumnType type = column_type(planning, columns[i]);
    recipe.inputs.push_back({type, static_cast<int>(i), values::Format::text});
    recipe.outputs.push_back({static_cast<int>(i), type});
  }
  return recipe;
}

}  // namespace anabranch::rewriter
