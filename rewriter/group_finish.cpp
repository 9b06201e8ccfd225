#include "rewriter/finish.h"
#include "rewriter/group_columns.h"

/// Groups that are merged here, and what is made of them computed by a shard.
namespace anabranch::rewriter {
namespace {

values::ColumnType text_type() { return {.oid = values::oid::text}; }

bool names_column(const tree::Expr& expr) {
  bool found = false;
  tree::walk(expr, [&](const tree::Expr& at) {
    found |= at.as<tree::ColumnRef>() != nullptr;
    return !found;
  });
  return found;
}

class GroupFinish : public GroupColumns {
 public:
  using GroupColumns::GroupColumns;

  Outcome plan() {
    collect();
    if (!probed(planning_, make_probes().size())) fail(*select_.targets.front().expr);
    read_types();
    choose_distinct_sets();
    tree::SelectPtr statement = make_statement();
    tree::SelectPtr subquery = make_subquery();
    merge::Recipe recipe = make_recipe();
    Outcome made = finish_scatter(scatter_, std::move(subquery), std::move(recipe),
                                  "groups lie on several shards: their partial aggregates are merged");
    sent_.finish(planning_, std::move(statement), make_arm());
    return made;
  }

 private:
  [[noreturn]] void fail(const tree::Expr& expr) const {
    refuse_clause("the expression " + planning_.text(expr), "its values cannot be sent to a shard",
                  "Select the aggregates, and compute the expression in the application.");
  }

  // ------------------------------------------------------------------------------------- the statement

  tree::SelectPtr make_statement() {
    tree::SelectPtr statement = tree::clone(select_);
    statement->where = nullptr;
    statement->group_by.clear();
    statement->having = nullptr;
    statement->order_by.clear();
    for (std::size_t i = 0; i < statement->targets.size(); ++i) {
      set_target(statement->targets[i].expr, static_cast<int>(i));
    }
    for (int i = 0; i < width(); ++i) {
      if (!merging().exact(result(i), *tree::make::null())) continue;
      SentRows::add_exact(planning_, *statement, i, *computed(*select_.targets[static_cast<std::size_t>(i)].expr));
    }
    if (select_.having) statement->where = computed(*select_.having);
    for (const OrderKey& key : order_of(scatter_)) {
      const Meaning meaning = meaning_of(scatter_.block, *key.expr, planning_.pins);
      statement->order_by.push_back({computed(*meaning.expr), key.how.direction, key.how.nulls, key.how.using_op});
    }
    return statement;
  }

  void set_target(tree::ExprPtr& slot, int output) {
    if (const int merged = select_.distinct ? -1 : shown(*slot, output); merged >= 0) {
      merged_.push_back(merged);
      slot = SentRows::column(sent_.add_shown());
    } else {
      slot = computed(*slot);
    }
  }

  tree::ExprPtr computed(const tree::Expr& expr) {
    const bool hides = select_.distinct && merging().hides_digits(planning_, expr);
    if (hides || !merging().averages_are_exact(expr)) fail(expr);
    tree::ExprPtr made = tree::clone(expr);
    replace(made);
    return made;
  }

  void replace(tree::ExprPtr& slot) {
    if (is_leaf(*slot)) {
      slot = SentRows::column(value_of(*slot));
      return;
    }
    if (const tree::Expr& named = behind_name(*slot); &named != slot.get()) {
      slot = computed(named);
      return;
    }
    if (slot->as<tree::ColumnRef>() != nullptr) fail(*slot);
    if (const auto* call = slot->as<tree::FunctionCall>()) {
      if (auto parts = merging().composed_of(*call); parts.size() == 2) {
        slot = tree::make::op("/", std::move(parts[0]), std::move(parts[1]));
      }
    }
    tree::for_each_child(*slot, [&](tree::ExprPtr& child) { replace(child); });
  }

  // ---------------------------------------------------------------------------------------- its leaves

  bool is_leaf(const tree::Expr& expr) const {
    return find_group(expr) >= 0 || find_aggregate_call(expr) >= 0 ||
           (find_constant(expr) != nullptr && names_column(expr));
  }

  /// A merged column that is only shown, in the client's own form; -1: not one.
  int shown(const tree::Expr& expr, int output) {
    if (const int group = find_group(expr); group >= 0) return group_output(group, output);
    const int aggregate = find_aggregate_call(expr);
    if (aggregate >= 0) {
      const auto& call = aggregates_of_[static_cast<std::size_t>(aggregate)].call;
      return passes_on(call.rule->kind) ? aggregate_output(aggregate, output) : -1;
    }
    const Constant* constant = find_constant(expr);
    return constant != nullptr && names_column(expr) ? add_any(*constant, output) : -1;
  }

