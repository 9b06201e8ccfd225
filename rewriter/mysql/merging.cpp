#include "rewriter/merging.h"

#include <algorithm>
#include <array>

#include "rewriter/mysql/merging.h"
#include "values/ascii.h"
#include "values/mysql_type.h"

namespace anabranch::rewriter::mysql {
namespace {

namespace oid = values::oid;
using values::MysqlCode;
using Kind = merge::AggregateKind;

values::ColumnType of(values::Oid type) {
  values::ColumnType made;
  made.oid = type;
  return made;
}

/// Numbers are calculated with; all else is passed on as it is, and compared (where it can be) by its bytes.
values::ColumnType type(const Planning&, const ResultColumn& column) {
  const auto integer = [&](values::Oid oid) -> values::ColumnType {
    return {.oid = oid, .typmod = values::has_mysql_flag(column.type) ? kUnsigned : -1};
  };
  switch (values::mysql_code(column.type)) {
    case MysqlCode::longlong:
      return integer(values::has_mysql_flag(column.type) ? oid::numeric : oid::int8);
    case MysqlCode::tiny:
    case MysqlCode::short_:
    case MysqlCode::int24:
    case MysqlCode::long_:
    case MysqlCode::year:
      return integer(oid::int8);
    case MysqlCode::decimal:
    case MysqlCode::newdecimal:
      return {.oid = oid::numeric, .typmod = column.typmod};
    case MysqlCode::double_:
      return of(oid::float8);
    default:
      return of(oid::text);
  }
}

/// MySQL does since 8.0 no longer.
bool sorts_groups(const Planning& planning) {
  const Mode& mode = planning.request->context->mysql;
  constexpr int mysql_8 = 80000;
  return mode.mariadb || mode.version < mysql_8;
}

/// With all digits, which a column of fixed or few decimals does not show.
tree::ExprPtr exact(tree::ExprPtr real) {
  return tree::make::op("+", tree::make::raw("0e0"), std::move(real));
}

bool has_all_digits(const ResultColumn& column) {
  return values::mysql_code(column.type) == MysqlCode::double_ && column.typmod >= values::kAnyDecimals;
}

tree::ExprPtr call(const char* name, tree::ExprPtr first, tree::ExprPtr second = nullptr, tree::ExprPtr third = nullptr) {
  std::vector<tree::ExprPtr> args;
  args.push_back(std::move(first));
  if (second) args.push_back(std::move(second));
  if (third) args.push_back(std::move(third));
  return tree::make::call({name}, std::move(args));
}

/// Of the collation of `x`, whatever it is: nothing of x, and one space behind it.
tree::ExprPtr nothing_of(const tree::Expr& x) {
  return call("left", tree::clone(x), tree::make::integer(0));
}
tree::ExprPtr space_of(const tree::Expr& x) {
  return call("concat", nothing_of(x), tree::make::string(" "));
}

/// The weight of a space under collations that are known here, its length ahead; empty: ask the server.
std::string_view known_pad(const Planning& planning, const tree::Expr& x) {
  struct Pad {
    std::string_view collation;
    std::string_view bytes;  ///< hexadecimal
  };
  constexpr auto pads = std::to_array<Pad>({{"utf8mb4_general_ci", "020020"},
                                            {"utf8mb3_general_ci", "020020"},
                                            {"utf8mb4_bin", "03000020"},
                                            {"utf8mb4_unicode_ci", "020209"},
                                            {"utf8mb3_unicode_ci", "020209"},
                                            {"latin1_swedish_ci", "0120"},
                                            {"latin1_bin", "0120"}});
  const router::Column* column = planning.query.column(ident_of(x));
  if (column == nullptr) return {};
  const auto found = std::ranges::find(pads, std::string_view(column->collation_name), &Pad::collation);
  return found == pads.end() ? std::string_view() : found->bytes;
}

/// values::kMysqlWeights: the weight of a space where the collation pads, its length ahead, then the weights.
tree::ExprPtr padded_weights_of(const Planning& planning, const tree::Expr& x) {
  if (const std::string_view pad = known_pad(planning, x); !pad.empty()) {
    return call("concat", tree::make::raw("0x" + std::string(pad)), call("weight_string", tree::clone(x)));
  }
  const auto pad = [&] {
    return call("if", tree::make::op("=", space_of(x), nothing_of(x)), call("weight_string", space_of(x)),
                tree::make::string(""));
  };
  return call("concat", call("char", call("length", pad())), pad(), call("weight_string", tree::clone(x)));
}

/// Of a text whose weights are too long for a packet they are NULL, which it is not: an empty key is an error.
tree::ExprPtr weights_of(const Planning& planning, const tree::Expr& x, bool may_be_long) {
  if (!may_be_long) return padded_weights_of(planning, x);
  std::vector<tree::ExprPtr> lost;
  lost.push_back(tree::make::expr(tree::NullTest{call("weight_string", tree::clone(x)), false}));
  lost.push_back(tree::make::expr(tree::NullTest{tree::clone(x), true}));
  return call("if", tree::make::all_of(std::move(lost)), tree::make::string(""), padded_weights_of(planning, x));
}

/// Weights that come one after another are their strings' order under most collations only. Any text of the statement
/// may be in what is compared.
void check_collations(const Planning& planning) {
  const auto check = [](const std::string& collation) {
    if (collation.empty() || values::weights_are_order(collation)) return;
    refuse_clause("comparing text under " + collation, "its order is not known here",
                  "Compare it under another collation.");
  };
  if (!planning.request->context->mysql.weighs) {
    refuse_clause("comparing text under the session's collation or sql_mode", "its order is not known here",
                  "Choose another one: SET NAMES … COLLATE …");
  }
  for (const auto& instance : planning.query.instances) {
    if (instance->relation == nullptr) continue;
    for (const router::Column& column : instance->relation->columns) check(column.collation_name);
  }
  for (const auto& block : planning.query.blocks) {
    each_expression(*block, [&](const tree::Expr& expr) {
      tree::walk(expr, [&](const tree::Expr& at) {
        if (const auto* collate = at.as<tree::Collate>()) check(values::lower_case(collate->collation.back()));
        return true;
      });
    });
  }
}

KeyForm weighed(const Planning& planning, const tree::Expr& expr, bool may_be_long = false) {
  check_collations(planning);
  return {weights_of(planning, expr, may_be_long), of(values::kMysqlWeights)};
}

std::optional<KeyForm> key_form(const Planning& planning, const ResultColumn& column, const tree::Expr& expr,
                                bool extreme) {
  switch (values::mysql_code(column.type)) {
    case MysqlCode::timestamp:
      // Its text is of the session's time zone, where an hour may come twice.
      return KeyForm{call("unix_timestamp", tree::clone(expr)), of(oid::numeric)};
    case MysqlCode::time:
      return KeyForm{call("time_to_sec", tree::clone(expr)), of(oid::numeric)};
    case MysqlCode::float_:
      return KeyForm{exact(tree::clone(expr)), of(values::kMysqlReal)};
    case MysqlCode::double_:
      return KeyForm{has_all_digits(column) ? tree::clone(expr) : exact(tree::clone(expr)), of(values::kMysqlReal)};
    case MysqlCode::year:
      // As a number it would lose the zeros of 0000.
      if (extreme) return KeyForm{tree::make::op("+", tree::clone(expr), tree::make::integer(0)), of(oid::int8)};
      return std::nullopt;
    case MysqlCode::bit:
      // What MIN and MAX of bits are told as depends on how a server goes about it.
      if (extreme) refuse_clause("MIN or MAX of bits", "their type is not known", "Ask for MIN(x + 0).");
      return KeyForm{tree::make::cast(tree::clone(expr), "unsigned"), of(oid::numeric)};
    case MysqlCode::enum_:
    case MysqlCode::set:
      // In order by their numbers, and the least and greatest by their words.
      if (extreme) return weighed(planning, expr);
      return KeyForm{tree::make::cast(tree::clone(expr), "unsigned"), of(oid::numeric)};
    case MysqlCode::geometry:
      refuse_clause("comparing " + planning.text(expr), "the order of its type is not known here",
                    "Compare it as text: CAST(x AS CHAR), ST_AsText(x).");
    case MysqlCode::varchar:
    case MysqlCode::var_string:
    case MysqlCode::string:
      if (values::has_mysql_flag(column.type)) return std::nullopt;
      return weighed(planning, expr);
    case MysqlCode::tiny_blob:
    case MysqlCode::medium_blob:
    case MysqlCode::long_blob:
    case MysqlCode::blob:
    case MysqlCode::json:
      if (values::has_mysql_flag(column.type)) return std::nullopt;
      return weighed(planning, expr, true);
    default:
      return std::nullopt;
  }
}

// ---------------------------------------------------------------------------------------- aggregates

constexpr auto rules = std::to_array<AggregateRule>({
    {"count", Kind::count, 1},
    {"sum", Kind::sum, 1},
    {"min", Kind::min, 1, true},
    {"max", Kind::max, 1, true},
    {"bit_and", Kind::bit_and, 1, true},
    {"bit_or", Kind::bit_or, 1, true},
    {"bit_xor", Kind::bit_xor, 1},
    {"std", Kind::stddev_pop, 1},
    {"stddev", Kind::stddev_pop, 1},
    {"stddev_pop", Kind::stddev_pop, 1},
    {"stddev_samp", Kind::stddev_samp, 1},
    {"var_pop", Kind::var_pop, 1},
    {"var_samp", Kind::var_samp, 1},
    {"variance", Kind::var_pop, 1},
});

[[noreturn]] void not_split(const tree::FunctionCall& call, std::string_view reason) {
  refuse_clause("aggregate " + values::lower_case(call.name.back()), reason,
                "Group by the key, ask for one key, or aggregate in the application.");
}

AggregateCall read(const Planning&, const tree::FunctionCall& call, bool key_inside) {
  AggregateCall made;
  made.call = &call;
  const auto rule = std::ranges::find(rules, values::lower_case(call.name.back()), &AggregateRule::name);
  if (rule == rules.end()) not_split(call, "it needs all rows of a group in one place");
  made.rule = &*rule;
  if (!call.order_by.empty()) not_split(call, "its rows have an order");
  const bool star = call.star && rule->kind == Kind::count;
  if (!star && call.args.size() != 1) not_split(call, "it has several arguments");
  if (!call.distinct || rule->ignores_distinct) return made;
  if (rule->kind != Kind::count && rule->kind != Kind::sum) {
    not_split(call, "DISTINCT needs all its values in one place");
  }
  made.distinct = !key_inside;
  return made;
}

tree::ExprPtr aggregate(const char* name, const tree::ExprPtr& x, bool distinct = false) {
  tree::ExprPtr made = call(name, tree::clone(x));
  made->as<tree::FunctionCall>()->distinct = distinct;
  return made;
}

/// [n, Σx, Sxx], all in floating point as the server has them.
std::vector<tree::ExprPtr> spread_states(const tree::ExprPtr& x) {
  std::vector<tree::ExprPtr> states;
  states.push_back(aggregate("count", x));
  states.push_back(aggregate("sum", tree::make::cast(tree::clone(x), "double")));
  states.push_back(exact(tree::make::op("*", aggregate("var_pop", x), aggregate("count", x))));
  return states;
}

std::vector<tree::ExprPtr> states(const AggregateCall& at, const std::vector<tree::ExprPtr>& arguments,
                                  const tree::ExprPtr&, const std::vector<values::Oid>& types) {
  if (!at.call->star && is_spread(at.rule->kind)) return spread_states(arguments.front());
  std::vector<tree::ExprPtr> made;
  if (at.call->star) {
    made.push_back(tree::make::count_star());
  } else {
    made.push_back(aggregate(at.rule->name.data(), arguments.front(), at.call->distinct));
    // Numbers of 64 bits without a sign, which the merge has with one.
    if (is_bitwise(at.rule->kind)) made.back() = tree::make::cast(std::move(made.back()), "signed");
    const bool decimal = !types.empty() && (types.front() == oid::int8 || types.front() == oid::numeric);
    if (at.rule->kind == Kind::sum && !decimal) made.back() = exact(std::move(made.back()));
  }
  return made;
}

std::vector<values::Oid> state_types(const AggregateCall& at, const std::vector<values::Oid>&, values::Oid result) {
  if (at.rule->kind == Kind::count) return {oid::int8};
  if (is_bitwise(at.rule->kind)) return {oid::int8};
  if (is_spread(at.rule->kind)) return {oid::int8, oid::float8, oid::float8};
  return {result};
}

tree::ExprPtr exact_form(const ResultColumn& column, const tree::Expr& expr) {
  const MysqlCode code = values::mysql_code(column.type);
  const bool few = code == MysqlCode::float_ || (code == MysqlCode::double_ && !has_all_digits(column));
  if (!few) return nullptr;
  if (!contains_window(expr)) return exact(tree::clone(expr));
  // It is read from a temporary table, which has rounded a DOUBLE: its text is all of it.
  const auto* call = expr.as<tree::FunctionCall>();
  if (call == nullptr || !call->windowed()) return nullptr;
  return code == MysqlCode::double_ ? tree::clone(expr) : exact(tree::clone(expr));
}

/// A word that has come alone does not say which number it has.
bool is_sorted_otherwise(const ResultColumn& column) {
  const MysqlCode code = values::mysql_code(column.type);
  return code == MysqlCode::enum_ || code == MysqlCode::set;
}

std::vector<tree::ExprPtr> composed_of(const tree::FunctionCall& call) {
  std::vector<tree::ExprPtr> parts;
  if (values::lower_case(call.name.back()) != "avg" || call.args.size() != 1) return parts;
  for (const char* name : {"sum", "count"}) parts.push_back(aggregate(name, call.args.front(), call.distinct));
  return parts;
}

}  // namespace

const Merging merging{
    .format = values::Format::text,
    .has_collations = false,
    .truth_is_number = true,
    .bits_of_nothing = true,
    .null_is_least = true,
    .plain_limits = true,
    .names_freely = false,
    .sorts_groups = sorts_groups,
    .settle = settle_columns,
    .type = type,
    .key_form = key_form,
    .exact = exact_form,
    .read_aggregate = read,
    .states = states,
    .state_types = state_types,
    .composed_of = composed_of,
    .after_merge = after_merge,
    .transport = transport,
    .averages_are_exact = averages_are_exact,
    .hides_digits = hides_digits,
    .is_sorted_otherwise = is_sorted_otherwise,
};

}  // namespace anabranch::rewriter::mysql
