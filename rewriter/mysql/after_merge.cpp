#include <algorithm>

#include "merge/evaluate.h"
#include "rewriter/mysql/merging.h"
#include "rewriter/merging.h"
#include "values/ascii.h"

namespace anabranch::rewriter::mysql {
namespace {

using merge::Expression;
using Op = Expression::Op;
namespace oid = values::oid;

/// The order in which numbers are promoted; 0: no number.
int rank(values::Oid type) {
  switch (type) {
    case oid::int8:
      return 1;
    case oid::numeric:
      return 2;
    case oid::float8:
      return 3;
    default:
      return 0;
  }
}

class Builder {
 public:
  Builder(Planning& planning, const tree::Expr& whole, const Leaf& leaf)
      : planning_(planning), whole_(whole), leaf_(leaf) {}

  Expression number(const tree::Expr& expr) { return as_number(build(expr)); }
  /// As it is told, and sorted by.
  Expression output(const tree::Expr& expr) { return rounded(number(expr)); }
  Expression condition(const tree::Expr& expr) { return as_condition(build(expr)); }

 private:
  [[noreturn]] void fail(std::string_view why = "it cannot be computed exactly after merging") {
    refuse_clause("the expression " + planning_.text(whole_), why,
                  "Select the aggregates, and compute the expression in the application.");
  }

  Expression build(const tree::Expr& expr) {
    if (auto found = leaf_(expr)) return std::move(*found);
    if (const auto* at = expr.as<tree::Literal>()) return literal(*at);
    if (const auto* at = expr.as<tree::OperatorCall>()) return operation(*at);
    if (const auto* at = expr.as<tree::BoolOp>()) return logic(*at);
    if (const auto* at = expr.as<tree::NullTest>()) {
      return node(at->negated ? Op::is_not_null : Op::is_null, oid::boolean, list(build(*at->arg)));
    }
    if (const auto* at = expr.as<tree::Between>()) return between(*at);
    if (const auto* at = expr.as<tree::InList>()) return in_list(*at);
    if (const auto* at = expr.as<tree::Case>()) return choice(*at);
    if (const auto* at = expr.as<tree::Coalesce>()) return common(Op::coalesce, numbers(at->args));
    if (const auto* at = expr.as<tree::FunctionCall>()) return call(*at);
    fail();
  }

  static Expression node(Op op, values::Oid type, std::vector<Expression> args) {
    Expression made;
    made.op = op;
    made.type.oid = type;
    made.args = std::move(args);
    return made;
  }

  static std::vector<Expression> list(Expression first) {
    std::vector<Expression> made;
    made.push_back(std::move(first));
    return made;
  }
  static std::vector<Expression> list(Expression first, Expression second) {
    std::vector<Expression> made = list(std::move(first));
    made.push_back(std::move(second));
    return made;
  }

  std::vector<Expression> numbers(const std::vector<tree::ExprPtr>& exprs) {
    std::vector<Expression> made;
    for (const tree::ExprPtr& expr : exprs) made.push_back(number(*expr));
    return made;
  }

  static Expression integer(std::int64_t value) {
    Expression constant;
    constant.type.oid = oid::int8;
    constant.value = values::Datum::int8(value);
    return constant;
  }

  /// Truth is 1 and 0.
  Expression as_number(Expression expr) {
    if (rank(expr.type.oid) != 0) return expr;
    if (expr.type.oid != oid::boolean) fail();
    Expression otherwise = node(Op::logical_not, oid::boolean, list(expr));
    std::vector<Expression> args = list(std::move(expr), integer(1));
    args.push_back(std::move(otherwise));
    args.push_back(integer(0));
    return node(Op::case_when, oid::int8, std::move(args));
  }

  Expression as_condition(Expression expr) {
    if (expr.type.oid == oid::boolean) return expr;
    if (rank(expr.type.oid) == 0 || has_quotient(expr)) fail();
    return comparison(Op::not_equal, std::move(expr), integer(0));
  }