  /// The sent column with a leaf's value.
  int value_of(const tree::Expr& expr) {
    for (const auto& [known, column] : known_) {
      if (tree::equal(*known, expr)) return column;
    }
    Finish::Column form;
    merged_.push_back(merged_value(expr, form));
    known_.emplace_back(tree::clone(expr), sent_.add(tree::clone(expr), std::move(form)));
    return known_.back().second;
  }

  int merged_value(const tree::Expr& expr, Finish::Column& form) {
    if (const int group = find_group(expr); group >= 0) return group_value(group, form);
    if (const int aggregate = find_aggregate_call(expr); aggregate >= 0) return aggregate_value(aggregate, form);
    const Constant& constant = *find_constant(expr);
    merge::Aggregate merged;
    merged.kind = merge::AggregateKind::any;
    merged.type = text_type();
    merged.inputs = {add_value(row_column(constant.row), *constant.expr, form, false)};
    return add_merged(std::move(merged));
  }

  int add_value(const ResultColumn& column, const tree::Expr& expr, Finish::Column& form, bool grouped) {
    auto transport = merging().transport(planning_, column, expr);
    if (!transport || merging().hides_digits(planning_, expr)) fail(expr);
    form = std::move(transport->column);
    return add_input(std::move(transport->expr), text_type(), -1, grouped);
  }

  int group_value(int index, Finish::Column& form) {
    Group& group = groups_of_[static_cast<std::size_t>(index)];
    ensure_base(group, -1);
    const int carry = add_value(row_column(group.row), *group.expr, form, true);
    groups_.push_back({group.base, carry});
    return static_cast<int>(groups_.size()) - 1;
  }

  int aggregate_value(int index, Finish::Column& form) {
    const auto at = static_cast<std::size_t>(index);
    const Aggregate& aggregate = aggregates_of_[at];
    if (passes_on(aggregate.call.rule->kind)) return extreme_value(index, form);
    auto transport = merging().transport(planning_, aggregate_columns_[at], *aggregate_exprs_[at]);
    if (!transport) fail(*aggregate_exprs_[at]);
    form = std::move(transport->column);
    return aggregate_internal(index);
  }

  int extreme_value(int index, Finish::Column& form) {
    const auto at = static_cast<std::size_t>(index);
    const tree::Expr& whole = *aggregate_exprs_[at];
    auto key = merging().key_form(planning_, aggregate_columns_[at], whole, true);
    const values::ColumnType compared = comparable_type(index);
    merge::Aggregate merged;
    merged.kind = aggregates_of_[at].call.rule->kind;
    merged.type = text_type();
    merged.collation = check_order(compared, collation_of(planning_, whole), planning_.text(whole));
    merged.inputs = {add_input(key ? std::move(key->expr) : tree::clone(whole), compared, -1, false)};
    merged.inputs.push_back(add_value(aggregate_columns_[at], whole, form, false));
    return add_merged(std::move(merged));
  }

  // ---------------------------------------------------------------------------------------- the plan

  tree::SelectPtr make_arm() const {
    tree::SelectPtr arm = rows_only();
    arm->where = nullptr;
    for (const Group& group : groups_of_) {
      tree::GroupItem item;
      item.expr = tree::clone(*group.expr);
      arm->group_by.push_back(std::move(item));
    }
    return arm;
  }

  int settled(int column) const {
    return column >= kAggregateBase ? static_cast<int>(groups_.size()) + column - kAggregateBase : column;
  }

  values::ColumnType type_of(int column) const {
    if (column >= kAggregateBase) return aggregates_[static_cast<std::size_t>(column - kAggregateBase)].type;
    return inputs_[static_cast<std::size_t>(groups_[static_cast<std::size_t>(column)].carry)].type;
  }

  merge::Recipe make_recipe() const {
    merge::Recipe recipe;
    for (const Input& input : inputs_) {
      recipe.inputs.push_back({input.type, input.output, merging().format});
    }
    recipe.source = merge::Concat{};
    merge::HashAggregate step;
    step.groups = groups_;
    step.aggregates = aggregates_;
    recipe.steps.emplace_back(std::move(step));
    for (const int column : merged_) recipe.outputs.push_back({settled(column), type_of(column)});
    return recipe;
  }

  SentRows sent_;
  std::vector<int> merged_;  ///< of each sent column
  std::vector<std::pair<tree::ExprPtr, int>> known_;
};

}  // namespace

Outcome finish_groups(Scatter& scatter) {
  return GroupFinish(scatter).plan();
}

}  // namespace anabranch::rewriter
