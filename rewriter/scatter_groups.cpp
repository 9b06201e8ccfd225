#include <algorithm>

#include "rewriter/after_merge.h"
#include "rewriter/finish.h"
#include "rewriter/group_columns.h"

/// Scatter of groups: each shard's states of the aggregates, merged by the group's columns; HAVING,
/// expressions, order and limit come after.
namespace anabranch::rewriter {
namespace {

namespace oid = values::oid;

/// Numbers of computed columns until the number of merged ones is known.
constexpr int kComputedBase = 2'000'000;

class GroupScatter : public GroupColumns {
 public:
  using GroupColumns::GroupColumns;

  Outcome plan() {
    if (!planning_.traits.random.empty()) {
      refuse_clause(planning_.traits.random + "() beside aggregates",
                    "its value is drawn before or after grouping",
                    "Compute it in the application.");
    }
    collect();
    auto probes = make_probes();
    if (!probed(planning_, probes.size())) return ask_with(planning_, std::move(probes));
    read_types();
    choose_distinct_sets();
    for (int i = 0; i < width(); ++i) add_output(i);
    add_exact_outputs();
    add_steps();
    tree::SelectPtr subquery = make_subquery();
    return finish_scatter(scatter_, std::move(subquery), make_recipe(), reason());
  }

 private:
  // ----------------------------------------------------------------------------------------
  // outputs

  static merge::Expression column_of(int index, values::ColumnType type) {
    merge::Expression column;
    column.op = merge::Expression::Op::column;
    column.index = index;
    column.type = std::move(type);
    return column;
  }

  /// The merge has MySQL's bit aggregates with a sign, which they have not.
  void check_comparable(int aggregate) {
    const merge::AggregateKind kind = aggregates_of_[static_cast<std::size_t>(aggregate)].call.rule->kind;
    if (merging().has_collations || !is_bitwise(kind)) return;
    refuse_clause("an expression of, or an order by, bit aggregates", "they are numbers without a sign",
                  "Select the aggregates, and compute the expression in the application.");
  }

  /// A group's column or an aggregate, in a form that can be compared: its value, or its key.
  std::optional<merge::Expression> comparable_leaf(const tree::Expr& expr) {
    if (const int group = find_group(expr); group >= 0) {
      const int index = group_internal(group);
      return column_of(index, group_type(group));
    }
    if (const int aggregate = find_aggregate_call(expr); aggregate >= 0) {
      check_comparable(aggregate);
      const int index = aggregate_internal(aggregate);
      return column_of(index, comparable_type(aggregate));
    }
    return std::nullopt;
  }

  /// What can be calculated with.
  std::optional<merge::Expression> leaf(const tree::Expr& expr) {
    if (const int group = find_group(expr); group >= 0) {
      auto found = comparable_leaf(expr);
      if (found->type.oid != row_type(groups_of_[static_cast<std::size_t>(group)].row).oid) return std::nullopt;
      return found;
    }
    if (const tree::Expr& named = behind_name(expr); &named != &expr) {
      if (auto found = leaf(named)) return found;
      return evaluate(named, Wanted::operand);
    }
    if (const int aggregate = find_aggregate_call(expr); aggregate >= 0) {
      auto found = comparable_leaf(expr);
      if (found->type.oid != aggregate_types_[static_cast<std::size_t>(aggregate)].oid) return std::nullopt;
      const auto& args = aggregates_of_[static_cast<std::size_t>(aggregate)].call.call->args;
      const bool hides = std::ranges::any_of(
          args, [&](const tree::ExprPtr& arg) { return merging().hides_digits(planning_, *arg); });
      return hides && found->type.oid == oid::numeric ? std::nullopt : found;
    }
    const bool plain = expr.as<tree::Literal>() != nullptr || expr.as<tree::Param>() != nullptr;
    if (!plain) {
      if (const Constant* constant = find_constant(expr)) {
        if (merging().exact(row_column(constant->row), *tree::make::null())) return std::nullopt;
        return column_of(constant_internal(expr), row_type(constant->row));
      }
    }
    return std::nullopt;
  }

  merge::Expression evaluate(const tree::Expr& expr, Wanted wanted) {
    return merging().after_merge(planning_, expr, [this](const tree::Expr& at) { return leaf(at); }, wanted);
  }

