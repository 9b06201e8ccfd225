#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "values/decimal.h"
#include "values/interval.h"
#include "values/type.h"

namespace anabranch::values {

/// One value with its type, for arithmetic after the merge. NULL has a type too.
///
/// What `value` holds follows from the type: bool · int64_t (int2, int4, int8, oid, money) · float
/// · double · Decimal · Interval · std::string (text, varchar, name, bpchar: the text) · RawValue
/// (everything else: the wire bytes, passed on untouched).
struct RawValue {
  std::string bytes;
  Format format = Format::text;
};

struct Datum {
  using Value = std::variant<std::monostate, bool, int64_t, float, double, Decimal, Interval,
                             std::string, RawValue>;
  Oid type = oid::unknown;
  Value value;

  bool is_null() const { return std::holds_alternative<std::monostate>(value); }

  static Datum null(Oid type) { return {type, {}}; }
  static Datum boolean(bool v) { return {oid::boolean, v}; }
  static Datum int2(int64_t v) { return {oid::int2, v}; }
  static Datum int4(int64_t v) { return {oid::int4, v}; }
  static Datum int8(int64_t v) { return {oid::int8, v}; }
  static Datum float4(float v) { return {oid::float4, v}; }
  static Datum float8(double v) { return {oid::float8, v}; }
  static Datum numeric(Decimal v) { return {oid::numeric, std::move(v)}; }
  static Datum interval(Interval v) { return {oid::interval, v}; }
  static Datum text(std::string v, Oid type = oid::text) { return {type, std::move(v)}; }
};

/// The session settings on which printed values depend.
struct PrintSettings {
  int extra_float_digits = 1;
  bool interval_style_postgres = true;
};

/// A wire value (nullopt: NULL) as a datum. Throws invalid_text, invalid_binary. Text of interval
/// and money is kept raw: fetch them in binary to calculate.
Datum decode(Oid type, Format format, std::optional<std::string_view> wire_value);

/// Appends the wire form; must not be NULL. What cannot be printed exactly throws `internal`:
/// ask can_encode() when planning.
void encode(const Datum& datum, Format format, const PrintSettings& settings, std::string& out);

/// Whether encode() prints values of this type in this format. RawValue excepted: it only goes out
/// in the format it came in.
bool can_encode(Oid type, Format format, const PrintSettings& settings);

/// float8out and float4out: shortest text that reads back the same (extra_float_digits > 0), else
/// %.*g.
void append_float8(std::string& out, double value, int extra_float_digits);
void append_float4(std::string& out, float value, int extra_float_digits);

}  // namespace anabranch::values
