#include "values/interval.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "values/codec.h"
#include "values/errors.h"

namespace anabranch::values {

namespace {

constexpr int kDaysPerMonth = 30;
constexpr double kSecondsPerDay = 86400.0;

[[noreturn]] void overflow() {
  throw make_error(ErrorId::interval_out_of_range);
}

template <typename Integer>
Integer checked_add(Integer left, Integer right) {
  Integer sum;
  if (__builtin_add_overflow(left, right, &sum)) overflow();
  return sum;
}

template <typename Integer>
Integer checked_subtract(Integer left, Integer right) {
  Integer difference;
  if (__builtin_sub_overflow(left, right, &difference)) overflow();
  return difference;
}

/// Cut off towards zero, as a C cast.
int32_t whole_int32(double value) {
  if (!(value >= -2147483648.0 && value < 2147483648.0)) overflow();
  return static_cast<int32_t>(value);
}

int64_t whole_int64(double value) {
  if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) overflow();
  return static_cast<int64_t>(value);
}

double to_microsecond(double seconds) {
  return std::rint(seconds * 1e6) / 1e6;
}

void refuse_special(const Interval& value) {
  if (value.is_special()) overflow();
}

/// The fields after multiplication, given as exact quotients; fractions of months go to days (of 30
/// a month), fractions of days to time.
Interval cascade(double months, double days, double microseconds) {
  Interval result;
  result.months = whole_int32(months);
  result.days = whole_int32(days);
  const double month_days = to_microsecond((months - result.months) * kDaysPerMonth);
  const int whole_month_days = static_cast<int>(month_days);
  double seconds =
      to_microsecond((days - result.days + month_days - whole_month_days) * kSecondsPerDay);
  if (std::abs(seconds) >= kSecondsPerDay) {
    const int more = static_cast<int>(seconds / kSecondsPerDay);
    result.days = checked_add(result.days, more);
    seconds -= more * kSecondsPerDay;
  }
  result.days = checked_add(result.days, whole_month_days);
  result.microseconds = whole_int64(std::rint(microseconds + seconds * 1e6));
  return result;
}

/// Writes "N units" for the fields before the time.
class FieldPrinter {
 public:
  explicit FieldPrinter(std::string& out) : out_(out) {}

  void field(int value, std::string_view unit) {
    if (value == 0) return;
    fmt::format_to(std::back_inserter(out_), "{}{}{} {}{}", empty_ ? "" : " ",
                   after_negative_ && value > 0 ? "+" : "", value, unit, value == 1 ? "" : "s");
    after_negative_ = value < 0;
    empty_ = false;
  }

  bool empty() const { return empty_; }
  bool after_negative() const { return after_negative_; }

 private:
  std::string& out_;
  bool empty_ = true;
  bool after_negative_ = false;
};

}  // namespace

Interval Interval::from_binary(std::string_view bytes) {
  BinaryReader in(bytes, "interval");
  Interval value;
  value.microseconds = in.read<int64_t>();
  value.days = in.read<int32_t>();
  value.months = in.read<int32_t>();
  in.expect_end();
  return value;
}

void Interval::append_binary(std::string& out) const {
  append_be(out, microseconds);
  append_be(out, days);
  append_be(out, months);
}

void Interval::append_text(std::string& out) const {
  FieldPrinter printer(out);
  printer.field(months / 12, "year");
  printer.field(months % 12, "mon");
  printer.field(days, "day");
  if (microseconds == 0 && !printer.empty()) return;
  const bool minus = microseconds < 0;
  const uint64_t time =
      minus ? -static_cast<uint64_t>(microseconds) : static_cast<uint64_t>(microseconds);
  const uint64_t seconds = time / kMicrosecondsPerSecond;
  fmt::format_to(std::back_inserter(out), "{}{}{:02}:{:02}:{:02}", printer.empty() ? "" : " ",
                 minus ? "-" : (printer.after_negative() ? "+" : ""), seconds / 3600,
                 seconds / 60 % 60, seconds % 60);
  if (const uint64_t fraction = time % kMicrosecondsPerSecond; fraction != 0) {
    fmt::format_to(std::back_inserter(out), ".{:06}", fraction);
    while (out.back() == '0') out.pop_back();
  }
}

Int128 Interval::span() const {
  const int64_t whole_days = int64_t{months} * kDaysPerMonth + days;
  return static_cast<Int128>(whole_days) * kMicrosecondsPerDay + microseconds;
}

bool Interval::is_special() const {
  const auto all = [&](int64_t time, int32_t other) {
    return microseconds == time && days == other && months == other;
  };
  return all(std::numeric_limits<int64_t>::max(), std::numeric_limits<int32_t>::max()) ||
         all(std::numeric_limits<int64_t>::min(), std::numeric_limits<int32_t>::min());
}

Interval add(const Interval& left, const Interval& right) {
  refuse_special(left);
  refuse_special(right);
  return {checked_add(left.microseconds, right.microseconds), checked_add(left.days, right.days),
          checked_add(left.months, right.months)};
}

Interval subtract(const Interval& left, const Interval& right) {
  refuse_special(left);
  refuse_special(right);
  return {checked_subtract(left.microseconds, right.microseconds),
          checked_subtract(left.days, right.days), checked_subtract(left.months, right.months)};
}

Interval negate(const Interval& value) {
  return subtract({}, value);
}

Interval multiply(const Interval& value, double factor) {
  refuse_special(value);
  return cascade(value.months * factor, value.days * factor,
                 static_cast<double>(value.microseconds) * factor);
}

Interval divide(const Interval& value, double divisor) {
  refuse_special(value);
  if (divisor == 0) throw make_error(ErrorId::division_by_zero);
  return cascade(value.months / divisor, value.days / divisor,
                 static_cast<double>(value.microseconds) / divisor);
}

}  // namespace anabranch::values
