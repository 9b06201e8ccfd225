#include "rewriter/group_parts.h"

#include <algorithm>

#include "rewriter/finish.h"

namespace anabranch::rewriter {

const ResultColumn& GroupParts::result(int i) const {
  return (*planning_.plan->result)[static_cast<std::size_t>(i)];
}

void GroupParts::collect() {
  const auto items = group_items(scatter_.block, planning_.pins);
  if (!items) {
    const bool empty = std::ranges::all_of(select_.group_by, [](const tree::GroupItem& item) {
      return item.kind == tree::GroupItem::Kind::empty;
    });
    if (!empty) {
      refuse_clause("GROUPING SETS, ROLLUP and CUBE", "its sets are merged one by one",
                    "Write one query for each set, joined by UNION ALL.");
    }
  } else {
    for (const Meaning& item : *items) add_group(item);
  }
  if (!scatter_.block.outputs_known) {
    refuse_clause("SELECT *", "its columns are not known", "Write the columns out.");
  }
  for (const OutputColumn& output : scatter_.block.outputs) {
    if (output.expr == nullptr) {
      refuse_clause("SELECT * with GROUP BY", "its columns are not all grouped",
                    "Write the columns out.");
    }
    collect(*output.expr);
  }
  if (select_.having) {
    for (const tree::Expr* part : tree::conjuncts(select_.having.get())) collect(*part);
  }
  for (const tree::SortKey& key : select_.order_by) {
    const Meaning meaning = meaning_of(scatter_.block, *key.expr, planning_.pins);
    if (meaning.expr != nullptr) collect(*meaning.expr);
  }
  if (!select_.distinct_on.empty()) {
    refuse_clause("DISTINCT ON with aggregates", "its rows are complete only after merging",
                  "Use GROUP BY.");
  }
}

void GroupParts::add_group(const Meaning& item) {
  const tree::Expr* expr = item.expr;
  if (expr == nullptr) {
    refuse_clause("GROUP BY", "it names a column of a star", "Write the columns out.");
  }
  if (find_group(*expr) >= 0) return;
  groups_of_.push_back({expr, add_row(*expr), -1, -1, false});
}

int GroupParts::add_row(const tree::Expr& expr) {
  for (std::size_t i = 0; i < row_exprs_.size(); ++i) {
    if (tree::equal(*row_exprs_[i], expr)) return static_cast<int>(i);
  }
  row_exprs_.push_back(&expr);
  return static_cast<int>(row_exprs_.size()) - 1;
}

int GroupParts::find_group(const tree::Expr& expr) const {
  for (std::size_t i = 0; i < groups_of_.size(); ++i) {
    const Ident ident = ident_of(expr);
    const bool same_column = ident.known() && ident == ident_of(*groups_of_[i].expr);
    if (same_column || tree::equal(*groups_of_[i].expr, expr)) return static_cast<int>(i);
  }
  return -1;
}

int GroupParts::find_aggregate_call(const tree::Expr& expr) const {
  for (std::size_t i = 0; i < aggregate_exprs_.size(); ++i) {
    if (tree::equal(*aggregate_exprs_[i], expr)) return static_cast<int>(i);
  }
  return -1;
}

bool GroupParts::is_aggregate(const tree::Expr& expr) const {
  const auto* call = expr.as<tree::FunctionCall>();
  if (call == nullptr || call->windowed()) return false;
  return call->star || call->within_group ||
         classify(*call, planning_.functions).kind == FunctionKind::aggregate;
}

const tree::Expr& GroupParts::behind_name(const tree::Expr& expr) const {
  const auto* reference = expr.as<tree::ColumnRef>();
  if (reference == nullptr || !reference->resolved || reference->resolved->relation != kOutputName) return expr;
  const auto& outputs = scatter_.block.outputs;
  const auto index = static_cast<std::size_t>(reference->resolved->column);
  return index < outputs.size() && outputs[index].expr != nullptr ? *outputs[index].expr : expr;
}

bool GroupParts::is_merged(const tree::Expr& expr) const {
  bool found = contains_aggregate(expr, planning_.functions);
  tree::walk(expr, [&](const tree::Expr& at) {
    // Rows do not know an output's name.
    found |= &behind_name(at) != &at;
    return !found;
  });
  return found;
}

void GroupParts::collect(const tree::Expr& expr) {
  if (find_group(expr) >= 0) return;
  if (&behind_name(expr) != &expr) return;  // the output is collected itself
  if (is_aggregate(expr)) {
    auto parts = merging().composed_of(*expr.as<tree::FunctionCall>());
    if (parts.empty()) return add_aggregate(expr);
    for (tree::ExprPtr& part : parts) {
      if (find_aggregate_call(*part) >= 0) continue;
      composed_.push_back(std::move(part));
      add_aggregate(*composed_.back());
    }
    return;
  }
  if (expr.as<tree::Grouping>() != nullptr) {
    refuse_clause("GROUPING()", "its sets are merged one by one", "Leave it out.");
  }
  if (const auto* interval = expr.as<tree::Interval>()) return collect(*interval->count);
  if (expr.as<tree::Keyword>() != nullptr) return;  // no value of its own
  if (!is_merged(expr)) {
    add_constant(expr);
    return;
  }
  tree::for_each_subquery(expr, [&](const tree::Select&) {
    refuse_clause("a subquery over aggregates", "the groups are complete only after merging",
                  "Run it as a statement of its own.");
  });
  tree::for_each_child(expr, [&](const tree::Expr& child) { collect(child); });
}

void GroupParts::add_aggregate(const tree::Expr& expr) {
  if (find_aggregate_call(expr) >= 0) return;
  const auto& call = *expr.as<tree::FunctionCall>();
  const bool key_inside = call.distinct && call.args.size() == 1 &&
                          Analysis::completes(scatter_.rows, {ident_of(*call.args.front())});
  Aggregate made;
  made.call = merging().read_aggregate(planning_, call, key_inside);
  for (const tree::ExprPtr& arg : call.args) {
    if (contains_aggregate(*arg, planning_.functions)) {
      refuse_clause("nested aggregates", "they are not one aggregate", "Use a subquery.");
    }
    made.rows.push_back(add_row(*arg));
  }
  aggregate_exprs_.push_back(&expr);
  aggregates_of_.push_back(std::move(made));
}

namespace {

bool names_column(const tree::Expr& expr) {
  bool found = false;
  tree::walk(expr, [&](const tree::Expr& at) {
    const auto* column = at.as<tree::ColumnRef>();
    found |= column != nullptr && (!column->resolved || column->resolved->levels_up == 0);
    return !found;
  });
  return found;
}

}  // namespace

void GroupParts::add_constant(const tree::Expr& expr) {
  tree::walk(expr, [&](const tree::Expr& at) {
    const auto* call = at.as<tree::FunctionCall>();
    if (call != nullptr && classify(*call, planning_.functions).returns_set) {
      refuse_clause("the set-returning function " + call->name.back() + " beside aggregates",
                    "it makes several rows of each group",
                    "Call it in a statement of its own, or in FROM of a query around this one.");
    }
    return true;
  });
  // PostgreSQL has none.
  if (groups_of_.empty() && names_column(expr)) {
    refuse_clause("the column in " + planning_.text(expr) + " beside aggregates",
                  "a shard without rows has no value for it", "Aggregate it, or group by it.");
  }
  for (const Constant& known : constants_) {
    if (tree::equal(*known.expr, expr)) return;
  }
  constants_.push_back({&expr, add_row(expr), -1});
}

const GroupParts::Constant* GroupParts::find_constant(const tree::Expr& expr) const {
  for (const Constant& known : constants_) {
    if (tree::equal(*known.expr, expr)) return &known;
  }
  return nullptr;
}

tree::SelectPtr GroupParts::rows_only() const {
  tree::SelectPtr probe = tree::clone(select_);
  probe->targets.clear();
  probe->group_by.clear();
  probe->having = nullptr;
  probe->order_by.clear();
  probe->windows.clear();
  probe->limit = nullptr;
  probe->offset = nullptr;
  probe->with_ties = false;
  probe->distinct = false;
  return probe;
}

std::vector<tree::SelectPtr> GroupParts::make_probes() const {
  std::vector<tree::SelectPtr> probes;
  tree::SelectPtr calls = rows_only();
  for (const tree::Expr* expr : aggregate_exprs_) {
    calls->targets.push_back(tree::make::target(tree::clone(*expr)));
  }
  if (aggregate_exprs_.empty())
    calls->targets.push_back(tree::make::target(tree::make::count_star()));
  probes.push_back(std::move(calls));
  if (!row_exprs_.empty()) probes.push_back(columns_probe(row_exprs_));
  // Last, where a shard may be sent rows.
  if (merging().transport == nullptr) return probes;
  const auto columns = gathered_columns(scatter_);
  if (!columns.empty()) probes.push_back(columns_probe(columns));
  return probes;
}

tree::SelectPtr GroupParts::columns_probe(const std::vector<const tree::Expr*>& columns) const {
  tree::SelectPtr probe = rows_only();
  for (const tree::Expr* expr : columns) probe->targets.push_back(tree::make::target(tree::clone(*expr)));
  return probe;
}

void GroupParts::read_types() {
  const auto read = [&](std::size_t probe, std::size_t count) {
    const auto& columns = planning_.request->descriptions[probe].columns;
    if (!columns || columns->size() < count) {
      refuse(values::make_error(values::ErrorId::description_changed, "an aggregate"));
    }
    return *columns;
  };
  const auto types_of = [&](const std::vector<ResultColumn>& columns) {
    std::vector<values::ColumnType> types;
    for (const ResultColumn& column : columns) types.push_back(column_type(planning_, column));
    return types;
  };
  aggregate_columns_ = read(1, aggregate_exprs_.size());
  aggregate_types_ = types_of(aggregate_columns_);
  for (std::size_t i = 0; i < aggregates_of_.size(); ++i) {
    const AggregateCall& call = aggregates_of_[i].call;
    if (call.rule->kind == merge::AggregateKind::sum && aggregate_types_[i].oid == values::oid::numeric &&
        merging().hides_digits(planning_, *call.call->args.front())) {
      refuse_clause("the sum of " + planning_.text(*call.call->args.front()),
                    "a shard does not show all digits that it adds", "Round what is added.");
    }
    // What one state has become is the value, whatever clients are told.
    const auto states = merging().state_types(aggregates_of_[i].call, {0}, aggregate_types_[i].oid);
    if (states.size() == 1) aggregate_types_[i] = states.front() == aggregate_types_[i].oid
                                                      ? aggregate_types_[i]
                                                      : column_type(planning_, states.front());
  }
  if (!row_exprs_.empty()) row_columns_ = read(2, row_exprs_.size());
  row_types_ = types_of(row_columns_);
  for (const tree::SortKey& key : select_.order_by) check_sorted_extreme(key);
}

void GroupParts::check_sorted_extreme(const tree::SortKey& key) const {
  const Meaning meaning = meaning_of(scatter_.block, *key.expr, planning_.pins);
  const int aggregate = meaning.expr == nullptr ? -1 : find_aggregate_call(*meaning.expr);
  if (aggregate < 0) return;
  const Aggregate& found = aggregates_of_[static_cast<std::size_t>(aggregate)];
  const merge::AggregateKind kind = found.call.rule->kind;
  const bool extreme = kind == merge::AggregateKind::min || kind == merge::AggregateKind::max;
  if (!extreme || !merging().is_sorted_otherwise(row_column(found.rows.front()))) return;
  refuse_clause("ORDER BY " + planning_.text(*key.expr), "its values come in an order that they do not show",
                "Order by a number or a text of it.");
}

const ResultColumn& GroupParts::row_column(int row) const {
  return row_columns_[static_cast<std::size_t>(row)];
}

const values::ColumnType& GroupParts::row_type(int row) const {
  return row_types_[static_cast<std::size_t>(row)];
}

}  // namespace anabranch::rewriter
