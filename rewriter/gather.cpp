#include <algorithm>

#include "rewriter/finish.h"
#include "rewriter/group_parts.h"

namespace anabranch::rewriter {
namespace {

bool is_output_name(const tree::Expr& expr) {
  const auto* column = expr.as<tree::ColumnRef>();
  return column != nullptr && column->resolved && column->resolved->relation == kOutputName;
}

/// Each column of the statement's clauses behind FROM and WHERE; false: one of them is not known.
class Columns {
 public:
  bool read(const tree::Expr& expr) {
    bool known = true;
    tree::walk(expr, [&](const tree::Expr& at) {
      if (at.as<tree::ColumnRef>() == nullptr || is_output_name(at)) return true;
      known &= ident_of(at).known();
      if (known && find(at) < 0) columns.push_back(&at);
      return known;
    });
    return known;
  }

  bool read(const tree::GroupItem& item) {
    return (!item.expr || read(*item.expr)) &&
           std::ranges::all_of(item.items, [&](const tree::GroupItem& inner) { return read(inner); });
  }

  int find(const tree::Expr& expr) const {
    const auto same = [&](const tree::Expr* column) { return ident_of(*column) == ident_of(expr); };
    const auto found = std::ranges::find_if(columns, same);
    return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
  }

  std::vector<const tree::Expr*> columns;
};

bool read_all(Columns& columns, const tree::Select& select) {
  bool known = true;
  for (const tree::Target& target : select.targets) known = known && columns.read(*target.expr);
  for (const tree::GroupItem& item : select.group_by) known = known && columns.read(item);
  if (select.having) known = known && columns.read(*select.having);
  for (const tree::SortKey& key : select.order_by) known = known && columns.read(*key.expr);
  for (const tree::WindowDef& window : select.windows) {
    for (const tree::ExprPtr& expr : window.partition_by) known = known && columns.read(*expr);
    for (const tree::SortKey& key : window.order_by) known = known && columns.read(*key.expr);
  }
  return known;
}

/// A column of any row of all: which one depends on the order in which they come.
bool names_any_row(const tree::Expr& expr, const FunctionContext& functions) {
  const auto* call = expr.as<tree::FunctionCall>();
  if (call != nullptr && !call->windowed() && (call->star || classify(*call, functions).kind == FunctionKind::aggregate)) {
    return false;
  }
  if (expr.as<tree::ColumnRef>() != nullptr) return !is_output_name(expr);
  bool found = false;
  tree::for_each_child(expr, [&](const tree::Expr& child) { found |= names_any_row(child, functions); });
  return found;
}

class AllRows : public GroupParts {
 public:
  using GroupParts::GroupParts;

  Outcome plan() {
    const bool any_row = is_aggregated(select_, planning_.functions) && select_.group_by.empty() &&
                         std::ranges::any_of(select_.targets, [&](const tree::Target& target) {
                           return names_any_row(*target.expr, planning_.functions);
                         });
    if (any_row || !can_be_sent(scatter_) || !read_all(columns_, select_) || columns_.columns.empty()) {
      refuse_clause("aggregates", "their rows cannot be sent to one shard", "Group by the key.");
    }
    if (planning_.request->descriptions.size() < 2) {
      std::vector<tree::SelectPtr> probes;
      probes.push_back(columns_probe(columns_.columns));
      return ask_with(planning_, std::move(probes));
    }
    tree::SelectPtr subquery = make_subquery();
    merge::Recipe recipe = make_recipe();
    Outcome made = finish_scatter(scatter_, std::move(subquery), std::move(recipe),
                                  "all rows are needed in one place: one shard is sent those of all");
    sent_.finish(planning_, make_statement(), make_arm());
    return made;
  }

 private:
  tree::SelectPtr make_subquery() {
    const auto& described = planning_.request->descriptions.back().columns;
    if (!described || described->size() != columns_.columns.size()) {
      refuse(values::make_error(values::ErrorId::description_changed, "a column"));
    }
    tree::SelectPtr subquery = rows_only();
    for (std::size_t i = 0; i < columns_.columns.size(); ++i) {
      const tree::Expr& column = *columns_.columns[i];
      auto transport = merging().transport(planning_, (*described)[i], column);
      if (!transport) {
        refuse_clause("aggregates beside " + planning_.text(column), "its values cannot be sent to one shard",
                      "Cast it to another type.");
      }
      subquery->targets.push_back(
          tree::make::target(std::move(transport->expr), "anabranch_" + std::to_string(i + 1)));
      sent_.add(tree::clone(column), std::move(transport->column));
    }
    return subquery;
  }

  tree::SelectPtr make_arm() const {
    tree::SelectPtr arm = rows_only();
    arm->where = nullptr;
    return arm;
  }

  void replace(tree::ExprPtr& slot) const {
    tree::transform(slot, [&](tree::ExprPtr& at) {
      if (at->as<tree::ColumnRef>() == nullptr || is_output_name(*at)) return;
      at = SentRows::column(columns_.find(*at));
    });
  }

  void replace(tree::GroupItem& item) const {
    if (item.expr) replace(item.expr);
    for (tree::GroupItem& inner : item.items) replace(inner);
  }

  tree::SelectPtr make_statement() const {
    tree::SelectPtr statement = tree::clone(select_);
    statement->where = nullptr;
    for (tree::Target& target : statement->targets) {
      // A column's name is its output's, by which others may call it.
      if (target.alias.empty()) target.alias = implicit_name(*target.expr);
      replace(target.expr);
    }
    for (int i = 0; i < width(); ++i) {
      SentRows::add_exact(planning_, *statement, i, *statement->targets[static_cast<std::size_t>(i)].expr);
    }
    for (tree::GroupItem& item : statement->group_by) replace(item);
    if (statement->having) replace(statement->having);
    for (tree::SortKey& key : statement->order_by) replace(key.expr);
    for (tree::WindowDef& window : statement->windows) {
      for (tree::ExprPtr& expr : window.partition_by) replace(expr);
      for (tree::SortKey& key : window.order_by) replace(key.expr);
    }
    return statement;
  }

  merge::Recipe make_recipe() const {
    const values::ColumnType text{.oid = values::oid::text};
    merge::Recipe recipe;
    recipe.source = merge::Concat{};
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      recipe.inputs.push_back({text, -1, merging().format});
      recipe.outputs.push_back({static_cast<int>(i), text});
    }
    return recipe;
  }

  Columns columns_;
  SentRows sent_;
};

}  // namespace

std::vector<const tree::Expr*> gathered_columns(const Scatter& scatter) {
  Columns columns;
  if (!can_be_sent(scatter) || !read_all(columns, scatter.select)) return {};
  return std::move(columns.columns);
}

Outcome gather(Scatter& scatter) {
  return AllRows(scatter).plan();
}

std::optional<Outcome> try_to(Outcome (*planner)(Scatter&), Scatter& scatter) {
  if (scatter.planning.language().merging->transport == nullptr || !can_be_sent(scatter)) return std::nullopt;
  try {
    return planner(scatter);
  } catch (const Refusal&) {
    return std::nullopt;
  }
}

}  // namespace anabranch::rewriter