  Expression literal(const tree::Literal& at) {
    using Kind = tree::Literal::Kind;
    if (at.kind() == Kind::boolean) return integer(at.value(planning_.pins) == "true" ? 1 : 0);
    if (at.kind() == Kind::null) {
      Expression constant = integer(0);
      constant.value = values::Datum::null(oid::int8);
      return constant;
    }
    if (at.token() < 0) fail();
    std::int32_t scale = -1;
    Slot slot;
    slot.first.from = ValueRef::From::literal;
    slot.first.index = at.token();
    switch (at.kind()) {
      case Kind::integer:
      case Kind::bigint:
        slot.type = oid::int8;
        break;
      case Kind::numeric:
        // With an exponent it is a double.
        if (at.value(planning_.pins).find_first_of("eE") != std::string::npos) fail();
        slot.type = oid::numeric;
        scale = digits_behind_point(at.value(planning_.pins));
        break;
      default:
        fail();
    }
    Expression made;
    made.op = Op::slot;
    made.type.oid = slot.type;
    made.type.typmod = scale;
    made.index = static_cast<int>(planning_.plan->slots.size());
    planning_.plan->slots.push_back(std::move(slot));
    return made;
  }

  static std::int32_t digits_behind_point(const std::string& text) {
    const std::size_t point = text.find('.');
    return point == std::string::npos ? 0 : static_cast<std::int32_t>(text.size() - point - 1);
  }

  // ---------------------------------------------------------------------------------------- scales

  /// How many digits behind the point a decimal is told with.
  int scale_of(const Expression& expr) const {
    const auto widest = [&] {
      int most = 0;
      for (const Expression& arg : expr.args) most = std::max(most, scale_of(arg));
      return most;
    };
    constexpr int most_digits = 38;
    if (expr.type.oid != oid::numeric) return 0;
    switch (expr.op) {
      case Op::column:
      case Op::slot:
        return std::max(expr.type.typmod, 0);
      case Op::quotient:
        return std::min(scale_of(expr.args[0]) + expr.index, most_digits);
      case Op::multiply:
        return std::min(scale_of(expr.args[0]) + scale_of(expr.args[1]), most_digits);
      case Op::round:
        return static_cast<int>(std::get<std::int64_t>(expr.args[1].value.value));
      default:
        return widest();
    }
  }

  /// It is calculated with more digits than it is told with.
  static bool has_quotient(const Expression& expr) {
    if (expr.op == Op::quotient && expr.type.oid == oid::numeric) return true;
    return expr.op != Op::round && std::ranges::any_of(expr.args, has_quotient);
  }

  Expression rounded(Expression expr) const {
    if (expr.type.oid != oid::numeric || !has_quotient(expr)) return expr;
    Expression places;
    places.type.oid = oid::int4;
    places.value = values::Datum::int4(scale_of(expr));
    return node(Op::round, oid::numeric, list(std::move(expr), std::move(places)));
  }

  // ------------------------------------------------------------------------------------- promotion

  Expression promoted(Expression expr, values::Oid type) {
    if (expr.type.oid == type) return expr;
    values::ColumnType wanted;
    wanted.oid = type;
    if (rank(expr.type.oid) > rank(type) || !merge::can_cast_datum(expr.type.oid, wanted)) fail();
    return node(Op::cast, type, list(std::move(expr)));
  }

  Expression common(Op op, std::vector<Expression> args) {
    values::Oid type = oid::int8;
    for (const Expression& arg : args) {
      if (rank(arg.type.oid) > rank(type)) type = arg.type.oid;
    }
    const bool is_unsigned =
        std::ranges::any_of(args, [](const Expression& arg) { return arg.type.typmod == kUnsigned; });
    std::vector<Expression> same;
    for (Expression& arg : args) same.push_back(promoted(std::move(arg), type));
    Expression made = node(op, type, std::move(same));
    if (is_unsigned) made.type.typmod = kUnsigned;
    return made;
  }

  /// Both sides as they are told: that is what servers compare, save in BETWEEN and IN (`in_full`).
  Expression comparison(Op op, Expression left, Expression right, bool in_full = false) {
    left = as_number(std::move(left));
    right = as_number(std::move(right));
    const bool real = left.type.oid == oid::float8 || right.type.oid == oid::float8;
    if (real && (has_quotient(left) || has_quotient(right))) fail();
    if (!in_full) {
      left = rounded(std::move(left));
      right = rounded(std::move(right));
    }
    Expression made = common(op, list(std::move(left), std::move(right)));
    made.type = {};
    made.type.oid = oid::boolean;
    return made;
  }

  // ------------------------------------------------------------------------------------- operators

