#include "rewriter/after_merge.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "merge/evaluate.h"

namespace anabranch::rewriter {
namespace {

using merge::Expression;
using Op = Expression::Op;
namespace oid = values::oid;

bool is_integer(values::Oid type) {
  return type == oid::int2 || type == oid::int4 || type == oid::int8;
}

/// The order in which numbers are promoted; 0: no number.
int rank(values::Oid type) {
  switch (type) {
    case oid::int2:
      return 1;
    case oid::int4:
      return 2;
    case oid::int8:
      return 3;
    case oid::numeric:
      return 4;
    case oid::float4:
      return 5;
    case oid::float8:
      return 6;
    default:
      return 0;
  }
}

bool is_text(values::Oid type) {
  return type == oid::text || type == oid::varchar;
}

class Builder {
 public:
  Builder(Planning& planning, const tree::Expr& whole, const Leaf& leaf)
      : planning_(planning), whole_(whole), leaf_(leaf) {}

  Expression build(const tree::Expr& expr) {
    if (auto found = leaf_(expr)) return std::move(*found);
    if (const auto* at = expr.as<tree::Literal>()) return literal(*at);
    if (const auto* at = expr.as<tree::Param>()) return param(*at);
    if (const auto* at = expr.as<tree::OperatorCall>()) return operation(*at);
    if (const auto* at = expr.as<tree::BoolOp>()) return logic(*at);
    if (const auto* at = expr.as<tree::NullTest>()) {
      return unary(at->negated ? Op::is_not_null : Op::is_null, build(*at->arg), oid::boolean);
    }
    if (const auto* at = expr.as<tree::BooleanTest>()) return test(*at);
    if (const auto* at = expr.as<tree::Between>()) return between(*at);
    if (const auto* at = expr.as<tree::InList>()) return in_list(*at);
    if (const auto* at = expr.as<tree::DistinctFrom>()) {
      return comparison(at->negated ? Op::is_not_distinct : Op::is_distinct, build(*at->left),
                        build(*at->right));
    }
    if (const auto* at = expr.as<tree::Case>()) return choice(*at);
    if (const auto* at = expr.as<tree::Coalesce>())
      return common(Op::coalesce, build_all(at->args));
    if (const auto* at = expr.as<tree::MinMax>()) {
      return common(at->greatest ? Op::greatest : Op::least, build_all(at->args));
    }
    if (const auto* at = expr.as<tree::NullIf>()) return null_if(*at);
    if (const auto* at = expr.as<tree::TypeCast>()) return cast(*at);
    if (const auto* at = expr.as<tree::FunctionCall>()) return call(*at);
    fail();
  }

 private:
  [[noreturn]] void fail(std::string_view why = "it cannot be computed exactly after merging") {
    refuse_clause("the expression " + planning_.text(whole_), why,
                  "Select the aggregates, and compute the expression in the application.");
  }

  std::vector<Expression> build_all(const std::vector<tree::ExprPtr>& exprs) {
    std::vector<Expression> made;
    for (const tree::ExprPtr& expr : exprs) made.push_back(build(*expr));
    return made;
  }

  static Expression node(Op op, values::Oid type, std::vector<Expression> args) {
    Expression made;
    made.op = op;
    made.type.oid = type;
    made.args = std::move(args);
    return made;
  }

  static Expression unary(Op op, Expression arg, values::Oid type) {
    std::vector<Expression> args;
    args.push_back(std::move(arg));
    return node(op, type, std::move(args));
  }

  // ------------------------------------------------------------------------------------- constants

  Expression slot(ValueRef value, values::Oid type) {
    auto& slots = planning_.plan->slots;
    Slot made;
    made.first = std::move(value);
    made.type = type;
    slots.push_back(std::move(made));
    Expression leaf;
    leaf.op = Op::slot;
    leaf.index = static_cast<int>(slots.size()) - 1;
    leaf.type.oid = type;
    return leaf;
  }

