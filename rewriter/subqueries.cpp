#include <algorithm>

#include "rewriter/distribution.h"

/// Subqueries in expressions: which of them each shard can answer for its own rows.
namespace anabranch::rewriter {
namespace {

using Kind = Distribution::Kind;
constexpr int kMembers = 1'000'000'000;  ///< the instance that stands for a subquery's own columns

void each_outer_join(const tree::FromItem& item,
                     const std::function<void(const tree::Expr&, bool outer)>& visit) {
  const auto* join = item.as<tree::Join>();
  if (join == nullptr) return;
  each_outer_join(*join->left, visit);
  each_outer_join(*join->right, visit);
  if (!join->on) return;
  visit(*join->on, join->kind != tree::Join::Kind::inner);
}

std::string name_of(const tree::Expr& expr) {
  if (const auto* in = expr.as<tree::InSubquery>()) {
    return in->negated ? "NOT IN (SELECT …)" : "IN (SELECT …)";
  }
  if (const auto* any = expr.as<tree::AnyAll>()) {
    return any->op + (any->all ? " ALL (SELECT …)" : " ANY (SELECT …)");
  }
  if (expr.as<tree::Exists>() != nullptr) return "EXISTS (SELECT …)";
  if (expr.as<tree::ArraySubquery>() != nullptr) return "ARRAY (SELECT …)";
  return "a subquery in an expression";
}

}  // namespace

void Analysis::check_subqueries(const Block& block, Rows& rows) {
  const tree::Select& select = *block.select;
  std::set<const tree::Expr*> done;
  if (select.where) {
    done.insert(select.where.get());
    check_expression(block, *select.where, rows, true);
  }
  for (const tree::FromPtr& item : select.from) {
    each_outer_join(*item, [&](const tree::Expr& on, bool outer) {
      done.insert(&on);
      if (!outer) {
        check_expression(block, on, rows, true);
        return;
      }
      // Here a row may stand for a match or for its absence: nothing is known of it.
      Rows nothing;
      nothing.distribution = rows.distribution;
      nothing.distribution.anchors.clear();
      nothing.facts.anchors = rows.facts.anchors;
      nothing.facts.null_extended = true;
      check_expression(block, on, nothing, false);
      if (nothing.distribution.kind != rows.distribution.kind) {
        const auto anchors = rows.distribution.anchors;
        rows.distribution = nothing.distribution;
        rows.distribution.anchors = anchors;
      }
    });
  }
  tree::for_each_expr(select, [&](const tree::Expr& expr) {
    if (!done.contains(&expr)) check_expression(block, expr, rows, false);
  });
}

/// `filter`: NULL and false mean the same here.
void Analysis::check_expression(const Block& block, const tree::Expr& expr, Rows& rows,
                                bool filter) {
  const auto* logic = expr.as<tree::BoolOp>();
  const bool inner_filter = filter && logic != nullptr && logic->kind != tree::BoolOp::Kind::not_;
  tree::for_each_subquery(
      expr, [&](const tree::Select& select) { check_subquery(block, select, expr, rows, filter); });
  tree::for_each_child(
      expr, [&](const tree::Expr& child) { check_expression(block, child, rows, inner_filter); });
}

void Analysis::check_subquery(const Block& block, const tree::Select& select,
                              const tree::Expr& expr, Rows& rows, bool filter) {
  const auto found = block.subqueries.find(&select);
  if (found == block.subqueries.end()) {
    rows.distribution = Distribution::refuse("a subquery inside an expression that is not known");
    return;
  }
  Facts facts = rows.facts;
  const auto& anchors = rows.distribution.anchors;
  facts.anchors.insert(facts.anchors.end(), anchors.begin(), anchors.end());
  const Distribution inner = of(*found->second, facts, kMembers);
  Distribution& outer = rows.distribution;
  if (outer.kind == Kind::split_up) return;
  switch (inner.kind) {
    case Kind::none:
    case Kind::reference:
      if (!inner.unstable.empty()) {
        if (outer.kind == Kind::sharded) outer = Distribution::refuse(inner.unstable);
        if (outer.same_everywhere()) outer.unstable = inner.unstable;
      }
      if (outer.kind == Kind::none) outer.kind = inner.kind;
      return;
    case Kind::local:
      if (outer.same_everywhere()) outer.kind = Kind::local;
      return;
    case Kind::whole:
      if (outer.same_everywhere()) {
        outer.kind = Kind::whole;
        outer.shard = inner.shard;
      } else if (outer.kind != Kind::whole || outer.shard != inner.shard) {
        outer = Distribution::refuse("a subquery reads a table that is whole on one shard",
                                     "Make the table that is on one shard a reference table.");
      }
      return;
    case Kind::sharded:
      if (membership(expr, *found->second, inner, rows, filter)) return;
      outer = Distribution::refuse(
          outer.same_everywhere() ? "it reads sharded tables for rows that are on every shard"
                                  : "it is not tied to the key of the rows it is asked for",
          "Correlate the subquery by the key, or run it as a statement of its own.", name_of(expr));
      return;
    case Kind::split_up:
      outer = inner;
      if (outer.clause.empty()) outer.clause = name_of(expr);
      return;
  }
}

/// `key IN (SELECT key …)`: members and rows with equal keys are on one shard. Where NULL is not
/// false, neither may be NULL, as a NULL on another shard would change the answer.
bool Analysis::membership(const tree::Expr& expr, const Block& inner, const Distribution& members,
                          const Rows& rows, bool filter) const {
  const tree::Expr* arg = nullptr;
  bool negated = false;
  if (const auto* in = expr.as<tree::InSubquery>()) {
    arg = in->arg.get();
    negated = in->negated;
  } else if (const auto* any = expr.as<tree::AnyAll>()) {
    if (any->all ? any->op != "<>" : any->op != "=") return false;
    if (!any->op_schema.empty() && any->op_schema != "pg_catalog") return false;
    arg = any->arg.get();
    negated = any->all;
  } else {
    return false;
  }
  std::vector<const tree::Expr*> args = {arg};
  if (const auto* row = arg->as<tree::Row>()) {
    args.clear();
    for (const tree::ExprPtr& field : row->fields) args.push_back(field.get());
  }
  const bool null_is_false = filter && !negated;
  if (!null_is_false && args.size() > 1) return false;
  std::vector<KeyTuple> places = rows.distribution.anchors;
  places.insert(places.end(), rows.facts.anchors.begin(), rows.facts.anchors.end());
  Facts facts = rows.facts;
  for (std::size_t i = 0; i < args.size() && i < inner.outputs.size(); ++i) {
    const Ident left = ident_of(*args[i]);
    const Ident right = inner.outputs[i].ident;
    if (!same_value(query_, left, right)) continue;
    facts.equalities.emplace_back(left, Ident{kMembers, static_cast<int>(i)});
    if (!null_is_false && (!not_null(left) || !not_null(right))) return false;
  }
  return std::ranges::any_of(members.keys, [&](const KeyTuple& key) {
    return std::ranges::any_of(
        places, [&](const KeyTuple& place) { return same_place(query_, facts, key, place); });
  });
}

/// A base table's column that is declared NOT NULL, in a block without outer joins.
bool Analysis::not_null(Ident ident) const {
  const router::Column* column = query_.column(ident);
  if (column == nullptr || !column->not_null) return false;
  for (const auto& block : query_.blocks) {
    if (std::ranges::find(block->instances, ident.instance) == block->instances.end()) continue;
    if (block->select == nullptr) return true;
    bool outer = false;
    for (const tree::FromPtr& item : block->select->from) {
      tree::for_each_from(*item, [&](const tree::FromItem& at) {
        const auto* join = at.as<tree::Join>();
        outer |= join != nullptr && join->kind != tree::Join::Kind::inner &&
                 join->kind != tree::Join::Kind::cross;
      });
    }
    return !outer;
  }
  return false;
}

}  // namespace anabranch::rewriter