  int computed(const tree::Expr& expr) {
    for (std::size_t i = 0; i < computed_exprs_.size(); ++i) {
      if (tree::equal(*computed_exprs_[i], expr)) return kComputedBase + static_cast<int>(i);
    }
    merge::Expression made = evaluate(expr, Wanted::output);
    computed_exprs_.push_back(&expr);
    computed_.push_back(std::move(made));
    return kComputedBase + static_cast<int>(computed_.size()) - 1;
  }

  void check_type(const tree::Expr& expr, const values::ColumnType& type, int output) {
    if (type.oid == column_type(planning_, result(output)).oid) return;
    refuse_clause("the expression " + planning_.text(expr),
                  "its type after merging would not be the server's",
                  "Cast the expression to the type it is to have.");
  }

  void add_output(int output) {
    const tree::Expr& expr = *scatter_.block.outputs[static_cast<std::size_t>(output)].expr;
    int column = 0;
    values::ColumnType type;
    if (const int group = find_group(expr); group >= 0) {
      column = group_output(group, output);
      type = row_type(groups_of_[static_cast<std::size_t>(group)].row);
    } else if (const int aggregate = find_aggregate_call(expr); aggregate >= 0) {
      column = aggregate_output(aggregate, output);
      type = aggregate_types_[static_cast<std::size_t>(aggregate)];
    } else if (const Constant* constant = find_constant(expr)) {
      column = add_any(*constant, output);
      type = row_type(constant->row);
    } else {
      column = computed(expr);
      type = computed_[static_cast<std::size_t>(column - kComputedBase)].type;
      check_printable(type, &expr);
    }
    if (find_aggregate_call(expr) < 0) check_type(expr, type, output);
    outputs_.push_back(column);
  }

  /// What is passed on, and shows few of its digits, is compared by all of them.
  void add_exact_outputs() {
    for (int i = 0; i < width(); ++i) {
      if (!merging().exact(result(i), *tree::make::null())) continue;
      const tree::Expr& expr = *scatter_.block.outputs[static_cast<std::size_t>(i)].expr;
      const int aggregate = find_aggregate_call(expr);
      const bool extreme = aggregate >= 0 && passes_on(aggregates_of_[static_cast<std::size_t>(aggregate)].call.rule->kind);
      const Constant* constant = find_constant(expr);
      if (extreme || find_group(expr) >= 0) {
        exact_.push_back(*comparable_leaf(expr));
      } else if (constant != nullptr) {
        const auto [column, type] = comparable_constant(*constant);
        exact_.push_back(column_of(column, type));
      } else {
        continue;
      }
      planning_.plan->exact.push_back(i);
    }
  }

  // ------------------------------------------------------------------------------------------
  // steps

  /// A column that can be compared, for what an output or expression shows.
  std::pair<int, values::ColumnType> comparable(const tree::Expr& expr) {
    const Constant* constant = find_group(expr) < 0 ? find_constant(expr) : nullptr;
    if (constant != nullptr) return comparable_constant(*constant);
    if (const auto column = comparable_leaf(expr)) return {column->index, column->type};
    const int column = computed(expr);
    return {column, computed_[static_cast<std::size_t>(column - kComputedBase)].type};
  }

  void add_steps() {
    for (const tree::Expr* part : tree::conjuncts(select_.having.get())) {
      merge::Expression condition = having(*part);
      filters_.push_back(std::move(condition));
    }
    for (const OrderKey& key : order_of(scatter_)) {
      const Meaning meaning = meaning_of(scatter_.block, *key.expr, planning_.pins);
      const auto [column, type] = comparable(*meaning.expr);
      const std::string what = "ORDER BY " + planning_.text(*key.expr);
      sort_.push_back(sort_key(planning_, key.how, column,
                               check_order(type, collation_of(planning_, *meaning.expr), what)));
    }
    if (select_.distinct) {
      for (const OutputColumn& output : scatter_.block.outputs) {
        if (merging().hides_digits(planning_, *output.expr)) {
          refuse_clause("DISTINCT " + planning_.text(*output.expr), "its digits beyond those that are told may count",
                        "Round it.");
        }
        const auto [column, type] = comparable(*output.expr);
        check_equality(type, collation_of(planning_, *output.expr),
                       "DISTINCT " + planning_.text(*output.expr));
        distinct_.columns.push_back(column);
      }
    }
    limit_ = add_limit_slots(planning_, select_, true);
  }