  Expression literal(const tree::Literal& at) {
    using Kind = tree::Literal::Kind;
    Expression constant;
    if (at.kind() == Kind::boolean) {
      constant.type.oid = oid::boolean;
      constant.value = values::Datum::boolean(at.value(planning_.pins) == "true");
      return constant;
    }
    if (at.kind() == Kind::null) {
      constant.type.oid = oid::unknown;
      constant.value = values::Datum::null(oid::unknown);
      return constant;
    }
    ValueRef ref;
    ref.from = ValueRef::From::literal;
    ref.index = at.token();
    if (at.token() < 0) fail();
    switch (at.kind()) {
      case Kind::integer:
        return slot(std::move(ref), oid::int4);
      case Kind::bigint:
        return slot(std::move(ref), oid::int8);
      case Kind::numeric:
        return slot(std::move(ref), oid::numeric);
      case Kind::string:
        return slot(std::move(ref), oid::unknown);
      default:
        fail();
    }
  }

  Expression param(const tree::Param& at) {
    const auto index = static_cast<std::size_t>(at.number - 1);
    const auto& types = planning_.plan->parameters;
    if (at.number < 1 || index >= types.size()) fail();
    return slot(value_of(at, planning_.values), types[index]);
  }

  /// An untyped constant takes the other side's type.
  void settle(Expression& constant, values::Oid type) {
    if (constant.type.oid != oid::unknown) return;
    constant.type.oid = type;
    if (constant.op == Op::constant) {
      constant.value = values::Datum::null(type);
      return;
    }
    if (rank(type) == 0 && !is_text(type)) fail();
    planning_.plan->slots[static_cast<std::size_t>(constant.index)].type = type;
  }

  // ------------------------------------------------------------------------------------- promotion

  Expression promoted(Expression expr, values::Oid type) {
    settle(expr, type);
    if (expr.type.oid == type || (is_text(expr.type.oid) && is_text(type))) return expr;
    if (rank(expr.type.oid) == 0 || rank(expr.type.oid) > rank(type)) fail();
    return unary(Op::cast, std::move(expr), type);
  }

  values::Oid common_type(const std::vector<Expression>& args) {
    values::Oid best = 0;
    for (const Expression& arg : args) {
      const values::Oid type = arg.type.oid;
      if (type == oid::unknown) continue;
      if (best == 0 || best == type) {
        best = type;
      } else if (rank(best) != 0 && rank(type) != 0) {
        if (rank(type) > rank(best)) best = type;
        if (rank(best) == 5) best = oid::float8;
      } else if (is_text(best) && is_text(type)) {
        best = oid::text;
      } else {
        fail();
      }
    }
    // Quoted constants alone are text; NULL alone has no type here.
    const bool quoted = std::ranges::any_of(args, [](const Expression& arg) {
      return arg.type.oid == oid::unknown && arg.op == Op::slot;
    });
    if (best == 0 && !quoted) fail();
    return best == 0 ? oid::text : best;
  }

  Expression common(Op op, std::vector<Expression> args) {
    const values::Oid type = common_type(args);
    std::vector<Expression> same;
    for (Expression& arg : args) same.push_back(promoted(std::move(arg), type));
    return node(op, type, std::move(same));
  }

  static std::string_view name_of(Op op) {
    switch (op) {
      case Op::not_equal:
        return "<>";
      case Op::less:
        return "<";
      case Op::less_equal:
        return "<=";
      case Op::greater:
        return ">";
      case Op::greater_equal:
        return ">=";
      default:
        return "=";
    }
  }

  /// A user's operator may be nearer to the operands' types than the built-in one, or come first
  /// along the search path.
  void check_builtin(std::string_view name, const Expression& left, const Expression& right) {
    if (is_builtin_operator(planning_.query, name, left.type.oid, right.type.oid)) return;
    fail("an operator of a user's schema may be meant");
  }

