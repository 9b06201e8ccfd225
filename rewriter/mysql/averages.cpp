#include <algorithm>
#include <array>
#include <string_view>

#include "rewriter/mysql/merging.h"
#include "values/ascii.h"

/// AVG as the quotient of a sum and a count. A server divides decimals where it is asked for a decimal or a text, and
/// doubles where it is asked for a double: a quotient does so only of its own type.
namespace anabranch::rewriter::mysql {
namespace {

constexpr auto roundings = std::to_array<std::string_view>({"round", "truncate", "floor", "ceil", "ceiling", "abs"});
constexpr auto texts = std::to_array<std::string_view>({"concat", "concat_ws", "format"});
constexpr auto choices = std::to_array<std::string_view>({"ifnull", "coalesce", "nvl"});
constexpr auto extremes = std::to_array<std::string_view>({"greatest", "least"});
constexpr auto operators = std::to_array<std::string_view>({"+", "-", "*", "/", "%", "DIV"});

template <class Names>
bool is_one_of(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string name_of(const tree::FunctionCall& call) {
  return call.windowed() ? std::string() : values::lower_case(call.name.back());
}

bool has_average(const tree::Expr& expr) {
  bool found = false;
  tree::walk(expr, [&](const tree::Expr& at) {
    const auto* call = at.as<tree::FunctionCall>();
    found |= call != nullptr && name_of(*call) == "avg";
    return !found;
  });
  return found;
}

/// An integer or a decimal, not counting what AVG is of. (Literals outside WHERE are pinned.)
bool is_exact_number(const tree::Expr& expr) {
  if (const auto* literal = expr.as<tree::Literal>()) {
    using Kind = tree::Literal::Kind;
    if (literal->kind() == Kind::numeric) return literal->unpinned_value().find_first_of("eE") == std::string::npos;
    return literal->kind() == Kind::integer || literal->kind() == Kind::bigint;
  }
  if (const auto* operation = expr.as<tree::OperatorCall>()) {
    return is_one_of(operators, operation->name) && (!operation->left || is_exact_number(*operation->left)) &&
           is_exact_number(*operation->right);
  }
  const auto* call = expr.as<tree::FunctionCall>();
  if (call == nullptr) return false;
  const std::string name = name_of(*call);
  if (name == "avg" || name == "count") return true;
  const bool keeps = is_one_of(roundings, name) || is_one_of(extremes, name);
  return keeps && std::ranges::all_of(call->args, [](const tree::ExprPtr& arg) { return is_exact_number(*arg); });
}

bool is_choice(const tree::Expr& expr) {
  const auto* literal = expr.as<tree::Literal>();
  if (literal != nullptr && literal->kind() == tree::Literal::Kind::null) return true;
  return is_exact_number(expr) || (literal != nullptr && literal->kind() == tree::Literal::Kind::string);
}

bool are_choices(const std::vector<tree::ExprPtr>& exprs, std::size_t first = 0) {
  return std::all_of(exprs.begin() + static_cast<std::ptrdiff_t>(std::min(first, exprs.size())), exprs.end(),
                     [](const tree::ExprPtr& expr) { return is_choice(*expr); });
}

bool is_exact_case(const tree::Case& at) {
  if (at.arg && has_average(*at.arg)) return false;
  return std::ranges::all_of(at.whens, [](const tree::Case::When& when) {
           return !has_average(*when.condition) && is_choice(*when.result);
         }) &&
         (!at.otherwise || is_choice(*at.otherwise));
}

}  // namespace

bool averages_are_exact(const tree::Expr& expr) {
  if (!has_average(expr) || is_exact_number(expr)) return true;
  if (const auto* at = expr.as<tree::Case>()) return is_exact_case(*at);
  if (const auto* at = expr.as<tree::Coalesce>()) return are_choices(at->args);
  if (const auto* at = expr.as<tree::TypeCast>()) {
    const bool exact = at->type.text.starts_with("decimal") || at->type.text.starts_with("char");
    return exact && is_exact_number(*at->arg);
  }
  const auto* call = expr.as<tree::FunctionCall>();
  if (call == nullptr) return false;
  const std::string name = name_of(*call);
  if (is_one_of(choices, name)) return are_choices(call->args);
  if (name == "if" && call->args.size() == 3) return !has_average(*call->args[0]) && are_choices(call->args, 1);
  if (!is_one_of(texts, name)) return false;
  return std::ranges::all_of(call->args, [](const tree::ExprPtr& arg) { return averages_are_exact(*arg); });
}

}  // namespace anabranch::rewriter::mysql
