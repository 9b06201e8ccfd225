#include "rewriter/aggregates.h"

#include <algorithm>
#include <array>

namespace anabranch::rewriter {
namespace {

using Kind = merge::AggregateKind;
namespace oid = values::oid;

constexpr auto kRules = std::to_array<AggregateRule>({
    {"count", Kind::count, 1},
    {"sum", Kind::sum, 1},
    {"min", Kind::min, 1, true},
    {"max", Kind::max, 1, true},
    {"avg", Kind::avg, 1},
    {"bool_and", Kind::bool_and, 1, true},
    {"every", Kind::bool_and, 1, true},
    {"bool_or", Kind::bool_or, 1, true},
    {"bit_and", Kind::bit_and, 1, true},
    {"bit_or", Kind::bit_or, 1, true},
    {"bit_xor", Kind::bit_xor, 1},
    {"var_pop", Kind::var_pop, 1},
    {"var_samp", Kind::var_samp, 1},
    {"variance", Kind::var_samp, 1},
    {"stddev_pop", Kind::stddev_pop, 1},
    {"stddev_samp", Kind::stddev_samp, 1},
    {"stddev", Kind::stddev_samp, 1},
    {"covar_pop", Kind::covar_pop, 2},
    {"covar_samp", Kind::covar_samp, 2},
    {"corr", Kind::corr, 2},
    {"regr_avgx", Kind::regr_avgx, 2},
    {"regr_avgy", Kind::regr_avgy, 2},
    {"regr_count", Kind::regr_count, 2},
    {"regr_intercept", Kind::regr_intercept, 2},
    {"regr_r2", Kind::regr_r2, 2},
    {"regr_slope", Kind::regr_slope, 2},
    {"regr_sxx", Kind::regr_sxx, 2},
    {"regr_sxy", Kind::regr_sxy, 2},
    {"regr_syy", Kind::regr_syy, 2},
});

bool is_float(values::Oid type) {
  return type == oid::float4 || type == oid::float8;
}

bool is_integer(values::Oid type) {
  return type == oid::int2 || type == oid::int4 || type == oid::int8;
}

tree::ExprPtr aggregate(std::string_view name, std::vector<tree::ExprPtr> args,
                        const tree::ExprPtr& filter, bool distinct = false) {
  tree::ExprPtr made = tree::make::call({"pg_catalog", std::string(name)}, std::move(args));
  auto& call = *made->as<tree::FunctionCall>();
  call.filter = tree::clone(filter);
  call.distinct = distinct;
  return made;
}

std::vector<tree::ExprPtr> list(tree::ExprPtr first, tree::ExprPtr second = nullptr) {
  std::vector<tree::ExprPtr> made;
  made.push_back(std::move(first));
  if (second) made.push_back(std::move(second));
  return made;
}

tree::ExprPtr cast(const tree::ExprPtr& expr, const char* type) {
  return tree::make::cast(tree::clone(expr), type);
}

[[noreturn]] void not_split(const Planning& planning, const tree::FunctionCall& call,
                            std::string_view reason) {
  (void)planning;
  refuse_clause("aggregate " + call.name.back(), reason,
                "Group by the key, ask for one key, or aggregate in the application.");
}

/// [n, Σx, Σx²] exactly, or [n, Σx, Sxx] centred.
std::vector<tree::ExprPtr> spread_states(const tree::ExprPtr& x, const tree::ExprPtr& filter,
                                         values::Oid type) {
  std::vector<tree::ExprPtr> states;
  states.push_back(aggregate("count", list(tree::clone(x)), filter));
  if (is_float(type)) {
    states.push_back(aggregate("sum", list(cast(x, "double precision")), filter));
    states.push_back(aggregate(
        "regr_sxx", list(cast(x, "double precision"), cast(x, "double precision")), filter));
    return states;
  }
  states.push_back(aggregate("sum", list(cast(x, "numeric")), filter));
  states.push_back(
      aggregate("sum", list(tree::make::op("*", cast(x, "numeric"), cast(x, "numeric"))), filter));
  return states;
}

/// [n, Σx, Σy, Sxx, Syy, Sxy] of the pairs without NULL; Y is the first argument.
std::vector<tree::ExprPtr> pair_states(const tree::ExprPtr& y, const tree::ExprPtr& x,
                                       const tree::ExprPtr& filter) {
  const auto both = [&] { return list(cast(y, "double precision"), cast(x, "double precision")); };
  const auto sum_where = [&](const tree::ExprPtr& value, const tree::ExprPtr& other) {
    std::vector<tree::ExprPtr> conditions;
    conditions.push_back(tree::make::expr(tree::NullTest{tree::clone(other), true}));
    if (filter) conditions.push_back(tree::clone(filter));
    return aggregate("sum", list(cast(value, "double precision")),
                     tree::make::all_of(std::move(conditions)));
  };
  std::vector<tree::ExprPtr> states;
  states.push_back(tree::make::cast(aggregate("regr_count", both(), filter), "double precision"));
  states.push_back(sum_where(x, y));
  states.push_back(sum_where(y, x));
  states.push_back(aggregate("regr_sxx", both(), filter));
  states.push_back(aggregate("regr_syy", both(), filter));
  states.push_back(aggregate("regr_sxy", both(), filter));
  return states;
}

std::vector<tree::ExprPtr> average_states(const AggregateCall& at, const tree::ExprPtr& x,
                                          const tree::ExprPtr& filter, values::Oid type) {
  std::vector<tree::ExprPtr> states;
  const bool distinct = at.call->distinct;
  if (is_integer(type)) {
    states.push_back(
        tree::make::cast(aggregate("sum", list(tree::clone(x)), filter, distinct), "numeric"));
  } else if (type == oid::float4) {
    states.push_back(aggregate("sum", list(cast(x, "double precision")), filter, distinct));
  } else {
    states.push_back(aggregate("sum", list(tree::clone(x)), filter, distinct));
  }
  states.push_back(aggregate("count", list(tree::clone(x)), filter, distinct));
  return states;
}

}  // namespace

bool is_spread(Kind kind) {
  return kind == Kind::var_pop || kind == Kind::var_samp || kind == Kind::stddev_pop ||
         kind == Kind::stddev_samp;
}

bool is_bitwise(Kind kind) {
  return kind == Kind::bit_and || kind == Kind::bit_or || kind == Kind::bit_xor;
}

const AggregateRule* find_aggregate(std::string_view name) {
  const auto at = std::ranges::find(kRules, name, &AggregateRule::name);
  return at == kRules.end() ? nullptr : &*at;
}

AggregateCall read_aggregate(const Planning& planning, const tree::FunctionCall& call,
                             bool key_inside) {
  AggregateCall made;
  made.call = &call;
  made.rule = find_aggregate(call.name.back());
  const FunctionInfo info = classify(call, planning.functions);
  const bool builtin = info.function != nullptr && info.function->builtin;
  if (made.rule == nullptr || !builtin) {
    not_split(planning, call, "it needs all rows of a group in one place");
  }
  if (call.within_group || call.variadic || !call.order_by.empty()) {
    not_split(planning, call, "its rows have an order");
  }
  const bool star = call.star && made.rule->kind == Kind::count;
  if (!star && call.args.size() != static_cast<std::size_t>(made.rule->arguments)) {
    not_split(planning, call, "it has another number of arguments");
  }
  // Squares are summed by an operator of our own writing.
  if (is_spread(made.rule->kind) && !is_builtin_operator(planning.query, "*", oid::numeric, oid::numeric)) {
    not_split(planning, call, "an operator * of a user's schema may be meant");
  }
  if (!call.distinct || made.rule->ignores_distinct) return made;
  if (made.rule->kind != Kind::count && made.rule->kind != Kind::sum &&
      made.rule->kind != Kind::avg && made.rule->kind != Kind::bit_xor) {
    not_split(planning, call, "DISTINCT needs all its values in one place");
  }
  made.distinct = !key_inside;
  return made;
}

std::vector<tree::ExprPtr> states_of(const AggregateCall& aggregate_call,
                                     const std::vector<tree::ExprPtr>& arguments,
                                     const tree::ExprPtr& filter,
                                     const std::vector<values::Oid>& types) {
  const Kind kind = aggregate_call.rule->kind;
  if (aggregate_call.call->star) {
    tree::ExprPtr count = tree::make::count_star();
    count->as<tree::FunctionCall>()->filter = tree::clone(filter);
    std::vector<tree::ExprPtr> states;
    states.push_back(std::move(count));
    return states;
  }
  const tree::ExprPtr& x = arguments.front();
  if (is_spread(kind)) return spread_states(x, filter, types.front());
  if (aggregate_call.rule->arguments == 2) return pair_states(arguments[0], arguments[1], filter);
  if (kind == Kind::avg) return average_states(aggregate_call, x, filter, types.front());
  const bool distinct = aggregate_call.call->distinct && !aggregate_call.rule->ignores_distinct;
  std::vector<tree::ExprPtr> states;
  states.push_back(aggregate(aggregate_call.rule->name, list(tree::clone(x)), filter, distinct));
  return states;
}

std::vector<values::Oid> state_types(const AggregateCall& aggregate_call,
                                     const std::vector<values::Oid>& types, values::Oid result) {
  const Kind kind = aggregate_call.rule->kind;
  if (kind == Kind::count) return {oid::int8};
  if (is_spread(kind)) {
    const values::Oid sum = is_float(types.front()) ? oid::float8 : oid::numeric;
    return {oid::int8, sum, sum};
  }
  if (aggregate_call.rule->arguments == 2) return std::vector<values::Oid>(6, oid::float8);
  if (kind == Kind::avg) {
    if (is_integer(types.front())) return {oid::numeric, oid::int8};
    return {types.front() == oid::float4 ? oid::float8 : types.front(), oid::int8};
  }
  return {result};
}

}  // namespace anabranch::rewriter