  Expression comparison(Op op, Expression left, Expression right) {
    if (left.type.oid == oid::unknown && right.type.oid == oid::unknown) fail();
    settle(left, right.type.oid);
    settle(right, left.type.oid);
    check_builtin(name_of(op), left, right);
    std::vector<Expression> args;
    args.push_back(std::move(left));
    args.push_back(std::move(right));
    if (rank(args[0].type.oid) != 0 && rank(args[1].type.oid) != 0 &&
        args[0].type.oid != args[1].type.oid) {
      const values::Oid type = common_type(args);
      args[0] = promoted(std::move(args[0]), type);
      args[1] = promoted(std::move(args[1]), type);
    }
    Expression made = node(op, oid::boolean, std::move(args));
    const bool equality = op == Op::equal || op == Op::not_equal || op == Op::is_distinct ||
                          op == Op::is_not_distinct;
    // Only equality of text is asked for: by bytes, as under every deterministic collation.
    const bool text = is_text(made.args[0].type.oid) || made.args[0].type.oid == oid::bpchar;
    if (text && (!equality || !compares_by_bytes(planning_, whole_))) fail();
    return made;
  }

  // ------------------------------------------------------------------------------------- operators

  Expression operation(const tree::OperatorCall& at) {
    if (!at.schema.empty() && at.schema != "pg_catalog") fail();
    if (!at.left) return prefix(at);
    Expression left = build(*at.left);
    Expression right = build(*at.right);
    if (const auto op = comparison_op(at.name)) {
      return comparison(*op, std::move(left), std::move(right));
    }
    if (at.name == "||") {
      settle(left, oid::text);
      settle(right, oid::text);
      check_builtin(at.name, left, right);
      std::vector<Expression> args;
      args.push_back(std::move(left));
      args.push_back(std::move(right));
      return node(Op::concat_text, oid::text, std::move(args));
    }
    return arithmetic(at.name, std::move(left), std::move(right));
  }

  Expression prefix(const tree::OperatorCall& at) {
    Expression arg = build(*at.right);
    check_builtin(at.name, arg, arg);
    if (rank(arg.type.oid) == 0) fail();
    if (at.name == "+") return arg;
    if (at.name != "-") fail();
    const values::Oid type = arg.type.oid;
    return unary(Op::negate, std::move(arg), type);
  }

  Expression arithmetic(std::string_view name, Expression left, Expression right) {
    static constexpr std::array<std::pair<std::string_view, std::pair<Op, values::ArithOp>>, 5>
        ops = {{{"+", {Op::add, values::ArithOp::add}},
                {"-", {Op::subtract, values::ArithOp::subtract}},
                {"*", {Op::multiply, values::ArithOp::multiply}},
                {"/", {Op::divide, values::ArithOp::divide}},
                {"%", {Op::modulo, values::ArithOp::modulo}}}};
    for (const auto& [spelling, op] : ops) {
      if (spelling != name) continue;
      if (left.type.oid == oid::unknown || right.type.oid == oid::unknown) {
        settle(left, right.type.oid);
        settle(right, left.type.oid);
      }
      const auto type = values::arith_result(op.second, left.type.oid, right.type.oid);
      if (!type) fail();
      check_builtin(name, left, right);
      std::vector<Expression> args;
      args.push_back(std::move(left));
      args.push_back(std::move(right));
      return node(op.first, *type, std::move(args));
    }
    fail();
  }

  Expression logic(const tree::BoolOp& at) {
    std::vector<Expression> args = build_all(at.args);
    for (Expression& arg : args) settle(arg, oid::boolean);
    if (at.kind == tree::BoolOp::Kind::not_) {
      return unary(Op::logical_not, std::move(args.front()), oid::boolean);
    }
    return node(at.kind == tree::BoolOp::Kind::and_ ? Op::logical_and : Op::logical_or,
                oid::boolean, std::move(args));
  }

