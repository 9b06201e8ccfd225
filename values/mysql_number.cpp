#include "values/mysql_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "values/errors.h"

namespace anabranch::values {
namespace {

/// MAX_DECPT_FOR_F_FORMAT: beyond it there is an exponent, unless that would hide digits after the point.
constexpr int kMaxFixedPoint = 15;
constexpr int kFloatDigits = 6;

constexpr int kWordDigits = 9;    // of a decimal_digit_t
constexpr int kDecimalWords = 9;  // of a my_decimal

/// 0.DIGITS * 10^point, of a number above zero.
struct Digits {
  std::array<char, 24> buffer;
  size_t count = 0;
  int point = 0;

  std::string_view view() const { return {buffer.data(), count}; }
};

/// The fewest digits that read back as the value, or as many as `precision` says; no zeros at the end.
template <typename... Precision>
Digits digits_of(double value, Precision... precision) {
  std::array<char, 40> text;
  char* const limit = text.data() + text.size();
  char* const end = std::to_chars(text.data(), limit, value, std::chars_format::scientific, precision...).ptr;
  char* const mark = std::find(text.data(), end, 'e');
  Digits digits;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, digits.point);
  ++digits.point;
  const char* const last = std::remove_copy(text.data(), mark, digits.buffer.data(), '.');
  digits.count = static_cast<size_t>(last - digits.buffer.data());
  while (digits.count > 1 && digits.buffer[digits.count - 1] == '0') --digits.count;
  return digits;
}

void append_fixed(std::string& out, std::string_view digits, int point) {
  const int count = static_cast<int>(digits.size());
  if (point <= 0) {
    out.append("0.").append(static_cast<size_t>(-point), '0').append(digits);
  } else if (point >= count) {
    out.append(digits).append(static_cast<size_t>(point - count), '0');
  } else {
    const auto whole = static_cast<size_t>(point);
    out.append(digits.substr(0, whole)).append(1, '.').append(digits.substr(whole));
  }
}

void append_digits(std::string& out, std::string_view digits, int point) {
  const int count = static_cast<int>(digits.size());
  if (point >= 1 - kMaxFixedPoint && (point <= kMaxFixedPoint || count > point)) {
    return append_fixed(out, digits, point);
  }
  out.push_back(digits.front());
  if (count > 1) out.append(1, '.').append(digits.substr(1));
  fmt::format_to(std::back_inserter(out), "e{}", point - 1);
}

void expect_finite(double value) {
  if (!std::isfinite(value)) throw make_error(ErrorId::float_overflow);
}

template <typename... Precision>
void append_general(std::string& out, double value, Precision... precision) {
  expect_finite(value);
  if (value == 0) {
    out.push_back('0');
    return;
  }
  if (value < 0) out.push_back('-');
  const Digits digits = digits_of(std::abs(value), precision...);
  append_digits(out, digits.view(), digits.point);
}

}  // namespace

void append_mysql_double(std::string& out, double value) {
  append_general(out, value);
}

void append_mysql_float(std::string& out, float value) {
  append_general(out, double{value}, kFloatDigits - 1);
}

/// Digits that the shortest form has not got are zeros, not those of the exact value (dtoa() in mode 5).
void append_mysql_double(std::string& out, double value, int decimals) {
  expect_finite(value);
  if (value == 0) value = 0;  // -0 is 0
  const Digits digits = digits_of(std::abs(value));
  const int fraction = std::max(0, static_cast<int>(digits.count) - digits.point);
  if (value == 0 || fraction > decimals) {
    fmt::format_to(std::back_inserter(out), "{:.{}f}", value, decimals);
    const bool rounded_to_zero = value != 0 && std::abs(value) < 1 && out.ends_with('0');
    if (decimals == 0 && rounded_to_zero) out.push_back('.');  // "0." and "-0.": my_fcvt() does it
    return;
  }
  if (value < 0) out.push_back('-');
  append_fixed(out, digits.view(), digits.point);
  if (decimals == 0) return;
  if (fraction == 0) out.push_back('.');
  out.append(static_cast<size_t>(decimals - fraction), '0');
}

namespace {

/// What do_div_mod() looks at in an operand: words of nine digits, aligned at the point.
struct Words {
  int precision = 0;  ///< digits from the first that is not zero to the end of the last word
  int fraction = 0;   ///< words after the point
  long first = 0;     ///< the first word that is not zero
};

Words words_of(const Decimal& value) {
  std::string text = value.abs().to_string();
  const size_t point = std::min(text.find('.'), text.size());
  if (point < text.size()) text.erase(point, 1);
  Words words;
  words.fraction = (value.scale() + kWordDigits - 1) / kWordDigits;
  text.resize(point + static_cast<size_t>(words.fraction * kWordDigits), '0');
  const size_t leading = std::min(text.find_first_not_of('0'), text.size());
  words.precision = static_cast<int>(text.size() - leading);
  const auto length = static_cast<size_t>((words.precision - 1) % kWordDigits + 1);
  std::from_chars(text.data() + leading, text.data() + leading + length, words.first);
  return words;
}

}  // namespace

Decimal mysql_quotient(const Decimal& left, const Decimal& right, int precision_increment) {
  if (!left.is_finite() || !right.is_finite()) throw make_error(ErrorId::numeric_overflow);
  if (left.is_zero()) return {};
  const Words dividend = words_of(left);
  const Words divisor = words_of(right);
  const int filled = (dividend.fraction + divisor.fraction) * kWordDigits;
  const int more = std::max(0, precision_increment - (filled - left.scale() - right.scale()));
  const int fraction = (filled + more + kWordDigits - 1) / kWordDigits;
  const int digits_before = (dividend.precision - dividend.fraction * kWordDigits) -
                            (divisor.precision - divisor.fraction * kWordDigits) +
                            (dividend.first >= divisor.first ? 1 : 0);
  const int whole = std::max(0, (digits_before + kWordDigits - 1) / kWordDigits);
  if (whole > kDecimalWords) throw make_error(ErrorId::numeric_overflow);
  return Decimal::div_truncated(left, right,
                                std::min(fraction, kDecimalWords - whole) * kWordDigits);
}

double parse_mysql_double(std::string_view text) {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    throw make_error(ErrorId::invalid_text, "double", text);
  }
  return value;
}

void append_mysql_quotient(std::string& out, const Decimal& left, const Decimal& right,
                           int precision_increment, int decimals) {
  const Decimal quotient = mysql_quotient(left, right, precision_increment);
  if (left.is_zero()) return append_mysql_decimal(out, quotient, decimals);
  const bool rounded = quotient.scale() > decimals;  // which takes a zero's sign away
  const bool negative = left.is_negative() != right.is_negative();
  if (quotient.is_zero() && negative && !rounded && quotient.scale() > 0) out.push_back('-');
  append_mysql_decimal(out, quotient, rounded ? decimals : quotient.scale());
}

void append_mysql_decimal(std::string& out, const Decimal& value, int decimals) {
  value.round(decimals).append_text(out);
}

}  // namespace anabranch::values
