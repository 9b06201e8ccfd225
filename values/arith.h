#pragma once

#include <optional>

#include "values/datum.h"

namespace anabranch::values {

/// The server's operators over int2, int4, int8, float4, float8, numeric (all mixes), interval
/// (+ - with interval, * / with a number) and money (+ - with money). Strict: NULL in, NULL of the
/// result's type out. Result types, overflow (22003, 22008) and division by zero (22012) are the
/// server's.
enum class ArithOp : uint8_t { add, subtract, multiply, divide, modulo };

/// The result's type, or nullopt if we do not calculate this (then a database must).
std::optional<Oid> arith_result(ArithOp op, Oid left, Oid right);

Datum arith(ArithOp op, const Datum& left, const Datum& right);
inline Datum add(const Datum& l, const Datum& r) {
  return arith(ArithOp::add, l, r);
}
inline Datum subtract(const Datum& l, const Datum& r) {
  return arith(ArithOp::subtract, l, r);
}
inline Datum multiply(const Datum& l, const Datum& r) {
  return arith(ArithOp::multiply, l, r);
}
inline Datum divide(const Datum& l, const Datum& r) {
  return arith(ArithOp::divide, l, r);
}
inline Datum modulo(const Datum& l, const Datum& r) {
  return arith(ArithOp::modulo, l, r);
}

Datum negate(const Datum& value);
Datum absolute(const Datum& value);

/// Casts between the number types (int2, int4, int8, float4, float8, numeric) as the server does
/// them, rounding and range errors included, and of anything to its own type.
bool can_cast(Oid from, Oid to);
Datum cast(const Datum& value, Oid to);

/// Whether compare() knows the server's order (or, for text, equality by bytes) of these two types.
bool can_compare(Oid left, Oid right);
/// Negative, zero, positive; both must be non-NULL. Numbers of any mix, bool, interval, money, and
/// text kinds **by bytes** (equality under a deterministic collation; blanks at the end of bpchar
/// ignored when both are bpchar).
int compare(const Datum& left, const Datum& right);

/// Three-valued logic: nullopt is unknown.
using Truth = std::optional<bool>;
inline Truth logical_not(Truth a) {
  return a ? Truth(!*a) : a;
}
inline Truth logical_and(Truth a, Truth b) {
  if ((a && !*a) || (b && !*b)) return false;
  return a && b ? Truth(true) : std::nullopt;
}
inline Truth logical_or(Truth a, Truth b) {
  if ((a && *a) || (b && *b)) return true;
  return a && b ? Truth(false) : std::nullopt;
}
/// A boolean datum as a truth value, and back.
Truth truth_of(const Datum& value);
Datum datum_of(Truth truth);

}  // namespace anabranch::values
