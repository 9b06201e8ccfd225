#pragma once

#include <expected>
#include <optional>
#include <string>

#include "rewriter/planning.h"

/// How values that come from several shards are compared: by the type's own equality and order, or
/// not at all.
namespace anabranch::rewriter {

/// The collation of an expression by the server's rules; absent: it has none, or it is not known
/// which.
struct CollationOf {
  values::Collation collation;
  std::string name;
  bool explicit_ = false;
};
std::optional<CollationOf> collation_of(const Planning& planning, const tree::Expr& expr);
std::optional<CollationOf> collation_of(const Planning& planning, Ident ident);
/// Of an output column of a block, through stars and subqueries.
std::optional<CollationOf> collation_of(const Planning& planning, const Block& block, int output);

/// The type's name, as SQL, without a modifier: not as the grammar has it, where `character` is one of length 1.
std::string without_modifier(const values::TypeInfo& type);

/// No text in the expression has a collation under which different strings are equal.
bool compares_by_bytes(const Planning& planning, const tree::Expr& expr);

/// A column's text form depends on no setting: the client's own format can be compared.
bool text_is_canonical(const values::ColumnType& type);

/// Refuses with the type's or the collation's name where values of the type cannot be grouped
/// (`what`: "GROUP BY city").
void check_equality(const values::ColumnType& type, const std::optional<CollationOf>& collation,
                    const std::string& what);
/// The collation to sort with; refuses where the order cannot be proved.
values::Collation check_order(const values::ColumnType& type,
                              const std::optional<CollationOf>& collation, const std::string& what);

}  // namespace anabranch::rewriter