  Expression operation(const tree::OperatorCall& at) {
    if (!at.left) {
      Expression arg = number(*at.right);
      if (at.name == "+") return arg;
      if (at.name != "-" || arg.type.typmod == kUnsigned) fail();
      const values::Oid type = arg.type.oid;
      return node(Op::negate, type, list(std::move(arg)));
    }
    Expression left = build(*at.left);
    Expression right = build(*at.right);
    if (const auto op = comparison_op(at.name)) return comparison(*op, std::move(left), std::move(right));
    return arithmetic(at.name, as_number(std::move(left)), as_number(std::move(right)));
  }

  Expression arithmetic(std::string_view name, Expression left, Expression right) {
    if (left.type.typmod == kUnsigned || right.type.typmod == kUnsigned) {
      fail("it may be negative, where an unsigned number may not");
    }
    if (name == "/") return quotient(std::move(left), std::move(right));
    if (name == "+") return common(Op::add, list(std::move(left), std::move(right)));
    if (name == "-") return common(Op::subtract, list(std::move(left), std::move(right)));
    if (name == "*") return common(Op::multiply, list(std::move(left), std::move(right)));
    fail();
  }

  Expression quotient(Expression left, Expression right) {
    const bool real = left.type.oid == oid::float8 || right.type.oid == oid::float8;
    const values::Oid type = real ? oid::float8 : oid::numeric;
    Expression made = node(Op::quotient, type, list(promoted(std::move(left), type), promoted(std::move(right), type)));
    made.index = planning_.request->context->mysql.division_digits;
    return made;
  }

  Expression logic(const tree::BoolOp& at) {
    std::vector<Expression> args;
    for (const tree::ExprPtr& arg : at.args) args.push_back(condition(*arg));
    const Op op = at.kind == tree::BoolOp::Kind::not_   ? Op::logical_not
                  : at.kind == tree::BoolOp::Kind::and_ ? Op::logical_and
                                                        : Op::logical_or;
    return node(op, oid::boolean, std::move(args));
  }

  Expression between(const tree::Between& at) {
    if (at.symmetric) fail();
    Expression both = node(Op::logical_and, oid::boolean,
                           list(comparison(Op::greater_equal, build(*at.arg), build(*at.low), true),
                                comparison(Op::less_equal, build(*at.arg), build(*at.high), true)));
    return at.negated ? node(Op::logical_not, oid::boolean, list(std::move(both))) : std::move(both);
  }

  Expression in_list(const tree::InList& at) {
    std::vector<Expression> parts;
    for (const tree::ExprPtr& value : at.list) {
      parts.push_back(comparison(Op::equal, build(*at.arg), build(*value), true));
    }
    Expression any = parts.size() == 1 ? std::move(parts.front()) : node(Op::logical_or, oid::boolean, std::move(parts));
    return at.negated ? node(Op::logical_not, oid::boolean, list(std::move(any))) : std::move(any);
  }

  /// Conditions and results in turn, all of one type.
  Expression choice(const tree::Case& at) {
    std::vector<Expression> conditions;
    std::vector<Expression> results;
    for (const tree::Case::When& when : at.whens) {
      conditions.push_back(at.arg ? equality(number(*at.arg), number(*when.condition)) : condition(*when.condition));
      results.push_back(number(*when.result));
    }
    if (at.otherwise) results.push_back(number(*at.otherwise));
    return chosen(std::move(conditions), std::move(results));
  }

  /// Of CASE and NULLIF, of whose rounding nothing is known.
  Expression equality(Expression left, Expression right) {
    if (has_quotient(left) || has_quotient(right)) fail();
    return comparison(Op::equal, std::move(left), std::move(right));
  }

  Expression chosen(std::vector<Expression> conditions, std::vector<Expression> results) {
    Expression made = common(Op::case_when, std::move(results));
    std::vector<Expression> args;
    for (std::size_t i = 0; i < made.args.size(); ++i) {
      if (i < conditions.size()) args.push_back(std::move(conditions[i]));
      args.push_back(std::move(made.args[i]));
    }
    made.args = std::move(args);
    return made;
  }

  // ------------------------------------------------------------------------------------- functions