  /// A condition without aggregates is computed by the shards.
  merge::Expression having(const tree::Expr& part) {
    const Constant* constant = find_constant(part);
    if (constant == nullptr) return evaluate(part, Wanted::condition);
    merge::Expression column;
    column.op = merge::Expression::Op::column;
    column.type = row_type(constant->row);
    if (merging().truth_is_number && column.type.oid == oid::int8) return is_not_zero(constant_internal(part));
    if (column.type.oid != oid::boolean) {
      refuse_clause("HAVING " + planning_.text(part), "it is no condition", "Write a condition.");
    }
    column.index = constant_internal(part);
    return column;
  }

  static merge::Expression is_not_zero(int column) {
    merge::Expression number;
    number.op = merge::Expression::Op::column;
    number.type.oid = oid::int8;
    number.index = column;
    merge::Expression zero;
    zero.type.oid = oid::int8;
    zero.value = values::Datum::int8(0);
    merge::Expression test;
    test.op = merge::Expression::Op::not_equal;
    test.type.oid = oid::boolean;
    test.args.push_back(std::move(number));
    test.args.push_back(std::move(zero));
    return test;
  }

  int settled(int column) const {
    const int groups = static_cast<int>(groups_.size());
    if (column >= kComputedBase) {
      return groups + static_cast<int>(aggregates_.size()) + column - kComputedBase;
    }
    return column >= kAggregateBase ? groups + column - kAggregateBase : column;
  }

  void settle(merge::Expression& expr) const {
    if (expr.op == merge::Expression::Op::column) expr.index = settled(expr.index);
    for (merge::Expression& arg : expr.args) settle(arg);
  }

  merge::Recipe make_recipe() {
    merge::Recipe recipe;
    for (const Input& input : inputs_) {
      recipe.inputs.push_back({input.type, input.output,
                               input.output >= 0 ? values::Format::text : merging().format});
    }
    recipe.source = merge::Concat{};
    merge::HashAggregate step;
    step.groups = groups_;
    step.aggregates = aggregates_;
    step.discriminator = discriminator_;
    recipe.steps.emplace_back(std::move(step));
    for (merge::Expression& condition : filters_) {
      settle(condition);
      recipe.steps.emplace_back(merge::Filter{std::move(condition)});
    }
    if (!computed_.empty()) {
      for (merge::Expression& expr : computed_) settle(expr);
      recipe.steps.emplace_back(merge::Compute{std::move(computed_)});
    }
    for (merge::SortKey& key : sort_) key.column = settled(key.column);
    if (!sort_.empty()) {
      merge::Sort sort;
      sort.keys = sort_;
      if (!select_.distinct && !select_.with_ties) sort.bound_slot = limit_.pushed;
      recipe.steps.emplace_back(std::move(sort));
    }
    if (select_.distinct) {
      for (int& column : distinct_.columns) column = settled(column);
      recipe.steps.emplace_back(distinct_);
    }
    if (limit_.count >= 0 || limit_.offset >= 0) {
      merge::Limit limit;
      limit.count_slot = limit_.count;
      limit.offset_slot = limit_.offset;
      limit.with_ties = select_.with_ties;
      if (limit.with_ties) limit.tie_keys = sort_;
      recipe.steps.emplace_back(std::move(limit));
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      recipe.outputs.push_back(
          {settled(outputs_[i]), column_type(planning_, result(static_cast<int>(i)))});
    }
    for (const merge::Expression& column : exact_) recipe.outputs.push_back({settled(column.index), column.type});
    return recipe;
  }

  std::string reason() const {
    if (groups_of_.empty()) return "one group over all shards: partial aggregates are merged";
    return "groups lie on several shards: their partial aggregates are merged";
  }

  std::vector<const tree::Expr*> computed_exprs_;
  std::vector<merge::Expression> computed_;
  std::vector<merge::Expression> filters_;
  std::vector<merge::SortKey> sort_;
  merge::Distinct distinct_;
  LimitSlots limit_;
  std::vector<int> outputs_;
  std::vector<merge::Expression> exact_;
};

}  // namespace

/// What is refused in one way may be planned in the next, which costs more.
Outcome scatter_groups(Scatter& scatter) {
  Plan& plan = *scatter.planning.plan;
  const std::size_t slots = plan.slots.size();
  const std::size_t exact = plan.exact.size();
  try {
    return GroupScatter(scatter).plan();
  } catch (const Refusal&) {
    for (const auto planner : {finish_groups, gather}) {
      plan.slots.resize(slots);
      plan.exact.resize(exact);
      if (auto outcome = try_to(planner, scatter)) return std::move(*outcome);
    }
    throw;
  }
}

}  // namespace anabranch::rewriter
