#include <algorithm>

#include "rewriter/merging.h"
#include "rewriter/scatter.h"

/// Scatter of rows: what the shards answer is the answer, in any order or merged by sort columns.
namespace anabranch::rewriter {
namespace {

class RowScatter {
 public:
  RowScatter(Scatter& scatter, bool distinct)
      : scatter_(scatter),
        planning_(scatter.planning),
        distinct_(distinct),
        width_(static_cast<int>(planning_.plan->result->size())) {}

  Outcome plan() {
    find_sort_columns();
    // A key tells rows apart that the shard's DISTINCT alone would not.
    distinct_ |= scatter_.select.distinct && !merging().names_freely && !hidden_.empty();
    find_distinct_columns();
    find_exact_columns();
    const bool typed = std::ranges::all_of(hidden_, [](const Hidden& hidden) { return hidden.type.has_value(); });
    if (!typed && !probed(planning_, 1)) {
      std::vector<tree::SelectPtr> probes;
      probes.push_back(make_subquery());
      return ask_with(planning_, std::move(probes));
    }
    if (!typed) type_hidden();
    tree::SelectPtr subquery = make_subquery();
    const LimitSlots limit = add_limit_slots(planning_, scatter_.select, true);
    const bool equals_left = distinct_ && scatter_.select.distinct && !merging().names_freely && !wrapped_;
    push_limit(*subquery, limit, !equals_left);
    return finish_scatter(scatter_, std::move(subquery), make_recipe(limit), reason());
  }

 private:
  struct Compared {
    int output = -1;                   ///< an output column, or
    const tree::Expr* expr = nullptr;  ///< a hidden one
    int hidden = -1;                   ///< index in hidden_; -1: the output column itself
    std::optional<CollationOf> collation;
    std::string what;
  };

  struct Hidden {
    tree::ExprPtr expr;
    std::optional<values::ColumnType> type;  ///< absent: a shard must describe it
  };

  const Merging& merging() const { return *planning_.language().merging; }
  const std::vector<ResultColumn>& result() const { return *planning_.plan->result; }

  values::ColumnType type_of_output(int output) const {
    return column_type(planning_, result()[static_cast<std::size_t>(output)]);
  }

  // ------------------------------------------------------------------------------ what is compared

  void find_sort_columns() {
    // What DISTINCT leaves of sorted groups has no order.
    if (!scatter_.select.distinct || !scatter_.select.order_by.empty()) order_ = order_of(scatter_);
    for (const OrderKey& key : order_) {
      sort_.push_back(compared(*key.expr, "ORDER BY " + planning_.text(*key.expr)));
    }
  }

  Compared compared(const tree::Expr& expr, std::string what) {
    Compared column;
    column.what = std::move(what);
    const Meaning meaning = meaning_of(scatter_.block, expr, planning_.pins);
    column.output = meaning.output;
    if (column.output < 0) column.output = same_output(expr);
    if (column.output < 0) {
      if (scatter_.select.distinct && !is_of_outputs(expr)) {
        refuse_clause("ORDER BY beside DISTINCT", "it sorts by what is not selected", "Select what it sorts by.");
      }
      column.expr = &expr;
      column.collation = collation_of(planning_, expr);
      column.hidden = add_hidden({tree::clone(expr), std::nullopt});
      return column;
    }
    column.collation = collation_of(planning_, scatter_.block, column.output);
    column.hidden = find_twin(column.output);
    return column;
  }

  /// PostgreSQL takes no others beside DISTINCT.
  bool is_of_outputs(const tree::Expr& expr) const {
    bool all = true;
    tree::walk(expr, [&](const tree::Expr& at) {
      if (at.as<tree::ColumnRef>() == nullptr) return true;
      all &= meaning_of(scatter_.block, at, planning_.pins).output >= 0 || same_output(at) >= 0;
      return all;
    });
    return all;
  }

  /// An output with the same expression, or naming the same column.
  int same_output(const tree::Expr& expr) const {
    if (!scatter_.block.outputs_known) return -1;
    for (std::size_t i = 0; i < scatter_.block.outputs.size(); ++i) {
      const OutputColumn& output = scatter_.block.outputs[i];
      const bool same_column = output.ident.known() && output.ident == ident_of(expr);
      const bool same_text = output.expr != nullptr && tree::equal(*output.expr, expr);
      if (same_column || same_text) return static_cast<int>(i);
    }
    return -1;
  }

  int add_hidden(Hidden hidden) {
    hidden_.push_back(std::move(hidden));
    return static_cast<int>(hidden_.size()) - 1;
  }

