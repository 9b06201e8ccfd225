#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "rewriter/scatter.h"

/// Expressions over merged groups, typed by the server's own rules on the closed set that the
/// evaluator does exactly. Everything else is refused, by name.
namespace anabranch::rewriter {

/// A leaf of the expression: a group column, an aggregate, or what is constant in a group. Absent:
/// the expression itself must be computed.
using Leaf = std::function<std::optional<merge::Expression>(const tree::Expr&)>;

/// What an expression over groups is for: for clients, and to sort by; as a truth value; within another one.
enum class Wanted { output, condition, operand };

/// Nothing: the operator is no comparison.
std::optional<merge::Expression::Op> comparison_op(std::string_view name);

/// Refuses what cannot be computed exactly. `expected`: the type wanted of a bare NULL; 0: none.
merge::Expression after_merge(Planning& planning, const tree::Expr& expr, const Leaf& leaf);

}  // namespace anabranch::rewriter
