#include <string>

#include "merge/evaluate.h"
#include "values/arith.h"
#include "values/errors.h"

namespace anabranch::merge {

namespace {

using values::Datum;
using values::Decimal;
using values::Oid;
namespace oid = values::oid;

bool prints_as_text(Oid type) {
  switch (type) {
    case oid::int2:
    case oid::int4:
    case oid::int8:
    case oid::numeric:
    case oid::boolean:
    case oid::text:
    case oid::varchar:
      return true;
    default:
      return false;
  }
}

std::string text_of(const Datum& value) {
  if (const auto* flag = std::get_if<bool>(&value.value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value.value))
    return std::to_string(*integer);
  if (const auto* decimal = std::get_if<Decimal>(&value.value)) return decimal->to_string();
  return std::get<std::string>(value.value);
}

[[noreturn]] void field_overflow(std::string detail) {
  values::SqlError error("22003", "numeric field overflow");
  error.detail = std::move(detail);
  throw error;
}

/// numeric(precision, scale), as apply_typmod() and apply_typmod_special() of numeric.c.
Decimal fit(const Decimal& value, std::int32_t typmod) {
  const std::int32_t packed = typmod - 4;
  const int precision = (packed >> 16) & 0xffff;
  const int scale = ((packed & 0x7ff) ^ 1024) - 1024;
  const std::string field =
      "A field with precision " + std::to_string(precision) + ", scale " + std::to_string(scale);
  if (value.is_nan()) return value;
  if (value.is_infinite()) field_overflow(field + " cannot hold an infinite value.");
  Decimal rounded = value.round(scale);
  const int whole_digits = precision - scale;
  if (!rounded.is_zero() && rounded.abs() >= Decimal::parse("1e" + std::to_string(whole_digits)))
    field_overflow(field + " must round to an absolute value less than " +
                   (whole_digits == 0 ? "1" : "10^" + std::to_string(whole_digits)) + ".");
  return rounded;
}

}  // namespace

bool can_cast_datum(Oid from, const values::ColumnType& to) {
  if (to.oid == oid::numeric) return values::can_cast(from, to.oid);
  if (to.typmod != -1) return false;
  if (to.oid == oid::text || to.oid == oid::varchar) return prints_as_text(from);
  if (from == oid::boolean && to.oid == oid::int4) return true;
  if (from == oid::int4 && to.oid == oid::boolean) return true;
  return values::can_cast(from, to.oid);
}

Datum cast_datum(const Datum& value, const values::ColumnType& to) {
  if (value.is_null()) return Datum::null(to.oid);
  if (to.oid == oid::text || to.oid == oid::varchar) return Datum::text(text_of(value), to.oid);
  if (value.type == oid::boolean && to.oid == oid::int4)
    return Datum::int4(std::get<bool>(value.value) ? 1 : 0);
  if (value.type == oid::int4 && to.oid == oid::boolean)
    return Datum::boolean(std::get<std::int64_t>(value.value) != 0);
  Datum converted = values::cast(value, to.oid);
  if (to.oid == oid::numeric && to.typmod >= 4)
    return Datum::numeric(fit(std::get<Decimal>(converted.value), to.typmod));
  return converted;
}

}  // namespace anabranch::merge
