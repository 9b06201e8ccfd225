#include "rewriter/group_columns.h"

#include <algorithm>

namespace anabranch::rewriter {

using merge::AggregateKind;

void GroupColumns::choose_distinct_sets() {
  for (Aggregate& aggregate : aggregates_of_) {
    if (!aggregate.call.distinct) continue;
    const tree::FunctionCall& call = *aggregate.call.call;
    aggregate.distinct_set =
        find_set(*call.args.front(), call.filter.get(), aggregate.rows.front());
  }
  // Without grouping sets each shard groups by the values of all sets together: more rows, and the same sets.
  const bool several = sets_.size() > 1 && merging().names_freely;
  derived_ = several || (!sets_.empty() && !splits_by_set());
  for (DistinctSet& set : sets_) {
    const tree::ExprPtr value = set_expr(set);
    auto form = merging().key_form(planning_, row_column(set.row), *value, false);
    const values::ColumnType type = form && form->type ? *form->type : row_type(set.row);
    check_equality(type, collation_of(planning_, *set.arg), "DISTINCT " + planning_.text(*set.arg));
    if (type.oid != row_type(set.row).oid) check_counted(set);
    set.input = add_input(form ? of_group(std::move(form->expr), *value) : tree::clone(*value), type, -1, true);
  }
  if (derived_ && !merging().names_freely) {
    refuse_clause("a DISTINCT aggregate beside one of the key, or beside what is no aggregate",
                  "they are not of the same rows", "Ask for them in statements of their own, or group by the key.");
  }
}

void GroupColumns::check_counted(const DistinctSet& set) const {
  for (const Aggregate& aggregate : aggregates_of_) {
    if (aggregate.distinct_set < 0 || &sets_[static_cast<std::size_t>(aggregate.distinct_set)] != &set) continue;
    if (aggregate.call.rule->kind == AggregateKind::count) continue;
    refuse_clause("aggregate " + aggregate.call.call->name.back(), "its DISTINCT values are compared in another form",
                  "Group by the key, ask for one key, or aggregate in the application.");
  }
}

bool GroupColumns::splits_by_set() const {
  if (groups_of_.empty() && !constants_.empty()) return false;
  return std::ranges::none_of(aggregates_of_, [](const Aggregate& aggregate) {
    return aggregate.call.call->distinct && !aggregate.call.distinct &&
           !aggregate.call.rule->ignores_distinct;
  });
}

int GroupColumns::find_set(const tree::Expr& arg, const tree::Expr* filter, int row) {
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const bool same_filter = (filter == nullptr) == (sets_[i].filter == nullptr) &&
                             (filter == nullptr || tree::equal(*filter, *sets_[i].filter));
    if (same_filter && tree::equal(arg, *sets_[i].arg)) return static_cast<int>(i);
  }
  sets_.push_back({&arg, filter, row, -1});
  return static_cast<int>(sets_.size()) - 1;
}

tree::ExprPtr GroupColumns::set_expr(const DistinctSet& set) const {
  tree::ExprPtr value = tree::clone(*set.arg);
  if (set.filter == nullptr) return value;
  tree::Case choice;
  choice.whens.push_back({tree::clone(*set.filter), std::move(value)});
  return tree::make::expr(tree::Expr::Node(std::move(choice)));
}

int GroupColumns::add_input(tree::ExprPtr expr, values::ColumnType type, int output, bool grouped) {
  inputs_.push_back({std::move(expr), std::move(type), output, grouped});
  return static_cast<int>(inputs_.size()) - 1;
}

/// Under ONLY_FULL_GROUP_BY a server sees that a key is the group's own only where the group is a column.
tree::ExprPtr GroupColumns::of_group(tree::ExprPtr key, const tree::Expr& group) const {
  if (merging().names_freely || group.as<tree::ColumnRef>() != nullptr) return key;
  return tree::make::call({"max"}, std::move(key));
}