  /// What the output is compared by; -1: by itself.
  int find_twin(int output) {
    for (const auto& [of, twin] : twins_) {
      if (of == output) return twin;
    }
    const ResultColumn& column = result()[static_cast<std::size_t>(output)];
    // Whether there is one does not depend on how the output is written.
    if (!merging().key_form(planning_, column, *tree::make::null(), false)) return -1;
    wrapped_ |= scatter_.block.left != nullptr;
    const tree::ExprPtr value = scatter_.block.left != nullptr
                                    ? tree::make::column({"anabranch_rows", wrapped_name(output)})
                                    : output_expr(output);
    KeyForm form = *merging().key_form(planning_, column, *value, false);
    twins_.emplace_back(output, add_hidden({std::move(form.expr), std::move(form.type)}));
    return twins_.back().second;
  }

  /// Of tables' columns; of what a server computes only where it needs no temporary table, which would keep fewer
  /// digits; and of window functions, whose values are read from one in any case. Behind a set operation there is no
  /// place to ask for more.
  void find_exact_columns() {
    if (scatter_.block.left != nullptr || !scatter_.block.outputs_known) return;
    const tree::Select& select = scatter_.select;
    const bool streams =
        !select.distinct && select.group_by.empty() && select.order_by.empty() && !has_windows(select);
    for (int output = 0; output < width_; ++output) {
      const ResultColumn& column = result()[static_cast<std::size_t>(output)];
      const OutputColumn& written = scatter_.block.outputs[static_cast<std::size_t>(output)];
      const auto* call = written.expr != nullptr ? written.expr->as<tree::FunctionCall>() : nullptr;
      const bool window = call != nullptr && call->windowed();
      if (!streams && !window && planning_.query.column(written.ident) == nullptr) continue;
      if (!merging().exact(column, *tree::make::null())) continue;
      exact_.emplace_back(
          output, add_hidden({merging().exact(column, *output_expr(output)), values::ColumnType{.oid = values::oid::text}}));
    }
  }

  void type_hidden() {
    const auto& described = planning_.request->descriptions[1].columns;
    if (!described || described->size() != static_cast<std::size_t>(width_) + hidden_.size()) {
      refuse(values::make_error(values::ErrorId::description_changed, "a hidden column"));
    }
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      Hidden& hidden = hidden_[i];
      if (hidden.type) continue;
      const ResultColumn& column = (*described)[static_cast<std::size_t>(width_) + i];
      std::optional<KeyForm> form = merging().key_form(planning_, column, *hidden.expr, false);
      if (form) hidden.expr = std::move(form->expr);
      hidden.type = form && form->type ? std::move(form->type) : column_type(planning_, column);
    }
  }

  static std::string wrapped_name(int output) { return "anabranch_c" + std::to_string(output + 1); }

  tree::ExprPtr output_expr(int output) const {
    const auto index = static_cast<std::size_t>(output);
    if (index < scatter_.block.outputs.size() && scatter_.block.outputs_known) {
      const OutputColumn& column = scatter_.block.outputs[index];
      if (column.expr != nullptr) {
        if (!planning_.traits.random.empty()) {
          refuse_clause("ORDER BY", "its column is drawn at random", "Sort by a stored column.");
        }
        return tree::clone(*column.expr);
      }
      if (column.ident.known()) {
        const Instance& instance = planning_.query.at(column.ident.instance);
        if (instance.kind == Instance::Kind::table || instance.kind == Instance::Kind::derived) {
          return tree::make::column(
              {instance.name, instance.columns[static_cast<std::size_t>(column.ident.column)]});
        }
      }
    }
    refuse_clause("ORDER BY or DISTINCT",
                  "column " + std::to_string(output + 1) + " comes from a star that is not known",
                  "Write the columns out.");
  }

  void find_distinct_columns() {
    if (!distinct_) return;
    const auto& on = scatter_.select.distinct_on;
    for (const tree::ExprPtr& expr : on) {
      distinct_columns_.push_back(compared(*expr, "DISTINCT ON " + planning_.text(*expr)));
    }
    if (!on.empty()) return;
    for (int output = 0; output < width_; ++output) {
      Compared column;
      column.output = output;
      column.what = "DISTINCT column " + std::to_string(output + 1);
      column.collation = collation_of(planning_, scatter_.block, output);
      column.hidden = find_twin(output);
      distinct_columns_.push_back(std::move(column));
    }
  }

  // --------------------------------------------------------------------------------- the subquery

  tree::SelectPtr make_subquery() const {
    tree::SelectPtr subquery = tree::clone(scatter_.select);
    subquery->into.clear();
    if (wrapped_) return wrap(std::move(subquery));
    for (const Hidden& hidden : hidden_) subquery->targets.push_back(tree::make::target(tree::clone(*hidden.expr)));
    return subquery;
  }

