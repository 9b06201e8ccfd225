#include <algorithm>

#include "rewriter/group_columns.h"

/// The text of a grouped scatter's subquery.
namespace anabranch::rewriter {

template <class Column>
tree::GroupItem GroupColumns::grouping_sets(const Column& column,
                                            const std::vector<tree::ExprPtr>& sets) const {
  const auto item = [](tree::ExprPtr expr) {
    tree::GroupItem made;
    made.expr = std::move(expr);
    return made;
  };
  const auto one_set = [&](const tree::ExprPtr* extra) {
    tree::GroupItem made;
    made.kind = tree::GroupItem::Kind::list;
    for (const Group& group : groups_of_) made.items.push_back(item(column(*group.expr)));
    if (extra != nullptr) made.items.push_back(item(tree::clone(*extra)));
    if (made.items.empty()) made.kind = tree::GroupItem::Kind::empty;
    if (made.items.size() == 1) return std::move(made.items.front());
    return made;
  };
  tree::GroupItem all;
  all.kind = tree::GroupItem::Kind::sets;
  all.items.push_back(one_set(nullptr));
  for (const tree::ExprPtr& set : sets) all.items.push_back(one_set(&set));
  return all;
}

template <class Column>
tree::ExprPtr GroupColumns::outer_state(tree::ExprPtr state, const Column& column,
                                        std::vector<tree::ExprPtr>& kept) const {
  if (!contains_aggregate(*state, planning_.functions)) {
    // Without groups it names no column, and has a value without any row.
    if (groups_of_.empty()) return state;
    // Constant in a group: any row's, which MIN would not give for every type.
    tree::ExprPtr value = column(*state);
    kept.push_back(std::move(state));
    tree::Subscript first;
    first.arg = tree::make::call({"pg_catalog", "array_agg"}, std::move(value));
    first.upper = tree::make::integer(1);
    return tree::make::expr(tree::Expr::Node(std::move(first)));
  }
  replace_arguments(state, column, kept);
  return state;
}

template <class Column>
void GroupColumns::replace_arguments(tree::ExprPtr& expr, const Column& column,
                                     std::vector<tree::ExprPtr>& kept) const {
  if (auto* call = expr->as<tree::FunctionCall>(); call != nullptr && is_aggregate(*expr)) {
    const auto replace = [&](tree::ExprPtr& slot) {
      tree::ExprPtr by = column(*slot);
      kept.push_back(std::move(slot));
      slot = std::move(by);
    };
    for (tree::ExprPtr& arg : call->args) replace(arg);
    if (call->filter) replace(call->filter);
    return;
  }
  tree::for_each_child(*expr,
                       [&](tree::ExprPtr& child) { replace_arguments(child, column, kept); });
}

tree::SelectPtr GroupColumns::make_subquery() {
  // Every group takes part, whether it is shown or not.
  for (std::size_t i = 0; i < groups_of_.size(); ++i) {
    if (groups_of_[i].base < 0) group_internal(static_cast<int>(i));
  }
  return derived_ ? derived_subquery() : plain_subquery();
}

/// Where columns are described by each execution, what is passed on has its output's name, unless the subquery has
/// groups that the statement has not: then it would be described as a group's.
std::string GroupColumns::name_of(const Input& input) const {
  if (merging().names_freely) return {};
  const bool same_groups = sets_.empty() || !groups_of_.empty();
  if (input.output >= 0 && same_groups) return result(input.output).name;
  return "anabranch_" + std::to_string(&input - inputs_.data() + 1);
}

tree::SelectPtr GroupColumns::plain_subquery() {
  tree::SelectPtr subquery = rows_only();
  for (const Input& input : inputs_) {
    subquery->targets.push_back(tree::make::target(tree::clone(*input.expr), name_of(input)));
  }
  for (const Group& group : groups_of_) add_group_item(*subquery, group.base, tree::clone(*group.expr));
  for (const DistinctSet& set : sets_) add_group_item(*subquery, set.input, set_expr(set));
  if (subquery->targets.empty()) {
    subquery->targets.push_back(tree::make::target(tree::make::count_star()));
  }
  return subquery;
}

void GroupColumns::add_group_item(tree::Select& subquery, int input, tree::ExprPtr expr) const {
  tree::GroupItem item;
  item.expr = merging().names_freely ? tree::make::integer(input + 1) : std::move(expr);
  subquery.group_by.push_back(std::move(item));
}

tree::SelectPtr GroupColumns::derived_subquery() {
  tree::SelectPtr inner = rows_only();
  const std::string table = "anabranch_rows";
  std::vector<std::pair<const tree::Expr*, std::string>> names;
  const auto name_of = [&](const tree::Expr& expr) {
    for (const auto& [known, name] : names) {
      if (tree::equal(*known, expr)) return name;
    }
    std::string name = "c" + std::to_string(names.size() + 1);
    names.emplace_back(&expr, name);
    inner->targets.push_back(tree::make::target(tree::clone(expr), name));
    return name;
  };
  auto outer = std::make_unique<tree::Select>();
  const auto column = [&](const tree::Expr& expr) {
    return tree::make::column({table, name_of(expr)});
  };
  // A set has a column of its own even where it is also a group's, or GROUPING() could not tell;
  // and the inner query stays one (OFFSET 0), or the server would take both for the same column.
  std::vector<tree::ExprPtr> sets;
  for (const DistinctSet& set : sets_) {
    const std::string name = "s" + std::to_string(sets.size() + 1);
    const tree::Expr& value = *inputs_[static_cast<std::size_t>(set.input)].expr;
    inner->targets.push_back(tree::make::target(tree::clone(value), name));
    sets.push_back(tree::make::column({table, name}));
  }
  inner->offset = tree::make::integer(0);
  const auto set_of = [&](const Input& input) {
    return static_cast<std::size_t>(
        std::ranges::find(sets_, static_cast<int>(&input - inputs_.data()), &DistinctSet::input) -
        sets_.begin());
  };
  std::vector<tree::ExprPtr> kept;  // what names refer to must live as long as they do
  for (Input& input : inputs_) {
    if (const std::size_t set = set_of(input); set < sets.size()) {
      outer->targets.push_back(tree::make::target(tree::clone(sets[set])));
    } else if (input.grouped) {
      outer->targets.push_back(tree::make::target(column(*input.expr)));
    } else {
      outer->targets.push_back(
          tree::make::target(outer_state(std::move(input.expr), column, kept)));
    }
  }
  tree::Grouping grouping;
  for (const tree::ExprPtr& set : sets) grouping.args.push_back(tree::clone(set));
  outer->targets.push_back(
      tree::make::target(tree::make::expr(tree::Expr::Node(std::move(grouping)))));
  discriminator_ = static_cast<int>(inputs_.size());
  outer->group_by.push_back(grouping_sets(column, sets));
  outer->with = std::move(inner->with);
  inner->with = {};
  outer->from.push_back(tree::make::subquery(std::move(inner), table));
  inputs_.push_back({nullptr, column_type(planning_, values::oid::int4), -1, true});
  return outer;
}

}  // namespace anabranch::rewriter
