#include "rewriter/column_types.h"

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

CollationOf named(const Planning& planning, const tree::Name& name) {
  const std::string& last = name.back();
  if (last == "C" || last == "POSIX" || last == "ucs_basic")
    return {values::Collation::c(), last, true};
  if (last == "default") return {planning.catalog().database_collation, last, true};
  // The catalog knows collations by the columns that use them.
  for (const auto& instance : planning.query.instances) {
    if (instance->relation == nullptr) continue;
    for (const router::Column& column : instance->relation->columns) {
      if (column.collation_name == quote_name(name) ||
          column.collation_name == quote_identifier(last) ||
          column.collation_name.ends_with("." + quote_identifier(last))) {
        return {column.collation, last, true};
      }
    }
  }
  return {values::Collation::unproved("its order is not known here"), last, true};
}

std::optional<CollationOf> merge(std::optional<CollationOf> left,
                                 const std::optional<CollationOf>& right) {
  if (!left) return right;
  if (!right || left->explicit_) return left;
  if (right->explicit_) return right;
  if (left->name == right->name) return left;
  if (left->name == "default" || left->name.empty()) return right;
  if (right->name == "default" || right->name.empty()) return left;
  return CollationOf{values::Collation::unproved("two collations meet in it"), "", false};
}

}  // namespace

std::optional<CollationOf> collation_of(const Planning& planning, Ident ident) {
  if (const router::Column* column = planning.query.column(ident)) {
    if (!is_collatable(column->type)) return std::nullopt;
    return CollationOf{column->collation, column->collation_name, false};
  }
  if (!ident.known()) return std::nullopt;
  const Instance& instance = planning.query.at(ident.instance);
  if (instance.kind == Instance::Kind::merged) {
    return collation_of(planning, instance.merged.front().first);
  }
  if (instance.block == nullptr) return std::nullopt;
  return collation_of(planning, *instance.block, ident.column);
}

std::optional<CollationOf> collation_of(const Planning& planning, const Block& block, int output) {
  const auto index = static_cast<std::size_t>(output);
  if (block.left != nullptr) {
    return merge(collation_of(planning, *block.left, output),
                 collation_of(planning, *block.right, output));
  }
  if (index >= block.outputs.size()) return std::nullopt;
  const OutputColumn& column = block.outputs[index];
  if (column.ident.known()) return collation_of(planning, column.ident);
  return column.expr == nullptr ? std::nullopt : collation_of(planning, *column.expr);
}

std::optional<CollationOf> collation_of(const Planning& planning, const tree::Expr& expr) {
  if (const auto* collate = expr.as<tree::Collate>()) return named(planning, collate->collation);
  if (expr.as<tree::ColumnRef>() != nullptr) return collation_of(planning, ident_of(expr));
  if (const auto* cast = expr.as<tree::TypeCast>()) {
    // A cast to a text type keeps its argument's collation, and gives the default to all else.
    if (auto inner = collation_of(planning, *cast->arg)) return inner;
    return CollationOf{planning.catalog().database_collation, "default", false};
  }
  if (const auto* call = expr.as<tree::FunctionCall>()) {
    std::optional<CollationOf> of_arguments;
    for (const tree::ExprPtr& arg : call->args) {
      of_arguments = merge(std::move(of_arguments), collation_of(planning, *arg));
    }
    if (of_arguments) return of_arguments;
  }
  std::optional<CollationOf> merged;
  bool unknown = expr.as<tree::Verbatim>() != nullptr;
  tree::for_each_child(expr, [&](const tree::Expr& child) {
    merged = merge(std::move(merged), collation_of(planning, child));
  });
  tree::for_each_subquery(expr, [&](const tree::Select&) { unknown = true; });
  if (unknown)
    return CollationOf{values::Collation::unproved("its collation is not known"), "", false};
  if (merged) return merged;
  return CollationOf{planning.catalog().database_collation, "default", false};
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
    refuse(make_error(ErrorId::no_equality, what, name_of(type),
                      "its collation " + collation->name + " is not deterministic"));
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
  return column_type(planning, column.type, column.typmod);
}

}  // namespace anabranch::rewriter
