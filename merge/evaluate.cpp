#include "merge/evaluate.h"

#include <cmath>

#include "values/arith.h"
#include "values/errors.h"
#include "values/mysql_number.h"

namespace anabranch::merge {

namespace {

using values::Datum;
using values::Decimal;
using values::Truth;
namespace oid = values::oid;
using Op = Expression::Op;

[[noreturn]] void broken(std::string_view what) {
  throw values::make_error(values::ErrorId::internal, what);
}

/// One row, and what expressions over it refer to.
struct Row {
  const Shape& shape;
  const std::vector<Datum>& slots;
  const RowBlock& block;
  std::size_t row;

  const Field& field(const Expression& e) const {
    return block.field(row, static_cast<std::size_t>(e.index));
  }
};

Datum evaluate(const Expression& e, const Row& row);

Datum column(const Expression& e, const Row& row) {
  const Column& column = row.shape[static_cast<std::size_t>(e.index)];
  Datum value = values::decode(column.type.oid, column.format, row.field(e).value());
  if (std::holds_alternative<values::RawValue>(value.value))
    broken("an expression over a column that came in a form we cannot calculate with");
  return value;
}

Datum slot(const Expression& e, const Row& row) {
  const Datum& value = row.slots[static_cast<std::size_t>(e.index)];
  if (value.is_null()) return Datum::null(e.type.oid);
  if (value.type == e.type.oid) return value;
  if (!can_cast_datum(value.type, e.type)) broken("a bound value of another type than planned");
  return cast_datum(value, e.type);
}

bool is_text(const Datum& value) {
  return std::holds_alternative<std::string>(value.value);
}

std::string_view comparable_text(const Datum& value) {
  std::string_view text = std::get<std::string>(value.value);
  if (value.type == oid::bpchar)
    while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// The order of two values that are not NULL.
int order(const Expression& e, const Datum& left, const Datum& right) {
  if (is_text(left) && is_text(right) && e.collation.can_order())
    return e.collation.compare(comparable_text(left), comparable_text(right));
  return values::compare(left, right);
}

bool holds(Op op, int order) {
  switch (op) {
    case Op::equal:
      return order == 0;
    case Op::not_equal:
      return order != 0;
    case Op::less:
      return order < 0;
    case Op::less_equal:
      return order <= 0;
    case Op::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

Datum comparison(const Expression& e, const Row& row) {
  const Datum left = evaluate(e.args[0], row);
  const Datum right = evaluate(e.args[1], row);
  if (left.is_null() || right.is_null()) return Datum::null(oid::boolean);
  return Datum::boolean(holds(e.op, order(e, left, right)));
}

Datum distinction(const Expression& e, const Row& row) {
  const Datum left = evaluate(e.args[0], row);
  const Datum right = evaluate(e.args[1], row);
  const bool either_null = left.is_null() || right.is_null();
  const bool differ = either_null ? left.is_null() != right.is_null() : order(e, left, right) != 0;
  return Datum::boolean(differ == (e.op == Op::is_distinct));
}

/// AND and OR, from left to right, no further than the answer needs.
Datum conjunction(const Expression& e, const Row& row) {
  const bool decisive = e.op == Op::logical_or;
  Truth result = !decisive;
  for (const Expression& arg : e.args) {
    const Truth truth = values::truth_of(evaluate(arg, row));
    if (truth == decisive) return Datum::boolean(decisive);
    if (!truth) result = std::nullopt;
  }
  return values::datum_of(result);
}

Datum truth_test(const Expression& e, const Row& row) {
  const Truth truth = values::truth_of(evaluate(e.args[0], row));
  switch (e.op) {
    case Op::is_true:
      return Datum::boolean(truth == true);
    case Op::is_not_true:
      return Datum::boolean(truth != true);
    case Op::is_false:
      return Datum::boolean(truth == false);
    case Op::is_not_false:
      return Datum::boolean(truth != false);
    default:
      return values::datum_of(values::logical_not(truth));
  }
}

Datum null_test(const Expression& e, const Row& row) {
  const Expression& arg = e.args[0];
  const bool null = arg.op == Op::column ? row.field(arg).is_null() : evaluate(arg, row).is_null();
  return Datum::boolean(null == (e.op == Op::is_null));
}

Datum case_when(const Expression& e, const Row& row) {
  std::size_t i = 0;
  for (; i + 1 < e.args.size(); i += 2)
    if (values::truth_of(evaluate(e.args[i], row)) == true) return evaluate(e.args[i + 1], row);
  return i < e.args.size() ? evaluate(e.args[i], row) : Datum::null(e.type.oid);
}

Datum coalesce(const Expression& e, const Row& row) {
  for (const Expression& arg : e.args) {
    Datum value = evaluate(arg, row);
    if (!value.is_null()) return value;
  }
  return Datum::null(e.type.oid);
}

Datum null_if(const Expression& e, const Row& row) {
  Datum left = evaluate(e.args[0], row);
  const Datum right = evaluate(e.args[1], row);
  if (!left.is_null() && !right.is_null() && order(e, left, right) == 0)
    return Datum::null(e.type.oid);
  return left;
}

Datum extreme(const Expression& e, const Row& row) {
  Datum best = Datum::null(e.type.oid);
  for (const Expression& arg : e.args) {
    Datum value = evaluate(arg, row);
    if (value.is_null()) continue;
    if (!best.is_null()) {
      const int relation = order(e, value, best);
      if (e.op == Op::greatest ? relation <= 0 : relation >= 0) continue;
    }
    best = std::move(value);
  }
  return best;
}

values::ArithOp arith_op(Op op) {
  switch (op) {
    case Op::add:
      return values::ArithOp::add;
    case Op::subtract:
      return values::ArithOp::subtract;
    case Op::multiply:
      return values::ArithOp::multiply;
    case Op::divide:
      return values::ArithOp::divide;
    default:
      return values::ArithOp::modulo;
  }
}

Decimal rounded(Op op, const Decimal& value, int places) {
  switch (op) {
    case Op::round:
      return value.round(places);
    case Op::trunc:
      return value.trunc(places);
    case Op::ceil:
      return value.ceil();
    case Op::floor:
      return value.floor();
    default:
      return value.sign();
  }
}

double rounded(Op op, double value) {
  switch (op) {
    case Op::round:
      return std::rint(value);
    case Op::trunc:
      return std::trunc(value);
    case Op::ceil:
      return std::ceil(value);
    case Op::floor:
      return std::floor(value);
    default:
      return value > 0 ? 1.0 : value < 0 ? -1.0 : 0.0;  // dsign(): NaN gives 0
  }
}

Datum rounding(const Expression& e, const Row& row) {
  const Datum value = evaluate(e.args[0], row);
  int places = 0;
  if (e.args.size() == 2) {
    const Datum scale = evaluate(e.args[1], row);
    if (scale.is_null()) return Datum::null(e.type.oid);
    places = static_cast<int>(std::get<std::int64_t>(scale.value));
  }
  if (value.is_null()) return value;
  if (const auto* real = std::get_if<double>(&value.value))
    return Datum::float8(rounded(e.op, *real));
  return Datum::numeric(rounded(e.op, std::get<Decimal>(value.value), places));
}

Datum concat_text(const Expression& e, const Row& row) {
  const Datum left = evaluate(e.args[0], row);
  const Datum right = evaluate(e.args[1], row);
  if (left.is_null() || right.is_null()) return Datum::null(oid::text);
  return Datum::text(std::get<std::string>(left.value) + std::get<std::string>(right.value));
}

Datum quotient(const Expression& e, const Row& row) {
  const Datum left = evaluate(e.args[0], row);
  const Datum right = evaluate(e.args[1], row);
  if (left.is_null() || right.is_null()) return Datum::null(e.type.oid);
  if (const auto* real = std::get_if<double>(&right.value)) {
    if (*real == 0) return Datum::null(e.type.oid);
    return Datum::float8(std::get<double>(left.value) / *real);
  }
  const auto& divisor = std::get<Decimal>(right.value);
  if (divisor.is_zero()) return Datum::null(e.type.oid);
  return Datum::numeric(values::mysql_quotient(std::get<Decimal>(left.value), divisor, e.index));
}

Datum evaluate(const Expression& e, const Row& row) {
  switch (e.op) {
    case Op::column:
      return column(e, row);
    case Op::constant:
      return e.value.is_null() ? Datum::null(e.type.oid) : e.value;
    case Op::slot:
      return slot(e, row);
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide:
    case Op::modulo:
      return values::arith(arith_op(e.op), evaluate(e.args[0], row), evaluate(e.args[1], row));
    case Op::quotient:
      return quotient(e, row);
    case Op::negate:
      return values::negate(evaluate(e.args[0], row));
    case Op::abs:
      return values::absolute(evaluate(e.args[0], row));
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_equal:
    case Op::greater:
    case Op::greater_equal:
      return comparison(e, row);
    case Op::is_distinct:
    case Op::is_not_distinct:
      return distinction(e, row);
    case Op::logical_and:
    case Op::logical_or:
      return conjunction(e, row);
    case Op::logical_not:
    case Op::is_true:
    case Op::is_not_true:
    case Op::is_false:
    case Op::is_not_false:
      return truth_test(e, row);
    case Op::is_null:
    case Op::is_not_null:
      return null_test(e, row);
    case Op::case_when:
      return case_when(e, row);
    case Op::coalesce:
      return coalesce(e, row);
    case Op::null_if:
      return null_if(e, row);
    case Op::greatest:
    case Op::least:
      return extreme(e, row);
    case Op::cast:
      return cast_datum(evaluate(e.args[0], row), e.type);
    case Op::round:
    case Op::trunc:
    case Op::ceil:
    case Op::floor:
    case Op::sign:
      return rounding(e, row);
    case Op::concat_text:
      return concat_text(e, row);
  }
  broken("an expression of no known kind");
}

void check_references(const Expression& e, const Shape& shape, std::size_t slots) {
  const auto index = static_cast<std::size_t>(e.index);
  if (e.op == Op::column && (index >= shape.size() || shape[index].type.oid != e.type.oid))
    broken("an expression over a column that is not there");
  if (e.op == Op::slot && index >= slots) broken("an expression over a value that is not bound");
  for (const Expression& arg : e.args) check_references(arg, shape, slots);
}

}  // namespace

Evaluator::Evaluator(const Expression& expression, const Shape& shape,
                     const std::vector<Datum>& slots)
    : expression_(&expression), shape_(shape), slots_(&slots) {
  if (!can_evaluate(expression)) broken("an expression in the recipe that is not ours to compute");
  check_references(expression, shape, slots.size());
}

Datum Evaluator::evaluate(const RowBlock& block, std::size_t row) const {
  return merge::evaluate(*expression_, Row{shape_, *slots_, block, row});
}

}  // namespace anabranch::merge