  Expression call(const tree::FunctionCall& at) {
    if (at.windowed() || at.name.size() != 1) fail();
    const std::string name = values::lower_case(at.name.back());
    const auto parts = planning_.language().merging->composed_of(at);
    if (parts.size() == 2) return quotient(number(*parts[0]), number(*parts[1]));
    if ((name == "ifnull" || name == "coalesce") && !at.args.empty()) return common(Op::coalesce, numbers(at.args));
    if (name == "if" && at.args.size() == 3) {
      std::vector<Expression> conditions = list(condition(*at.args[0]));
      return chosen(std::move(conditions), list(number(*at.args[1]), number(*at.args[2])));
    }
    if (name == "nullif" && at.args.size() == 2) {
      Expression result = number(*at.args[0]);
      Expression same = equality(result, number(*at.args[1]));
      Expression null = integer(0);
      null.value = values::Datum::null(oid::int8);
      return chosen(list(std::move(same)), list(std::move(null), std::move(result)));
    }
    if (name == "isnull" && at.args.size() == 1) {
      return node(Op::is_null, oid::boolean, list(build(*at.args[0])));
    }
    if (name == "abs" && at.args.size() == 1) {
      Expression arg = number(*at.args[0]);
      const values::Oid type = arg.type.oid;
      return node(Op::abs, type, list(std::move(arg)));
    }
    if (name == "round" && !at.args.empty() && at.args.size() <= 2) return round(at);
    fail();
  }

  /// Of decimals, to a number of places that is written there.
  Expression round(const tree::FunctionCall& at) {
    Expression arg = number(*at.args[0]);
    if (arg.type.oid != oid::numeric || arg.type.typmod == kUnsigned) fail();
    Expression places;
    places.type.oid = oid::int4;
    places.value = values::Datum::int4(0);
    if (at.args.size() == 2) {
      const auto* literal = at.args[1]->as<tree::Literal>();
      if (literal == nullptr || literal->kind() != tree::Literal::Kind::integer) fail();
      const std::string& text = literal->value(planning_.pins);
      if (text.size() > 2) fail();
      places.value = values::Datum::int4(std::stoi(text));
    }
    return node(Op::round, oid::numeric, list(std::move(arg), std::move(places)));
  }

  Planning& planning_;
  const tree::Expr& whole_;
  const Leaf& leaf_;
};

/// A subquery's or view's column may be merged into the query around it.
bool column_hides_digits(const Planning& planning, Ident ident) {
  if (planning.query.column(ident) != nullptr) return false;
  if (!ident.known()) return true;
  const Block* block = planning.query.at(ident.instance).block;
  const auto column = static_cast<std::size_t>(ident.column);
  if (block == nullptr || block->left != nullptr || column >= block->outputs.size()) return true;
  const OutputColumn& output = block->outputs[column];
  return output.expr != nullptr ? hides_digits(planning, *output.expr) : column_hides_digits(planning, output.ident);
}

}  // namespace

bool hides_digits(const Planning& planning, const tree::Expr& expr) {
  if (const auto* operation = expr.as<tree::OperatorCall>(); operation != nullptr && operation->name == "/") return true;
  if (expr.as<tree::TypeCast>() != nullptr) return false;
  if (const auto* call = expr.as<tree::FunctionCall>()) {
    const std::string name = values::lower_case(call->name.back());
    if (name == "avg") return true;
    if (name == "round" || name == "truncate" || name == "floor" || name == "ceil" || name == "ceiling") return false;
  }
  if (expr.as<tree::ColumnRef>() != nullptr) return column_hides_digits(planning, ident_of(expr));
  bool hidden = false;
  tree::for_each_child(expr, [&](const tree::Expr& child) { hidden |= hides_digits(planning, child); });
  tree::for_each_subquery(expr, [&](const tree::Select&) { hidden = true; });
  return hidden;
}

Expression after_merge(Planning& planning, const tree::Expr& expr, const Leaf& leaf, Wanted wanted) {
  Builder builder(planning, expr, leaf);
  Expression made = wanted == Wanted::condition ? builder.condition(expr)
                    : wanted == Wanted::output  ? builder.output(expr)
                                                : builder.number(expr);
  if (!merge::can_evaluate(made)) {
    refuse_clause("the expression " + planning.text(expr), "it cannot be computed exactly after merging",
                  "Select the aggregates, and compute the expression in the application.");
  }
  return made;
}

}  // namespace anabranch::rewriter::mysql
