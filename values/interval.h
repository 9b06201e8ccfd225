#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "values/decimal.h"

namespace anabranch::values {

/// PostgreSQL's interval: three fields that are never mixed, except in comparison.
struct Interval {
  int64_t microseconds = 0;
  int32_t days = 0;
  int32_t months = 0;

  static Interval from_binary(std::string_view bytes);  ///< invalid_binary
  void append_binary(std::string& out) const;
  void append_text(std::string& out) const;  ///< IntervalStyle postgres

  /// What comparison and equality see: microseconds, with months of 30 and days of 24 hours.
  Int128 span() const;
  /// PostgreSQL 17's ±infinity (all fields at their extremes); arithmetic refuses it.
  bool is_special() const;
};

/// As interval_pl, interval_mi, interval_um, interval_mul, interval_div; interval_out_of_range,
/// division_by_zero.
Interval add(const Interval& left, const Interval& right);
Interval subtract(const Interval& left, const Interval& right);
Interval negate(const Interval& value);
Interval multiply(const Interval& value, double factor);
Interval divide(const Interval& value, double divisor);

}  // namespace anabranch::values
