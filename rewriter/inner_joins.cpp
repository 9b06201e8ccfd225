#include "rewriter/inner_joins.h"

namespace anabranch::rewriter {
namespace {

bool can_take_apart(const tree::Join& join) {
  const bool inner = join.kind == tree::Join::Kind::inner || join.kind == tree::Join::Kind::cross;
  return inner && !join.natural && !join.straight && join.using_columns.empty() && join.alias.name.empty();
}

void add(const tree::FromItem& item, InnerJoins& joins) {
  const auto* join = item.as<tree::Join>();
  if (join == nullptr || !can_take_apart(*join)) {
    joins.items.push_back(&item);
    return;
  }
  add(*join->left, joins);
  add(*join->right, joins);
  for (const tree::Expr* conjunct : tree::conjuncts(join->on.get())) joins.conditions.push_back(conjunct);
}

void take_condition(tree::ExprPtr condition, std::vector<tree::ExprPtr>& conditions) {
  if (!condition) return;
  auto* logic = condition->as<tree::BoolOp>();
  if (logic == nullptr || logic->kind != tree::BoolOp::Kind::and_) {
    conditions.push_back(std::move(condition));
    return;
  }
  for (tree::ExprPtr& arg : logic->args) take_condition(std::move(arg), conditions);
}

void take(tree::FromPtr item, TakenJoins& joins) {
  auto* join = item->as<tree::Join>();
  if (join == nullptr || !can_take_apart(*join)) {
    joins.items.push_back(std::move(item));
    return;
  }
  take(std::move(join->left), joins);
  take(std::move(join->right), joins);
  take_condition(std::move(join->on), joins.conditions);
}

}  // namespace

InnerJoins inner_joins(const tree::Select& select) {
  InnerJoins joins;
  for (const tree::FromPtr& item : select.from) add(*item, joins);
  for (const tree::Expr* conjunct : tree::conjuncts(select.where.get())) joins.conditions.push_back(conjunct);
  return joins;
}

TakenJoins take_inner_joins(tree::Select& select) {
  TakenJoins joins;
  for (tree::FromPtr& item : select.from) take(std::move(item), joins);
  take_condition(std::move(select.where), joins.conditions);
  select.from.clear();
  return joins;
}

}  // namespace anabranch::rewriter