void GroupColumns::ensure_base(Group& group, int output) {
  if (group.base >= 0) return;
  auto form = merging().key_form(planning_, row_column(group.row), *group.expr, false);
  const values::ColumnType type = form && form->type ? *form->type : row_type(group.row);
  check_equality(type, collation_of(planning_, *group.expr),
                 "GROUP BY " + planning_.text(*group.expr));
  const bool passes = output >= 0 && !form;
  group.base = add_input(form ? of_group(std::move(form->expr), *group.expr) : tree::clone(*group.expr), type,
                         passes ? output : -1, true);
  group.base_passed = passes;
  if (!passes) return;
  groups_.push_back({group.base, group.base});
  group.internal = static_cast<int>(groups_.size()) - 1;
}

const values::ColumnType& GroupColumns::group_type(int index) const {
  const Group& group = groups_of_[static_cast<std::size_t>(index)];
  return group.base >= 0 ? inputs_[static_cast<std::size_t>(group.base)].type : row_type(group.row);
}

values::ColumnType GroupColumns::comparable_type(int index) const {
  const auto at = static_cast<std::size_t>(index);
  if (passes_on(aggregates_of_[at].call.rule->kind)) {
    const auto form = merging().key_form(planning_, aggregate_columns_[at], *aggregate_exprs_[at], true);
    if (form && form->type) return *form->type;
  }
  return aggregate_types_[at];
}

int GroupColumns::group_output(int index, int output) {
  Group& group = groups_of_[static_cast<std::size_t>(index)];
  const bool fresh = group.base < 0;
  ensure_base(group, output);
  if (fresh && group.base_passed) return group.internal;
  const int carry = add_input(tree::clone(*group.expr), row_type(group.row), output, true);
  groups_.push_back({group.base, carry});
  return static_cast<int>(groups_.size()) - 1;
}

int GroupColumns::group_internal(int index) {
  Group& group = groups_of_[static_cast<std::size_t>(index)];
  ensure_base(group, -1);
  if (group.internal < 0) {
    groups_.push_back({group.base, group.base});
    group.internal = static_cast<int>(groups_.size()) - 1;
  }
  return group.internal;
}

std::vector<values::Oid> GroupColumns::argument_types(const Aggregate& aggregate) const {
  std::vector<values::Oid> types;
  for (const int row : aggregate.rows) types.push_back(row_type(row).oid);
  return types;
}

bool GroupColumns::passes_on(AggregateKind kind) {
  return kind == AggregateKind::min || kind == AggregateKind::max;
}

int GroupColumns::add_merged(merge::Aggregate merged) {
  if (derived_ && merged.kind != AggregateKind::count_distinct &&
      merged.kind != AggregateKind::sum_distinct && merged.kind != AggregateKind::avg_distinct &&
      merged.kind != AggregateKind::bit_xor_distinct) {
    merged.grouping = (1 << sets_.size()) - 1;
  }
  aggregates_.push_back(std::move(merged));
  return kAggregateBase + static_cast<int>(aggregates_.size()) - 1;
}

int GroupColumns::aggregate_internal(int index) {
  Aggregate& aggregate = aggregates_of_[static_cast<std::size_t>(index)];
  if (aggregate.internal >= 0) return aggregate.internal;
  aggregate.internal = aggregate.distinct_set >= 0 ? add_distinct(aggregate, index)
                                                   : add_states(aggregate, index, -1);
  return aggregate.internal;
}

int GroupColumns::aggregate_output(int index, int output) {
  Aggregate& aggregate = aggregates_of_[static_cast<std::size_t>(index)];
  if (!passes_on(aggregate.call.rule->kind)) {
    check_printable(aggregate_types_[static_cast<std::size_t>(index)],
                    aggregate_exprs_[static_cast<std::size_t>(index)]);
    return aggregate_internal(index);
  }
  return add_states(aggregate, index, output);
}

void GroupColumns::check_printable(const values::ColumnType& type, const tree::Expr* expr) {
  if (values::can_encode(type.oid, values::Format::text, {}) &&
      values::can_encode(type.oid, values::Format::binary, {})) {
    return;
  }
  refuse_clause("the expression " + planning_.text(*expr),
                "values of type " + values::type_name(type) + " are not printed after merging",
                "Cast it to another type.");
}

