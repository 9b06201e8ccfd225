#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "values/codec.h"
#include "values/decimal.h"
#include "values/errors.h"

namespace anabranch::values {

namespace {

constexpr int kDigitsPerBase = 4;
constexpr int64_t kMaxExponent = 1'000'000;  // beyond it everything but zero overflows

constexpr uint16_t kSignMask = 0xC000;
constexpr uint16_t kNegative = 0x4000;
constexpr uint16_t kNan = 0xC000;
constexpr uint16_t kPlusInfinity = 0xD000;
constexpr uint16_t kMinusInfinity = 0xF000;
constexpr uint16_t kScaleMask = 0x3FFF;
constexpr uint16_t kInfinityScale = 32;  // what numeric_send() happens to put there

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

[[noreturn]] void bad_syntax(std::string_view text) {
  throw make_error(ErrorId::invalid_text, "numeric", text.substr(0, 200));
}

/// A number's text taken apart: digits with or without a point, and the exponent.
struct Spelling {
  std::string_view mantissa;
  int64_t digits_before_point = 0;
  int64_t digits_after_point = 0;
  int64_t exponent = 0;
};

int64_t parse_exponent(std::string_view text, std::string_view whole) {
  const bool minus = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text.empty()) bad_syntax(whole);
  int64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) bad_syntax(whole);
    value = std::min(value * 10 + (c - '0'), kMaxExponent);
  }
  return minus ? -value : value;
}

