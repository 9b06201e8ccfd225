#include "rewriter/finish.h"

#include <algorithm>
#include <utility>

namespace anabranch::rewriter {
namespace {

constexpr const char* relation = "anabranch_rows";

std::string name_of(int index) {
  return "c" + std::to_string(index + 1);
}

/// (arm LIMIT 0) UNION ALL VALUES (rows) LIMIT n
tree::SelectPtr rows_of(tree::SelectPtr arm) {
  arm->limit = tree::make::integer(0);
  auto values = std::make_unique<tree::Select>();
  values->values.emplace_back();
  values->values.back().push_back(rows_hole());
  auto both = std::make_unique<tree::Select>();
  both->set_op = tree::SetOperation::union_;
  both->set_all = true;
  both->left = std::move(arm);
  both->right = std::move(values);
  both->limit = rows_hole();
  return both;
}

bool is_plain(const tree::Expr& expr) {
  bool plain = true;
  tree::walk(expr, [&](const tree::Expr& at) {
    const auto* verbatim = at.as<tree::Verbatim>();
    plain &= (verbatim == nullptr || verbatim->children.empty()) && at.as<tree::Variable>() == nullptr;
    const auto* column = at.as<tree::ColumnRef>();
    plain &= column == nullptr || (!column->star && column->resolved && column->resolved->levels_up == 0);
    tree::for_each_subquery(at, [&](const tree::Select&) { plain = false; });
    return plain;
  });
  return plain;
}

bool is_plain(const tree::GroupItem& item) {
  return (!item.expr || is_plain(*item.expr)) &&
         std::ranges::all_of(item.items, [](const tree::GroupItem& inner) { return is_plain(inner); });
}

}  // namespace

int SentRows::add(tree::ExprPtr expr, Finish::Column column) {
  const int index = static_cast<int>(columns_.size());
  targets_.push_back(tree::make::target(std::move(expr), name_of(index)));
  columns_.push_back(std::move(column));
  return index;
}

int SentRows::add_shown() {
  return add(tree::make::raw("_binary ''"), {Finish::Column::Form::bytes});
}

tree::ExprPtr SentRows::column(int index) {
  return tree::make::column({relation, name_of(index)});
}

void SentRows::add_exact(Planning& planning, tree::Select& statement, int output, const tree::Expr& expr) {
  const ResultColumn& column = (*planning.plan->result)[static_cast<std::size_t>(output)];
  tree::ExprPtr exact = planning.language().merging->exact(column, expr);
  if (!exact) return;
  statement.targets.push_back(tree::make::target(std::move(exact)));
  planning.plan->exact.push_back(output);
}

void SentRows::finish(Planning& planning, tree::SelectPtr statement, tree::SelectPtr arm) {
  arm->targets = std::move(targets_);
  statement->with = std::exchange(arm->with, {});
  statement->modifiers.clear();
  arm->modifiers.clear();
  statement->from.clear();
  statement->from.push_back(tree::make::subquery(rows_of(std::move(arm)), relation));
  tree::Statement whole{std::move(*statement)};
  planning.plan->finish = Finish{with_holes(planning.print(whole)), std::move(columns_)};
  planning.plan->reasons.push_back("a shard computes the answer of the rows that it is sent");
}

bool can_be_sent(const Scatter& scatter) {
  const tree::Select& select = scatter.select;
  const bool takes_rows = !select.into.empty() || !scatter.planning.plan->into.empty();
  if (takes_rows || !scatter.planning.traits.random.empty()) return false;
  if (!select.locking.empty() || !scatter.block.outputs_known) return false;
  const auto plain = [](const auto& part) { return is_plain(*part.expr); };
  return std::ranges::all_of(select.targets, plain) && std::ranges::all_of(select.order_by, plain) &&
         std::ranges::all_of(select.group_by, [](const tree::GroupItem& item) { return is_plain(item); }) &&
         (!select.having || is_plain(*select.having));
}

}  // namespace anabranch::rewriter
