#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rewriter/tree_query.h"
#include "rewriter/tree_utility.h"

/// The syntax tree: whole statements, and what is done with any part of one.
namespace anabranch::rewriter::tree {

struct Statement {
  using Node = std::variant<Select, Insert, Update, Delete, Utility>;
  Node node;
  /// Literals that stand in the statement but not as Literal nodes that are printed (type
  /// modifiers, verbatim text, utilities): they belong to the cache key whatever the planner reads.
  /// Ascending; filled in for the outermost statement only.
  std::vector<int> baked;

  explicit Statement(Node n);
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();
  template <class T>
  T* as() {
    return std::get_if<T>(&node);
  }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};

// -------------------------------------------------------------------------------------- helpers

ExprPtr clone(const Expr& expr);
SelectPtr clone(const Select& select);
StatementPtr clone(const Statement& statement);  ///< utilities too
FromPtr clone(const FromItem& item);
SortKey clone(const SortKey& key);
WindowDef clone(const WindowDef& window);
GroupItem clone(const GroupItem& item);
With clone(const With& with);
Target clone(const Target& target);
Insert clone(const Insert& insert);
Update clone(const Update& update);
Delete clone(const Delete& delete_);
inline ExprPtr clone(const ExprPtr& expr) {
  return expr ? clone(*expr) : nullptr;
}  ///< null-safe
inline SelectPtr clone(const SelectPtr& select) {
  return select ? clone(*select) : nullptr;
}
inline FromPtr clone(const FromPtr& item) {
  return item ? clone(*item) : nullptr;
}

/// identity: two literals are equal when they are the same token or spelled the same (this needs no
/// pin: equalities of spellings are in the cache key); a planner's constant equals only another one
/// with the same value. value: by kind and value, for trees of different statements.
enum class LiteralMatch { identity, value };
/// Structural equality; locations and resolutions do not count.
bool equal(const Expr& a, const Expr& b, LiteralMatch match = LiteralMatch::identity);
bool equal(const Select& a, const Select& b, LiteralMatch match = LiteralMatch::identity);
bool equal(const Statement& a, const Statement& b, LiteralMatch match = LiteralMatch::identity);

/// The expression's own direct sub-expressions (FILTER, ORDER BY and OVER of a call included; not
/// those inside subqueries; a Verbatim's children included). The slot may be replaced.
void for_each_child(Expr& expr, const std::function<void(ExprPtr&)>& visit);
void for_each_child(const Expr& expr, const std::function<void(const Expr&)>& visit);
/// The subqueries directly in this node (IN, ANY, EXISTS, scalar, array).
void for_each_subquery(Expr& expr, const std::function<void(Select&)>& visit);
void for_each_subquery(const Expr& expr, const std::function<void(const Select&)>& visit);
/// Expr and everything below, parents first, without entering subqueries; visit answers whether to
/// go below. Throws SqlError 54001 past max_depth.
inline constexpr int max_depth = 10'000;
void walk(const Expr& expr, const std::function<bool(const Expr&)>& visit);
/// Slots, children first: visit may replace what the slot holds.
void transform(ExprPtr& expr, const std::function<void(ExprPtr&)>& visit);

/// The expressions that stand directly in this block's clauses (targets, ON of joins, where, group
/// by, having, windows, values, order by, limit, offset, distinct on, functions in FROM); neither
/// CTEs, nor subqueries in FROM, nor the arms of a set operation.
void for_each_expr(Select& select, const std::function<void(ExprPtr&)>& visit);
void for_each_expr(const Select& select, const std::function<void(const Expr&)>& visit);
/// From items of the block, joins first, then what they join.
void for_each_from(Select& select, const std::function<void(FromPtr&)>& visit);
void for_each_from(const Select& select, const std::function<void(const FromItem&)>& visit);
void for_each_from(const FromItem& item, const std::function<void(const FromItem&)>& visit);

/// `5`, `-5`, `+5` and these in casts' arguments: the literal and its sign. Absent for all else.
struct SignedLiteral {
  const Literal* literal;
  bool negative;
};
std::optional<SignedLiteral> signed_literal(const Expr& expr);
/// Single conjuncts of a condition (AND flattened), not owned.
std::vector<const Expr*> conjuncts(const Expr* condition);

/// New nodes, for the planner.
namespace make {
ExprPtr expr(Expr::Node node, int location = -1);
ExprPtr column(Name parts);
ExprPtr star();
ExprPtr integer(std::int64_t value);
ExprPtr string(std::string value);
ExprPtr boolean(bool value);
ExprPtr null();
ExprPtr param(int number);
ExprPtr call(Name name, std::vector<ExprPtr> args);
ExprPtr call(Name name, ExprPtr arg);
ExprPtr count_star();
ExprPtr op(std::string name, ExprPtr left, ExprPtr right);
ExprPtr cast(ExprPtr arg, std::string type_text);  ///< type_text printed as it is: "bigint"
ExprPtr all_of(std::vector<ExprPtr> args);         ///< nulls skipped; null if none is left
ExprPtr any_of(std::vector<ExprPtr> args);
ExprPtr negation(ExprPtr arg);
ExprPtr raw(std::string text);  ///< Verbatim without children
Target target(ExprPtr expr, std::string alias = {});
FromPtr table(std::string schema, std::string name, std::string alias = {});
FromPtr subquery(SelectPtr query, std::string alias);
}  // namespace make

}  // namespace anabranch::rewriter::tree