  Expression test(const tree::BooleanTest& at) {
    using Kind = tree::BooleanTest::Kind;
    Expression arg = build(*at.arg);
    settle(arg, oid::boolean);
    switch (at.kind) {
      case Kind::is_true:
        return unary(Op::is_true, std::move(arg), oid::boolean);
      case Kind::is_not_true:
        return unary(Op::is_not_true, std::move(arg), oid::boolean);
      case Kind::is_false:
        return unary(Op::is_false, std::move(arg), oid::boolean);
      case Kind::is_not_false:
        return unary(Op::is_not_false, std::move(arg), oid::boolean);
      case Kind::is_unknown:
        return unary(Op::is_null, std::move(arg), oid::boolean);
      case Kind::is_not_unknown:
        return unary(Op::is_not_null, std::move(arg), oid::boolean);
    }
    fail();
  }

  Expression between(const tree::Between& at) {
    if (at.symmetric) fail();
    std::vector<Expression> parts;
    parts.push_back(comparison(Op::greater_equal, build(*at.arg), build(*at.low)));
    parts.push_back(comparison(Op::less_equal, build(*at.arg), build(*at.high)));
    Expression both = node(Op::logical_and, oid::boolean, std::move(parts));
    return at.negated ? unary(Op::logical_not, std::move(both), oid::boolean) : both;
  }

  Expression in_list(const tree::InList& at) {
    std::vector<Expression> parts;
    for (const tree::ExprPtr& value : at.list) {
      parts.push_back(comparison(Op::equal, build(*at.arg), build(*value)));
    }
    Expression any = parts.size() == 1 ? std::move(parts.front())
                                       : node(Op::logical_or, oid::boolean, std::move(parts));
    return at.negated ? unary(Op::logical_not, std::move(any), oid::boolean) : any;
  }

  Expression choice(const tree::Case& at) {
    std::vector<Expression> conditions;
    std::vector<Expression> results;
    for (const tree::Case::When& when : at.whens) {
      Expression condition = build(*when.condition);
      if (at.arg) condition = comparison(Op::equal, build(*at.arg), std::move(condition));
      settle(condition, oid::boolean);
      conditions.push_back(std::move(condition));
      results.push_back(build(*when.result));
    }
    if (at.otherwise) results.push_back(build(*at.otherwise));
    const values::Oid type = common_type(results);
    std::vector<Expression> args;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (i < conditions.size()) args.push_back(std::move(conditions[i]));
      args.push_back(promoted(std::move(results[i]), type));
    }
    return node(Op::case_when, type, std::move(args));
  }

  Expression null_if(const tree::NullIf& at) {
    Expression left = build(*at.left);
    Expression right = build(*at.right);
    if (left.type.oid == oid::unknown) fail();
    settle(right, left.type.oid);
    check_builtin("=", left, right);
    const values::Oid type = left.type.oid;
    // The answer is the left side as it is; only the comparison is promoted.
    if (type != right.type.oid && rank(right.type.oid) <= rank(type)) {
      right = promoted(std::move(right), type);
    }
    if (rank(type) == 0 && !compares_by_bytes(planning_, whole_)) fail();
    std::vector<Expression> args;
    args.push_back(std::move(left));
    args.push_back(std::move(right));
    return node(Op::null_if, type, std::move(args));
  }

  // ----------------------------------------------------------------------------- casts, functions

  static std::int32_t modifier_of(const tree::TypeName& type) {
    const std::size_t open = type.text.find('(');
    if (open == std::string::npos) return -1;
    int precision = 0;
    int scale = 0;
    const char* at = type.text.data() + open + 1;
    const char* end = type.text.data() + type.text.size();
    auto read = std::from_chars(at, end, precision);
    if (read.ec != std::errc()) return -2;
    at = read.ptr;
    while (at < end && (*at == ',' || *at == ' ')) ++at;
    if (at < end && *at != ')') {
      read = std::from_chars(at, end, scale);
      if (read.ec != std::errc()) return -2;
    }
    return ((precision << 16) | (scale & 0x7ff)) + 4;
  }

