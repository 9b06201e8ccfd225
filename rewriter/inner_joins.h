#pragma once

#include <vector>

#include "rewriter/tree.h"

/// What FROM lists and inner joins join, taken apart. Internal to rewriter/.
namespace anabranch::rewriter {

/// A row of a block has one row of each item, and satisfies each condition.
struct InnerJoins {
  std::vector<const tree::FromItem*> items;  ///< tables, subqueries, functions; joins of other kinds whole
  std::vector<const tree::Expr*> conditions;  ///< conjuncts of ON and of WHERE
};
/// Not owned. Joins with USING, NATURAL, or an alias stay whole: they make names of their own.
InnerJoins inner_joins(const tree::Select& select);

struct TakenJoins {
  std::vector<tree::FromPtr> items;
  std::vector<tree::ExprPtr> conditions;
};
/// The same, in the same order, out of a select that has no FROM and WHERE afterwards.
TakenJoins take_inner_joins(tree::Select& select);

}  // namespace anabranch::rewriter
