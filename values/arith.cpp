#include "values/arith.h"

#include <cmath>
#include <limits>

#include "values/errors.h"

namespace anabranch::values {

namespace {

bool is_integer(Oid type) {
  return type == oid::int2 || type == oid::int4 || type == oid::int8;
}
bool is_float(Oid type) {
  return type == oid::float4 || type == oid::float8;
}
bool is_number(Oid type) {
  return is_integer(type) || is_float(type) || type == oid::numeric;
}

bool is_text(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr && (info->kind == TypeKind::text || info->kind == TypeKind::bpchar);
}

std::string_view type_word(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr ? info->name : "unknown";
}

[[noreturn]] void out_of_range(Oid type) {
  throw make_error(ErrorId::numeric_value_out_of_range, type_word(type));
}

[[noreturn]] void not_calculated(std::string_view what, Oid left, Oid right) {
  throw make_error(ErrorId::internal,
                   fmt::format("{} of {} and {}", what, type_word(left), type_word(right)));
}

int64_t minimum_of(Oid type) {
  return type == oid::int2   ? std::numeric_limits<int16_t>::min()
         : type == oid::int4 ? std::numeric_limits<int32_t>::min()
                             : std::numeric_limits<int64_t>::min();
}

int64_t maximum_of(Oid type) {
  return type == oid::int2   ? std::numeric_limits<int16_t>::max()
         : type == oid::int4 ? std::numeric_limits<int32_t>::max()
                             : std::numeric_limits<int64_t>::max();
}

Datum integer_datum(Oid type, int64_t value) {
  if (value < minimum_of(type) || value > maximum_of(type)) out_of_range(type);
  return {type, value};
}

/// The type in which two numbers meet: the wider integer; numeric; double unless both are real.
Oid meeting_type(Oid left, Oid right) {
  if (is_float(left) || is_float(right))
    return left == oid::float4 && right == oid::float4 ? oid::float4 : oid::float8;
  if (left == oid::numeric || right == oid::numeric) return oid::numeric;
  if (left == oid::int8 || right == oid::int8) return oid::int8;
  return left == oid::int4 || right == oid::int4 ? oid::int4 : oid::int2;
}

Datum integer_arith(ArithOp op, Oid type, int64_t left, int64_t right) {
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case ArithOp::add:
      overflow = __builtin_add_overflow(left, right, &result);
      break;
    case ArithOp::subtract:
      overflow = __builtin_sub_overflow(left, right, &result);
      break;
    case ArithOp::multiply:
      overflow = __builtin_mul_overflow(left, right, &result);
      break;
    case ArithOp::divide:
      if (right == 0) throw make_error(ErrorId::division_by_zero);
      overflow = right == -1 ? __builtin_sub_overflow(int64_t{0}, left, &result) : false;
      if (right != -1) result = left / right;
      break;
    case ArithOp::modulo:
      if (right == 0) throw make_error(ErrorId::division_by_zero);
      result = right == -1 ? 0 : left % right;
      break;
  }
  if (overflow) out_of_range(type);
  return integer_datum(type, result);
}

template <typename Float>
Float float_arith(ArithOp op, Float left, Float right) {
  Float result = 0;
  bool may_underflow = false;
  bool infinite_input = std::isinf(left) || std::isinf(right);
  switch (op) {
    case ArithOp::add:
      result = left + right;
      break;
    case ArithOp::subtract:
      result = left - right;
      break;
    case ArithOp::multiply:
      result = left * right;
      may_underflow = left != 0 && right != 0;
      break;
    default:
      if (right == 0 && !std::isnan(left)) throw make_error(ErrorId::division_by_zero);
      result = left / right;
      may_underflow = left != 0 && !std::isinf(right);
      infinite_input = std::isinf(left);
      break;
  }
  if (std::isinf(result) && !infinite_input) throw make_error(ErrorId::float_overflow);
  if (result == 0 && may_underflow) throw make_error(ErrorId::float_underflow);
  return result;
}

Decimal decimal_arith(ArithOp op, const Decimal& left, const Decimal& right) {
  switch (op) {
    case ArithOp::add:
      return left + right;
    case ArithOp::subtract:
      return left - right;
    case ArithOp::multiply:
      return left * right;
    case ArithOp::divide:
      return left / right;
    default:
      return left % right;
  }
}

double as_double(const Datum& value) {
  return std::get<double>(cast(value, oid::float8).value);
}
int64_t as_integer(const Datum& value) {
  return std::get<int64_t>(value.value);
}
Decimal as_decimal(const Datum& value) {
  return std::get<Decimal>(cast(value, oid::numeric).value);
}

Datum number_arith(ArithOp op, Oid type, const Datum& left, const Datum& right) {
  if (is_integer(type)) return integer_arith(op, type, as_integer(left), as_integer(right));
  if (type == oid::numeric) {
    const auto* l = std::get_if<Decimal>(&left.value);
    const auto* r = std::get_if<Decimal>(&right.value);
    if (l != nullptr && r != nullptr) return Datum::numeric(decimal_arith(op, *l, *r));
    return Datum::numeric(decimal_arith(op, as_decimal(left), as_decimal(right)));
  }
  if (type == oid::float4)
    return Datum::float4(
        float_arith(op, std::get<float>(left.value), std::get<float>(right.value)));
  return Datum::float8(float_arith(op, as_double(left), as_double(right)));
}

Datum interval_arith(ArithOp op, const Datum& left, const Datum& right) {
  if (op == ArithOp::multiply && left.type != oid::interval)
    return Datum::interval(multiply(std::get<Interval>(right.value), as_double(left)));
  const auto& interval = std::get<Interval>(left.value);
  switch (op) {
    case ArithOp::add:
      return Datum::interval(add(interval, std::get<Interval>(right.value)));
    case ArithOp::subtract:
      return Datum::interval(subtract(interval, std::get<Interval>(right.value)));
    case ArithOp::multiply:
      return Datum::interval(multiply(interval, as_double(right)));
    default:
      return Datum::interval(divide(interval, as_double(right)));
  }
}

Datum money_arith(ArithOp op, int64_t left, int64_t right) {
  int64_t result = 0;
  const bool overflow = op == ArithOp::add ? __builtin_add_overflow(left, right, &result)
                                           : __builtin_sub_overflow(left, right, &result);
  if (overflow) out_of_range(oid::money);
  return {oid::money, result};
}

int64_t round_to_integer(double value, Oid type) {
  const double whole = std::rint(value);
  const auto low = static_cast<double>(minimum_of(type));
  if (!(whole >= low && whole < -low)) out_of_range(type);
  return static_cast<int64_t>(whole);
}

float narrow(double value) {
  const auto result = static_cast<float>(value);
  if (std::isinf(result) && !std::isinf(value)) throw make_error(ErrorId::float_overflow);
  if (result == 0 && value != 0) throw make_error(ErrorId::float_underflow);
  return result;
}

Datum cast_decimal(const Decimal& value, Oid to) {
  if (is_integer(to)) return {to, value.to_int64(minimum_of(to), maximum_of(to), type_word(to))};
  if (to == oid::float8) return Datum::float8(value.to_float8());
  if (!value.is_finite()) return Datum::float4(static_cast<float>(value.to_float8()));
  return decode(oid::float4, Format::text, value.to_string());
}

Datum cast_float(double value, bool single, Oid to) {
  if (is_integer(to)) return {to, round_to_integer(value, to)};
  if (to == oid::float8) return Datum::float8(value);
  if (to == oid::float4) return Datum::float4(narrow(value));
  return Datum::numeric(single ? Decimal::from_float4(static_cast<float>(value))
                               : Decimal::from_float8(value));
}

Datum cast_integer(int64_t value, Oid to) {
  if (is_integer(to)) return integer_datum(to, value);
  if (to == oid::numeric) return Datum::numeric(Decimal::from_int(value));
  if (to == oid::float4) return Datum::float4(static_cast<float>(value));
  return Datum::float8(static_cast<double>(value));
}

template <typename Value>
int compare_values(const Value& left, const Value& right) {
  return left < right ? -1 : (right < left ? 1 : 0);
}

/// NaN equals NaN, and is above everything.
int compare_floats(double left, double right) {
  if (std::isnan(left) || std::isnan(right))
    return static_cast<int>(std::isnan(left)) - static_cast<int>(std::isnan(right));
  return compare_values(left, right);
}

int compare_numbers(const Datum& left, const Datum& right) {
  const Oid type = meeting_type(left.type, right.type);
  if (is_integer(type)) return compare_values(as_integer(left), as_integer(right));
  if (is_float(type)) return compare_floats(as_double(left), as_double(right));
  const auto order = as_decimal(left) <=> as_decimal(right);
  return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

int compare_texts(const Datum& left, const Datum& right) {
  std::string_view l = std::get<std::string>(left.value);
  std::string_view r = std::get<std::string>(right.value);
  // A bpchar that meets another text type is cast to text, which drops its trailing blanks.
  const auto drop_blanks = [](std::string_view& text, Oid type) {
    if (type != oid::bpchar) return;
    const size_t last = text.find_last_not_of(' ');
    text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  };
  drop_blanks(l, left.type);
  drop_blanks(r, right.type);
  const int order = l.compare(r);
  return (order > 0) - (order < 0);
}

}  // namespace

std::optional<Oid> arith_result(ArithOp op, Oid left, Oid right) {
  const bool additive = op == ArithOp::add || op == ArithOp::subtract;
  if (is_number(left) && is_number(right)) {
    const Oid type = meeting_type(left, right);
    if (op == ArithOp::modulo && is_float(type)) return std::nullopt;
    return type;
  }
  if (additive && left == right && (left == oid::interval || left == oid::money)) return left;
  if (left == oid::interval && is_number(right) &&
      (op == ArithOp::multiply || op == ArithOp::divide))
    return left;
  if (right == oid::interval && is_number(left) && op == ArithOp::multiply) return right;
  return std::nullopt;
}

Datum arith(ArithOp op, const Datum& left, const Datum& right) {
  const std::optional<Oid> type = arith_result(op, left.type, right.type);
  if (!type) not_calculated("arithmetic", left.type, right.type);
  if (left.is_null() || right.is_null()) return Datum::null(*type);
  if (*type == oid::interval) return interval_arith(op, left, right);
  if (*type == oid::money) return money_arith(op, as_integer(left), as_integer(right));
  return number_arith(op, *type, left, right);
}

Datum negate(const Datum& value) {
  if (value.is_null()) return value;
  if (is_integer(value.type) || value.type == oid::money) {
    if (value.type == oid::money) not_calculated("negation", value.type, value.type);
    return integer_arith(ArithOp::subtract, value.type, 0, as_integer(value));
  }
  if (value.type == oid::float4) return Datum::float4(-std::get<float>(value.value));
  if (value.type == oid::float8) return Datum::float8(-std::get<double>(value.value));
  if (value.type == oid::numeric) return Datum::numeric(std::get<Decimal>(value.value).negated());
  if (value.type == oid::interval) return Datum::interval(negate(std::get<Interval>(value.value)));
  not_calculated("negation", value.type, value.type);
}

Datum absolute(const Datum& value) {
  if (value.is_null()) return value;
  if (is_integer(value.type)) return as_integer(value) < 0 ? negate(value) : value;
  if (value.type == oid::float4) return Datum::float4(std::abs(std::get<float>(value.value)));
  if (value.type == oid::float8) return Datum::float8(std::abs(std::get<double>(value.value)));
  if (value.type == oid::numeric) return Datum::numeric(std::get<Decimal>(value.value).abs());
  not_calculated("absolute value", value.type, value.type);
}

bool can_cast(Oid from, Oid to) {
  return from == to || (is_number(from) && is_number(to));
}

Datum cast(const Datum& value, Oid to) {
  if (value.type == to) return value;
  if (!can_cast(value.type, to)) not_calculated("cast", value.type, to);
  if (value.is_null()) return Datum::null(to);
  if (value.type == oid::numeric) return cast_decimal(std::get<Decimal>(value.value), to);
  if (value.type == oid::float4) return cast_float(std::get<float>(value.value), true, to);
  if (value.type == oid::float8) return cast_float(std::get<double>(value.value), false, to);
  return cast_integer(as_integer(value), to);
}

bool can_compare(Oid left, Oid right) {
  if (is_number(left) && is_number(right)) return true;
  if (is_text(left) && is_text(right)) return true;
  return left == right &&
         (left == oid::boolean || left == oid::interval || left == oid::money || left == oid::oid);
}

int compare(const Datum& left, const Datum& right) {
  if (!can_compare(left.type, right.type) || left.is_null() || right.is_null())
    not_calculated("comparison", left.type, right.type);
  if (is_number(left.type)) return compare_numbers(left, right);
  if (is_text(left.type)) return compare_texts(left, right);
  if (left.type == oid::boolean)
    return compare_values(std::get<bool>(left.value), std::get<bool>(right.value));
  if (left.type == oid::interval) {
    return compare_values(std::get<Interval>(left.value).span(),
                          std::get<Interval>(right.value).span());
  }
  return compare_values(as_integer(left), as_integer(right));
}

Truth truth_of(const Datum& value) {
  if (value.is_null()) return std::nullopt;
  return std::get<bool>(value.value);
}

Datum datum_of(Truth truth) {
  return truth ? Datum::boolean(*truth) : Datum::null(oid::boolean);
}

}  // namespace anabranch::values