  Expression cast(const tree::TypeCast& at) {
    if (!at.type.array_bounds.empty() || at.type.setof || at.type.names.empty()) fail();
    if (at.type.names.size() > 1 && at.type.names.front() != "pg_catalog") fail();
    const values::TypeInfo* type = values::find_type_by_name(at.type.names.back());
    if (type == nullptr) fail();
    values::ColumnType to;
    to.oid = type->oid;
    to.typmod = modifier_of(at.type);
    if (to.typmod == -2 || (to.typmod >= 0 && to.oid != oid::numeric)) fail();
    Expression arg = build(*at.arg);
    if (arg.type.oid == oid::unknown) {
      if (to.typmod >= 0) fail();
      settle(arg, to.oid);
      return arg;
    }
    if (!merge::can_cast_datum(arg.type.oid, to)) fail();
    if (planning_.catalog().is_user_cast(arg.type.oid, to.oid)) fail("its cast is a user's own");
    Expression made = unary(Op::cast, std::move(arg), to.oid);
    made.type = to;
    return made;
  }

  Expression call(const tree::FunctionCall& at) {
    if (at.windowed() || at.distinct || at.filter || !at.order_by.empty() || at.star) fail();
    const FunctionInfo info = classify(at, planning_.functions);
    if (info.kind != FunctionKind::pure || info.function == nullptr || !info.function->builtin)
      fail();
    static constexpr std::array<std::pair<std::string_view, Op>, 7> functions = {
        {{"round", Op::round},
         {"trunc", Op::trunc},
         {"abs", Op::abs},
         {"ceil", Op::ceil},
         {"ceiling", Op::ceil},
         {"floor", Op::floor},
         {"sign", Op::sign}}};
    const std::string& name = at.name.back();
    std::vector<Expression> args = build_all(at.args);
    if (name == "mod" && args.size() == 2) {
      return arithmetic("%", std::move(args[0]), std::move(args[1]));
    }
    for (const auto& [spelling, op] : functions) {
      if (spelling != name || args.empty() || args.size() > 2) continue;
      return rounding(op, std::move(args));
    }
    fail();
  }

  Expression rounding(Op op, std::vector<Expression> args) {
    values::Oid type = args[0].type.oid;
    if (rank(type) == 0) fail();
    if (args.size() == 2) {
      if (op != Op::round && op != Op::trunc) fail();
      if (is_integer(type)) type = oid::numeric;
      if (type != oid::numeric || rank(args[1].type.oid) == 0 || rank(args[1].type.oid) > 2) fail();
      args[1] = promoted(std::move(args[1]), oid::int4);
    } else if (op != Op::abs && type != oid::numeric) {
      type = oid::float8;  // the server prefers double precision for all other numbers
    }
    args[0] = promoted(std::move(args[0]), type);
    return node(op, type, std::move(args));
  }

  Planning& planning_;
  const tree::Expr& whole_;
  const Leaf& leaf_;
};

}  // namespace

std::optional<Op> comparison_op(std::string_view name) {
  if (name == "=") return Op::equal;
  if (name == "<>" || name == "!=") return Op::not_equal;
  if (name == "<") return Op::less;
  if (name == "<=") return Op::less_equal;
  if (name == ">") return Op::greater;
  if (name == ">=") return Op::greater_equal;
  return std::nullopt;
}

merge::Expression after_merge(Planning& planning, const tree::Expr& expr, const Leaf& leaf) {
  merge::Expression made = Builder(planning, expr, leaf).build(expr);
  if (!merge::can_evaluate(made)) {
    refuse_clause("the expression " + planning.text(expr),
                  "it cannot be computed exactly after merging",
                  "Select the aggregates, and compute the expression in the application.");
  }
  return made;
}

}  // namespace anabranch::rewriter
