#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "rewriter/planning.h"

/// What a query needs of the base tables that it reads, wherever these stand. Internal to rewriter/.
namespace anabranch::rewriter {

/// The rows of one use of a table, or of several uses that each shard joins for itself.
struct Piece {
  std::vector<int> instances;  ///< a sharded one first, where there is one
  std::vector<const tree::FromItem*> tables;  ///< theirs
  /// Conditions that every row which counts satisfies: of its own columns alone, of what is the same on every
  /// shard, and of subqueries that each shard answers for its own rows.
  std::vector<const tree::Expr*> filters;
  std::vector<std::shared_ptr<const tree::Expr>> implied;  ///< what a condition with OR says of its columns alone
  std::vector<std::pair<Ident, Ident>> equal;  ///< columns of which no condition says so, but several together
  std::set<Ident> columns;  ///< that the rest of the query names
  bool distinct = false;    ///< one of equal rows is enough
  bool in_view = false;     ///< the literals of its filters are not the statement's

  bool joined() const { return instances.size() > 1; }
};

struct Pieces {
  std::vector<Piece> list;
  std::map<int, std::size_t> of_instance;
  std::set<const tree::Expr*> settled;  ///< conditions that all gathered rows satisfy: the rest needs them no more
  std::set<const tree::Select*> gone;   ///< subqueries in these
  std::set<const tree::Select*> unseen;  ///< subqueries of which only that they have rows counts: EXISTS
};

/// What the workspace is left to do.
enum class Rest {
  less,   ///< what shards have joined and made sure of is not asked again
  whole,  ///< all that the statement asks: a piece is one table's rows, and some of its conditions
};

/// Refuses tables whose rows cannot be taken out of their place: TABLESAMPLE, whole rows as values, system columns,
/// relations of which the columns are not known.
Pieces pieces_of(const Planning& planning, Rest rest);

/// FROM and WHERE of a piece; the select list is the caller's.
tree::SelectPtr rows_of(const Query& query, const Piece& piece);

/// The column's name in its block: u.name.
tree::ExprPtr named(const Query& query, Ident column);

/// A table's schema does not name its rows elsewhere.
void leave_out_schema(tree::ColumnRef& reference);

/// A view's condition: its literals are its own.
void detach_literals(tree::ExprPtr& expr);

/// The subqueries of a block's expressions, or of one, in an order that is the same for a clone.
std::vector<const tree::Select*> subqueries_of(const tree::Select& select);
std::vector<tree::Select*> subqueries_of(tree::Select& select);
std::vector<const tree::Select*> subqueries_of(const tree::Expr& expr);

}  // namespace anabranch::rewriter