Spelling take_apart(std::string_view unsigned_text, std::string_view whole) {
  Spelling spelling;
  size_t at = 0;
  bool point = false;
  for (; at < unsigned_text.size(); ++at) {
    const char c = unsigned_text[at];
    if (is_digit(c)) {
      ++(point ? spelling.digits_after_point : spelling.digits_before_point);
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (spelling.digits_before_point + spelling.digits_after_point == 0) bad_syntax(whole);
  spelling.mantissa = unsigned_text.substr(0, at);
  if (at < unsigned_text.size()) {
    if ((unsigned_text[at] | 0x20) != 'e') bad_syntax(whole);
    spelling.exponent = parse_exponent(unsigned_text.substr(at + 1), whole);
  }
  return spelling;
}

int64_t floor_div4(int64_t value) {
  return value >= 0 ? value / 4 : -((-value + 3) / 4);
}

}  // namespace

Decimal Decimal::parse(std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  while (!rest.empty() && is_space(rest.back())) rest.remove_suffix(1);
  if (equals_ignoring_case(rest, "nan")) return nan();
  const bool minus = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (equals_ignoring_case(rest, "infinity") || equals_ignoring_case(rest, "inf"))
    return infinity(minus);
  const Spelling spelling = take_apart(rest, text);

  const int64_t first_power = spelling.digits_before_point - 1 + spelling.exponent;
  const int64_t weight = floor_div4(first_power);
  auto padding = (weight + 1) * kDigitsPerBase - (first_power + 1);
  std::vector<int16_t> digits;
  digits.reserve(spelling.mantissa.size() / kDigitsPerBase + 2);
  int part = 0;
  int64_t filled = padding;
  for (const char c : spelling.mantissa) {
    if (c == '.') continue;
    part = part * 10 + (c - '0');
    if (++filled % kDigitsPerBase != 0) continue;
    digits.push_back(static_cast<int16_t>(part));
    part = 0;
  }
  if (filled % kDigitsPerBase != 0) {
    for (; filled % kDigitsPerBase != 0; ++filled) part *= 10;
    digits.push_back(static_cast<int16_t>(part));
  }
  const int64_t scale = std::max<int64_t>(spelling.digits_after_point - spelling.exponent, 0);
  // Texts are below 2^31 bytes, so that these fit.
  Decimal value = make(minus, static_cast<int>(weight), static_cast<int>(scale), std::move(digits));
  value.check_limits();
  return value;
}

Decimal Decimal::from_binary(std::string_view bytes) {
  BinaryReader in(bytes, "numeric");
  const auto count = in.read<uint16_t>();
  const auto weight = in.read<int16_t>();
  const auto sign = in.read<uint16_t>();
  const auto scale = in.read<uint16_t>();
  if (in.remaining() != size_t{count} * 2) in.fail();
  if (sign == kNan) return nan();
  if (sign == kPlusInfinity || sign == kMinusInfinity) return infinity(sign == kMinusInfinity);
  if ((sign != 0 && sign != kNegative) || (scale & kSignMask) != 0) in.fail();
  std::vector<int16_t> digits(count);
  for (int16_t& digit : digits) {
    digit = in.read<int16_t>();
    if (digit < 0 || digit > 9999) in.fail();
  }
  Decimal value = make(sign == kNegative, weight, scale & kScaleMask, std::move(digits));
  value.trunc_to(value.scale_);
  return value;
}

void Decimal::append_binary(std::string& out) const {
  if (!is_finite()) {
    const uint16_t sign = is_nan() ? kNan : negative_ ? kMinusInfinity : kPlusInfinity;
    append_be(out, uint32_t{0});
    append_be(out, sign);
    append_be(out, is_nan() ? uint16_t{0} : kInfinityScale);
    return;
  }
  append_be(out, static_cast<uint16_t>(digits_.size()));
  append_be(out, static_cast<int16_t>(weight_));
  append_be(out, negative_ ? kNegative : uint16_t{0});
  append_be(out, static_cast<uint16_t>(scale_));
  for (const int16_t digit : digits_) append_be(out, digit);
}

void Decimal::append_text(std::string& out) const {
  if (!is_finite()) {
    out += is_nan() ? "NaN" : negative_ ? "-Infinity" : "Infinity";
    return;
  }
  if (negative_) out.push_back('-');
  const auto digit_at = [&](int place) -> int {  // place: power of 10000
    const int at = weight_ - place;
    return at < 0 || at >= static_cast<int>(digits_.size()) ? 0 : digits_[static_cast<size_t>(at)];
  };
  const auto append_four = [&](int digit) {
    const std::array<char, 4> four = {
        static_cast<char>('0' + digit / 1000), static_cast<char>('0' + digit / 100 % 10),
        static_cast<char>('0' + digit / 10 % 10), static_cast<char>('0' + digit % 10)};
    out.append(four.data(), four.size());
  };
  if (weight_ < 0 || digits_.empty()) {
    out.push_back('0');
  } else {
    char leading[8];
    out.append(leading, static_cast<size_t>(
                            std::snprintf(leading, sizeof(leading), "%d", int{digits_.front()})));
    for (int place = weight_ - 1; place >= 0; --place) append_four(digit_at(place));
  }
  if (scale_ <= 0) return;
  out.push_back('.');
  const size_t end = out.size() + static_cast<size_t>(scale_);
  for (int place = -1; out.size() < end; --place) append_four(digit_at(place));
  out.resize(end);
}

std::string Decimal::to_string() const {
  std::string text;
  append_text(text);
  return text;
}

namespace {

Decimal from_printed(double value, int significant) {
  if (std::isnan(value)) return Decimal::nan();
  if (std::isinf(value)) return Decimal::infinity(value < 0);
  char text[64];
  const int length = std::snprintf(text, sizeof(text), "%.*g", significant, value);
  return Decimal::parse({text, static_cast<size_t>(length)});
}

}  // namespace

Decimal Decimal::from_float8(double value) {
  return from_printed(value, 15);
}
Decimal Decimal::from_float4(float value) {
  return from_printed(value, 6);
}

double Decimal::to_float8() const {
  if (is_nan()) return std::nan("");
  if (is_infinite()) return negative_ ? -HUGE_VAL : HUGE_VAL;
  const std::string text = to_string();
  const double value = std::strtod(text.c_str(), nullptr);
  if (std::isinf(value) || (value == 0 && !is_zero()))
    throw make_error(ErrorId::text_out_of_range, text, "double precision");
  return value;
}

}  // namespace anabranch::values
