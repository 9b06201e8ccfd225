#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "values/datum.h"
#include "values/decimal.h"

namespace anabranch::values {

namespace {

template <typename Float>
struct Layout;
template <>
struct Layout<double> {
  using Bits = uint64_t;
  static constexpr int kMantissaBits = 52, kMaxDigits = 17, kFixedDigits = 15, kBaseDigits = 15;
};
template <>
struct Layout<float> {
  using Bits = uint32_t;
  static constexpr int kMantissaBits = 23, kMaxDigits = 9, kFixedDigits = 6, kBaseDigits = 6;
};

/// A decimal approximation: digits * 10^exponent.
struct Shortest {
  uint64_t digits;
  int exponent;
};

/// Reads "d.ddde±xx" (what to_chars and %e print).
Shortest read_scientific(const char* begin, const char* end) {
  Shortest result{0, 0};
  const char* at = begin;
  int fraction = 0;
  bool point = false;
  for (; at != end && *at != 'e'; ++at) {
    if (*at == '.') {
      point = true;
      continue;
    }
    result.digits = result.digits * 10 + static_cast<uint64_t>(*at - '0');
    fraction += point ? 1 : 0;
  }
  int exponent = 0;
  if (at != end) {
    ++at;
    if (at != end && *at == '+') ++at;
    std::from_chars(at, end, exponent);
  }
  result.exponent = exponent - fraction;
  while (result.digits != 0 && result.digits % 10 == 0) {
    result.digits /= 10;
    ++result.exponent;
  }
  return result;
}

/// Whether odd * 2^x == digits * 10^exponent for some x. Both are known to be about equal, so x
/// need not be looked at.
bool same_odd_part(uint64_t odd, const Shortest& decimal) {
  const auto odd_part = [](uint64_t value) { return value >> std::countr_zero(value); };
  Uint128 left = odd;
  Uint128 right = odd_part(decimal.digits);
  Uint128& scaled = decimal.exponent >= 0 ? right : left;
  for (int i = std::abs(decimal.exponent); i > 0; --i) {
    scaled *= 5;
    if (scaled >> 100 != 0) return false;
  }
  return left == right;
}

/// Whether the decimal lies exactly half way between the value and a neighbour. The server's
/// printer does not take such decimals (a reader might round them away); to_chars does.
template <typename Float>
bool is_boundary(Float value, const Shortest& decimal) {
  using Bits = typename Layout<Float>::Bits;
  const auto bits = std::bit_cast<Bits>(value);
  constexpr uint64_t kHidden = uint64_t{1} << Layout<Float>::kMantissaBits;
  const uint64_t fraction = bits & (kHidden - 1);
  const bool normal = (bits >> Layout<Float>::kMantissaBits) != 0;
  const uint64_t mantissa = normal ? fraction | kHidden : fraction;
  const bool binade_start = fraction == 0 && (bits >> Layout<Float>::kMantissaBits) > 1;
  return same_odd_part(2 * mantissa + 1, decimal) ||
         same_odd_part(binade_start ? 4 * mantissa - 1 : 2 * mantissa - 1, decimal);
}

/// The shortest decimal strictly inside the value's rounding interval; positive, finite, not zero.
template <typename Float>
Shortest shortest_inside(Float value) {
  std::array<char, 64> text;
  const auto printed =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
  Shortest result = read_scientific(text.data(), printed.ptr);
  if (!is_boundary(value, result)) return result;
  int precision = 0;
  for (uint64_t rest = result.digits; rest != 0; rest /= 10) ++precision;
  for (; precision < Layout<Float>::kMaxDigits; ++precision) {
    const int length = std::snprintf(text.data(), text.size(), "%.*e", precision, double{value});
    result = read_scientific(text.data(), text.data() + length);
    Float read_back = 0;
    std::from_chars(text.data(), text.data() + length, read_back);
    if (read_back == value && !is_boundary(value, result)) break;
  }
  return result;
}

void append_shortest(std::string& out, const Shortest& decimal, int fixed_digits) {
  std::array<char, 24> buffer;
  const auto printed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), decimal.digits);
  const std::string_view digits(buffer.data(), static_cast<size_t>(printed.ptr - buffer.data()));
  const int point = static_cast<int>(digits.size()) + decimal.exponent;  // digits before the point
  const int power = point - 1;
  if (power < -4 || power >= fixed_digits) {
    out.push_back(digits.front());
    if (digits.size() > 1) out.append(1, '.').append(digits.substr(1));
    fmt::format_to(std::back_inserter(out), "e{}{:02}", power < 0 ? '-' : '+', std::abs(power));
  } else if (point <= 0) {
    out.append("0.").append(static_cast<size_t>(-point), '0').append(digits);
  } else if (decimal.exponent >= 0) {
    out.append(digits).append(static_cast<size_t>(decimal.exponent), '0');
  } else {
    const auto whole = static_cast<size_t>(point);
    out.append(digits.substr(0, whole)).append(1, '.').append(digits.substr(whole));
  }
}

template <typename Float>
void append_float(std::string& out, Float value, int extra_float_digits) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
    return;
  }
  if (extra_float_digits <= 0) {
    const int digits = std::max(Layout<Float>::kBaseDigits + extra_float_digits, 1);
    std::array<char, 64> text;
    const int length = std::snprintf(text.data(), text.size(), "%.*g", digits, double{value});
    out.append(text.data(), static_cast<size_t>(length));
    return;
  }
  if (std::signbit(value)) out.push_back('-');
  if (value == 0) {
    out.push_back('0');
    return;
  }
  append_shortest(out, shortest_inside(std::abs(value)), Layout<Float>::kFixedDigits);
}

}  // namespace

void append_float8(std::string& out, double value, int extra_float_digits) {
  append_float(out, value, extra_float_digits);
}

void append_float4(std::string& out, float value, int extra_float_digits) {
  append_float(out, value, extra_float_digits);
}

}  // namespace anabranch::values