  /// A set operation has no place for hidden columns: it becomes a subquery in FROM.
  tree::SelectPtr wrap(tree::SelectPtr inner) const {
    auto outer = std::make_unique<tree::Select>();
    outer->with = std::move(inner->with);
    inner->with = {};
    outer->limit = std::move(inner->limit);
    outer->offset = std::move(inner->offset);
    outer->with_ties = inner->with_ties;
    inner->with_ties = false;
    for (std::size_t i = 0; i < inner->order_by.size(); ++i) {
      tree::SortKey key = tree::clone(inner->order_by[i]);
      key.expr = tree::make::column({"anabranch_rows", wrapped_name(sort_[i].output)});
      outer->order_by.push_back(std::move(key));
    }
    inner->order_by.clear();
    if (!merging().names_freely) name_targets(*inner);
    tree::FromPtr from = tree::make::subquery(std::move(inner), "anabranch_rows");
    for (int i = 0; i < width_; ++i) {
      if (merging().names_freely) from->as<tree::SubqueryRef>()->alias.columns.push_back(wrapped_name(i));
      outer->targets.push_back(
          tree::make::target(tree::make::column({"anabranch_rows", wrapped_name(i)})));
    }
    for (const Hidden& hidden : hidden_) outer->targets.push_back(tree::make::target(tree::clone(*hidden.expr)));
    outer->from.push_back(std::move(from));
    return outer;
  }

  /// A set operation's columns have the names of its first branch's.
  void name_targets(tree::Select& inner) const {
    tree::Select* first = &inner;
    while (first->left) first = first->left.get();
    const bool stars = std::ranges::any_of(first->targets, [](const tree::Target& target) {
      const auto* column = target.expr->as<tree::ColumnRef>();
      return column != nullptr && column->star;
    });
    if (stars || first->targets.size() != static_cast<std::size_t>(width_)) {
      refuse_clause("ORDER BY or DISTINCT", "a column comes from a star", "Write the columns out.");
    }
    for (std::size_t i = 0; i < first->targets.size(); ++i) {
      first->targets[i].alias = wrapped_name(static_cast<int>(i));
    }
  }

  void push_limit(tree::Select& subquery, const LimitSlots& limit, bool cuts) const {
    subquery.offset = nullptr;
    subquery.limit = nullptr;
    if (limit.pushed < 0 || !cuts) {
      subquery.with_ties = false;
      return;
    }
    subquery.limit = slot_hole(limit.pushed);
  }

  // ----------------------------------------------------------------------------------- the recipe

  int index_of(const Compared& column) const {
    return column.hidden >= 0 ? width_ + column.hidden : column.output;
  }

  values::ColumnType type_of(const Compared& column) const {
    return column.hidden >= 0 ? *hidden_[static_cast<std::size_t>(column.hidden)].type : type_of_output(column.output);
  }

  merge::Recipe make_recipe(const LimitSlots& limit) const {
    merge::Recipe recipe;
    for (int i = 0; i < width_; ++i) {
      recipe.inputs.push_back({type_of_output(i), i, values::Format::text});
      recipe.outputs.push_back({i, type_of_output(i)});
    }
    for (const Hidden& hidden : hidden_) recipe.inputs.push_back({*hidden.type, -1, merging().format});
    for (const auto& [output, hidden] : exact_) {
      recipe.outputs.push_back({width_ + hidden, *hidden_[static_cast<std::size_t>(hidden)].type});
      planning_.plan->exact.push_back(output);
    }
    std::vector<merge::SortKey> keys;
    for (std::size_t i = 0; i < sort_.size(); ++i) {
      values::Collation collation =
          check_order(type_of(sort_[i]), sort_[i].collation, sort_[i].what);
      keys.push_back(
          sort_key(planning_, order_[i].how, index_of(sort_[i]), std::move(collation)));
    }
    if (keys.empty()) {
      recipe.source = merge::Concat{};
    } else {
      recipe.source = merge::OrderedMerge{keys};
    }
    if (distinct_) recipe.steps.emplace_back(distinct_step());
    if (limit.count >= 0 || limit.offset >= 0) {
      merge::Limit step;
      step.count_slot = limit.count;
      step.offset_slot = limit.offset;
      step.with_ties = scatter_.select.with_ties;
      if (step.with_ties) step.tie_keys = keys;
      recipe.steps.emplace_back(std::move(step));
    }
    return recipe;
  }

  merge::Distinct distinct_step() const {
    merge::Distinct step;
    for (const Compared& column : distinct_columns_) {
      check_equality(type_of(column), column.collation, column.what);
      step.columns.push_back(index_of(column));
    }
    return step;
  }

  std::string reason() const {
    return distinct_ ? "rows are on one shard each; equal rows of different shards become one"
                     : "each row of the answer comes from one shard";
  }

  Scatter& scatter_;
  Planning& planning_;
  bool distinct_;
  int width_;
  std::vector<OrderKey> order_;
  std::vector<Compared> sort_;
  std::vector<Compared> distinct_columns_;
  std::vector<Hidden> hidden_;
  std::vector<std::pair<int, int>> twins_;  ///< output → hidden
  std::vector<std::pair<int, int>> exact_;  ///< output → hidden
  bool wrapped_ = false;
};

}  // namespace

Outcome scatter_rows(Scatter& scatter, bool distinct) {
  return RowScatter(scatter, distinct).plan();
}

}  // namespace anabranch::rewriter