int GroupColumns::add_distinct(const Aggregate& aggregate, int index) {
  merge::Aggregate merged;
  switch (aggregate.call.rule->kind) {
    case AggregateKind::sum:
      merged.kind = AggregateKind::sum_distinct;
      break;
    case AggregateKind::avg:
      merged.kind = AggregateKind::avg_distinct;
      break;
    case AggregateKind::bit_xor:
      merged.kind = AggregateKind::bit_xor_distinct;
      break;
    default:
      merged.kind = AggregateKind::count_distinct;
  }
  const auto set = static_cast<std::size_t>(aggregate.distinct_set);
  merged.inputs = {sets_[set].input};
  merged.type = aggregate_types_[static_cast<std::size_t>(index)];
  if (derived_) {
    const int all = (1 << sets_.size()) - 1;
    merged.grouping = all & ~(1 << (static_cast<int>(sets_.size()) - 1 - aggregate.distinct_set));
  }
  return add_merged(std::move(merged));
}

/// Beside DISTINCT shards group by its values: of no rows they send none, not the bits of nothing.
void GroupColumns::check_bits_of_nothing(AggregateKind kind) const {
  const bool bits = kind == AggregateKind::bit_and || kind == AggregateKind::bit_or || kind == AggregateKind::bit_xor;
  if (!bits || !merging().bits_of_nothing || sets_.empty() || !groups_of_.empty()) return;
  refuse_clause("bits beside DISTINCT", "of no rows they are no NULL", "Ask for them in a statement of their own.");
}

int GroupColumns::add_states(const Aggregate& aggregate, int index, int output) {
  const tree::FunctionCall& call = *aggregate.call.call;
  const values::ColumnType& type = aggregate_types_[static_cast<std::size_t>(index)];
  const auto types = argument_types(aggregate);
  std::vector<tree::ExprPtr> arguments;
  for (const tree::ExprPtr& arg : call.args) arguments.push_back(tree::clone(*arg));
  auto states = merging().states(aggregate.call, arguments, call.filter, types);
  const auto state_oids = merging().state_types(aggregate.call, types, type.oid);
  merge::Aggregate merged;
  merged.kind = aggregate.call.rule->kind;
  merged.type = type;
  check_bits_of_nothing(merged.kind);
  if (passes_on(merged.kind)) {
    const tree::Expr& whole = *aggregate_exprs_[static_cast<std::size_t>(index)];
    auto form = merging().key_form(planning_, aggregate_columns_[static_cast<std::size_t>(index)], *states.front(), true);
    const values::ColumnType compared = comparable_type(index);
    merged.collation = check_order(compared, collation_of(planning_, whole), planning_.text(whole));
    if (form && output < 0) merged.type = compared;
    const bool one = !form || output < 0;
    merged.inputs = {add_input(form ? std::move(form->expr) : tree::clone(*states.front()), compared,
                               one ? output : -1, false)};
    if (!one) merged.inputs.push_back(add_input(std::move(states.front()), type, output, false));
    return add_merged(std::move(merged));
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    const values::ColumnType state =
        states.size() == 1 && state_oids[i] == type.oid ? type : column_type(planning_, state_oids[i]);
    merged.inputs.push_back(add_input(std::move(states[i]), state, -1, false));
  }
  return add_merged(std::move(merged));
}

int GroupColumns::add_any(const Constant& constant, int output) {
  merge::Aggregate merged;
  merged.kind = AggregateKind::any;
  merged.type = row_type(constant.row);
  merged.inputs = {add_input(tree::clone(*constant.expr), merged.type, output, false)};
  return add_merged(std::move(merged));
}

std::pair<int, values::ColumnType> GroupColumns::comparable_constant(const Constant& constant) {
  auto form = merging().key_form(planning_, row_column(constant.row), *constant.expr, false);
  if (!form || !form->type) return {constant_internal(*constant.expr), row_type(constant.row)};
  merge::Aggregate merged;
  merged.kind = AggregateKind::any;
  merged.type = *form->type;
  merged.inputs = {add_input(std::move(form->expr), *form->type, -1, false)};
  return {add_merged(std::move(merged)), *form->type};
}

int GroupColumns::constant_internal(const tree::Expr& expr) {
  for (Constant& known : constants_) {
    if (!tree::equal(*known.expr, expr)) continue;
    if (known.internal < 0) known.internal = add_any(known, -1);
    return known.internal;
  }
  return -1;
}

}  // namespace anabranch::rewriter
