#include <algorithm>

#include "merge/evaluate.h"
#include "values/arith.h"

namespace anabranch::merge {

namespace {

using values::Oid;
using values::TypeKind;
namespace oid = values::oid;
using Op = Expression::Op;

constexpr int kDeepest = 400;

TypeKind kind_of(Oid type) {
  const values::TypeInfo* info = values::find_type(type);
  return info == nullptr ? TypeKind::known : info->kind;
}

/// Types whose values become a datum that is more than its bytes.
bool is_decoded(Oid type) {
  switch (kind_of(type)) {
    case TypeKind::boolean:
    case TypeKind::int2:
    case TypeKind::int4:
    case TypeKind::int8:
    case TypeKind::oid:
    case TypeKind::float4:
    case TypeKind::float8:
    case TypeKind::numeric:
    case TypeKind::text:
    case TypeKind::bpchar:
    case TypeKind::interval:
    case TypeKind::money:
      return true;
    default:
      return false;
  }
}

bool is_text(Oid type) {
  return kind_of(type) == TypeKind::text || type == oid::bpchar;
}

bool is_number(Oid type) {
  switch (type) {
    case oid::int2:
    case oid::int4:
    case oid::int8:
    case oid::float4:
    case oid::float8:
    case oid::numeric:
      return true;
    default:
      return false;
  }
}

bool is_numeric_or_float8(Oid type) {
  return type == oid::numeric || type == oid::float8;
}

Oid type_of(const Expression& expression) {
  return expression.type.oid;
}

bool is_comparable(const Expression& e, bool ordered) {
  const Oid left = type_of(e.args[0]);
  const Oid right = type_of(e.args[1]);
  if (!is_text(left) && !is_text(right)) return values::can_compare(left, right);
  if (!is_text(left) || !is_text(right) || (left == oid::bpchar) != (right == oid::bpchar))
    return false;
  return e.collation.deterministic() && (!ordered || e.collation.can_order());
}

bool is_arithmetic(const Expression& e) {
  if (e.args.size() != 2) return false;
  constexpr std::pair<Op, values::ArithOp> kOps[] = {{Op::add, values::ArithOp::add},
                                                     {Op::subtract, values::ArithOp::subtract},
                                                     {Op::multiply, values::ArithOp::multiply},
                                                     {Op::divide, values::ArithOp::divide},
                                                     {Op::modulo, values::ArithOp::modulo}};
  for (const auto& [op, arith] : kOps)
    if (op == e.op)
      return values::arith_result(arith, type_of(e.args[0]), type_of(e.args[1])) == type_of(e);
  return false;
}

bool all_of_type(const Expression& e, Oid type) {
  return !e.args.empty() &&
         std::ranges::all_of(e.args, [&](const Expression& a) { return type_of(a) == type; });
}

bool is_case(const Expression& e) {
  if (e.args.size() < 2) return false;
  for (std::size_t i = 0; i < e.args.size(); ++i) {
    const bool is_condition = i % 2 == 0 && i + 1 < e.args.size();
    if (type_of(e.args[i]) != (is_condition ? oid::boolean : type_of(e))) return false;
  }
  return true;
}

bool is_extreme(const Expression& e) {
  if (!all_of_type(e, type_of(e))) return false;
  return is_text(type_of(e)) ? e.collation.deterministic() && e.collation.can_order()
                             : values::can_compare(type_of(e), type_of(e));
}

bool is_rounding(const Expression& e) {
  if (e.args.empty() || type_of(e.args[0]) != type_of(e) || !is_numeric_or_float8(type_of(e)))
    return false;
  if (e.args.size() == 1) return true;
  return e.args.size() == 2 && type_of(e) == oid::numeric && type_of(e.args[1]) == oid::int4;
}

bool is_one_to_itself(const Expression& e, bool (*allowed)(Oid)) {
  return e.args.size() == 1 && type_of(e.args[0]) == type_of(e) && allowed(type_of(e));
}

bool is_concat(const Expression& e) {
  const auto plain = [](const Expression& a) {
    return type_of(a) == oid::text || type_of(a) == oid::varchar;
  };
  return e.args.size() == 2 && type_of(e) == oid::text && std::ranges::all_of(e.args, plain);
}

/// Whether this node is exact, given that its arguments are.
bool is_exact(const Expression& e) {
  const bool boolean = type_of(e) == oid::boolean;
  switch (e.op) {
    case Op::column:
    case Op::slot:
      return e.index >= 0 && is_decoded(type_of(e));
    case Op::constant:
      return e.value.is_null() || is_decoded(type_of(e));
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide:
    case Op::modulo:
      return is_arithmetic(e);
    case Op::quotient:
      return e.args.size() == 2 && is_numeric_or_float8(type_of(e)) && type_of(e.args[0]) == type_of(e) &&
             type_of(e.args[1]) == type_of(e) && e.index >= 0;
    case Op::negate:
    case Op::abs:
      return is_one_to_itself(e, is_number);
    case Op::equal:
    case Op::not_equal:
    case Op::is_distinct:
    case Op::is_not_distinct:
      return boolean && e.args.size() == 2 && is_comparable(e, false);
    case Op::less:
    case Op::less_equal:
    case Op::greater:
    case Op::greater_equal:
      return boolean && e.args.size() == 2 && is_comparable(e, true);
    case Op::logical_and:
    case Op::logical_or:
      return boolean && all_of_type(e, oid::boolean);
    case Op::logical_not:
    case Op::is_true:
    case Op::is_not_true:
    case Op::is_false:
    case Op::is_not_false:
      return boolean && e.args.size() == 1 && all_of_type(e, oid::boolean);
    case Op::is_null:
    case Op::is_not_null:
      return boolean && e.args.size() == 1;
    case Op::case_when:
      return is_case(e);
    case Op::coalesce:
      return all_of_type(e, type_of(e));
    case Op::null_if:
      return e.args.size() == 2 && type_of(e.args[0]) == type_of(e) && is_comparable(e, false);
    case Op::greatest:
    case Op::least:
      return is_extreme(e);
    case Op::cast:
      return e.args.size() == 1 && can_cast_datum(type_of(e.args[0]), e.type);
    case Op::round:
    case Op::trunc:
      return is_rounding(e);
    case Op::ceil:
    case Op::floor:
    case Op::sign:
      return is_one_to_itself(e, is_numeric_or_float8);
    case Op::concat_text:
      return is_concat(e);
  }
  return false;
}

bool can_evaluate_at(const Expression& e, int depth) {
  if (depth > kDeepest) return false;
  const bool only_null_matters = e.op == Op::is_null || e.op == Op::is_not_null;
  if (only_null_matters && e.args.size() == 1 && e.args[0].op == Op::column)
    return type_of(e) == oid::boolean && e.args[0].index >= 0;
  return is_exact(e) && std::ranges::all_of(e.args, [&](const Expression& a) {
           return can_evaluate_at(a, depth + 1);
         });
}

}  // namespace

bool can_evaluate(const Expression& expression) {
  return can_evaluate_at(expression, 0);
}

}  // namespace anabranch::merge
