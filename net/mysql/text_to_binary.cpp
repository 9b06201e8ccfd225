#include "net/mysql/text_to_binary.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

#include "net/mysql/temporal.h"

namespace anabranch::net::mysql {
namespace {

using Value = std::optional<std::string_view>;

constexpr std::uint32_t kMaxHours = 838;
constexpr std::uint32_t kHoursPerDay = 24;
constexpr std::size_t kFractionDigits = 6;

template <std::unsigned_integral Integer>
std::string_view put(Integer value, BinaryScratch& scratch) {
  for (std::size_t i = 0; i < sizeof(value); ++i) scratch[i] = static_cast<char>(value >> (8 * i));
  return {scratch.data(), sizeof(value)};
}

std::string_view put(std::string_view value, BinaryScratch& scratch) {
  return {scratch.data(), value.copy(scratch.data(), scratch.size())};
}

template <typename Number>
std::optional<Number> parse(std::string_view text) {
  Number value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end) return std::nullopt;
  return value;
}

template <std::unsigned_integral Integer>
Value integer(std::string_view text, bool is_unsigned, BinaryScratch& scratch) {
  if (is_unsigned) {
    const auto value = parse<Integer>(text);
    if (!value) return std::nullopt;
    return put(*value, scratch);
  }
  const auto value = parse<std::make_signed_t<Integer>>(text);
  if (!value) return std::nullopt;
  return put(static_cast<Integer>(*value), scratch);
}

template <std::floating_point Float>
Value floating(std::string_view text, BinaryScratch& scratch) {
  using Bits = std::conditional_t<sizeof(Float) == 4, std::uint32_t, std::uint64_t>;
  const auto value = parse<Float>(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return put(std::bit_cast<Bits>(*value), scratch);
}

/// Reads a date or a time from its beginning; after a failure all is zero.
class TemporalText {
 public:
  explicit TemporalText(std::string_view text) : rest_(text) {}

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) ok_ = false;
  }

  /// A number of `least` to `most` digits, no greater than `maximum`.
  std::uint32_t number(std::size_t least, std::size_t most, std::uint32_t maximum) {
    std::uint32_t value = 0;
    std::size_t digits = 0;
    for (; digits < most && digits < rest_.size() && is_digit(rest_[digits]); ++digits) {
      value = value * 10 + static_cast<std::uint32_t>(rest_[digits] - '0');
    }
    rest_.remove_prefix(digits);
    ok_ = ok_ && digits >= least && value <= maximum;
    return ok_ ? value : 0;
  }
  std::uint8_t two(std::uint32_t maximum) { return static_cast<std::uint8_t>(number(2, 2, maximum)); }

  /// Nothing, or a point and up to six digits.
  std::uint32_t microseconds() {
    if (!take('.')) return 0;
    const std::size_t before = rest_.size();
    std::uint32_t value = number(1, kFractionDigits, std::numeric_limits<std::uint32_t>::max());
    for (std::size_t digits = before - rest_.size(); digits < kFractionDigits; ++digits) value *= 10;
    return value;
  }

  bool is_whole() const { return ok_ && rest_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::string_view rest_;
  bool ok_ = true;
};

void read_date(TemporalText& in, DateTime& value) {
  value.year = static_cast<std::uint16_t>(in.number(4, 4, 9999));
  in.expect('-');
  value.month = in.two(12);
  in.expect('-');
  value.day = in.two(31);
}

Value date(std::string_view text, BinaryScratch& scratch) {
  TemporalText in(text);
  DateTime value;
  read_date(in, value);
  if (!in.is_whole()) return std::nullopt;
  return put(value.encode(), scratch);
}

Value date_time(std::string_view text, BinaryScratch& scratch) {
  TemporalText in(text);
  DateTime value;
  read_date(in, value);
  in.expect(' ');
  value.hour = in.two(23);
  in.expect(':');
  value.minute = in.two(59);
  in.expect(':');
  value.second = in.two(59);
  value.microsecond = in.microseconds();
  if (!in.is_whole()) return std::nullopt;
  return put(value.encode(), scratch);
}

Value time_span(std::string_view text, BinaryScratch& scratch) {
  TemporalText in(text);
  TimeSpan value;
  value.negative = in.take('-');
  const std::uint32_t hours = in.number(2, 3, kMaxHours);
  value.days = hours / kHoursPerDay;
  value.hours = static_cast<std::uint8_t>(hours % kHoursPerDay);
  in.expect(':');
  value.minutes = in.two(59);
  in.expect(':');
  value.seconds = in.two(59);
  value.microseconds = in.microseconds();
  if (!in.is_whole()) return std::nullopt;
  return put(value.encode(), scratch);
}

}  // namespace

std::optional<std::string_view> text_to_binary(FieldType type, bool is_unsigned, std::string_view text,
                                               BinaryScratch& scratch) {
  switch (type) {
    case FieldType::tiny_int:
      return integer<std::uint8_t>(text, is_unsigned, scratch);
    case FieldType::small_int:
      return integer<std::uint16_t>(text, is_unsigned, scratch);
    case FieldType::year:
      return integer<std::uint16_t>(text, true, scratch);
    case FieldType::medium_int:
    case FieldType::int_:
      return integer<std::uint32_t>(text, is_unsigned, scratch);
    case FieldType::big_int:
      return integer<std::uint64_t>(text, is_unsigned, scratch);
    case FieldType::float_:
      return floating<float>(text, scratch);
    case FieldType::double_:
      return floating<double>(text, scratch);
    case FieldType::date:
      return date(text, scratch);
    case FieldType::datetime:
    case FieldType::timestamp:
      return date_time(text, scratch);
    case FieldType::time:
      return time_span(text, scratch);
    default:
      break;
  }
  if (binary_form(type).kind != BinaryForm::Kind::counted) return std::nullopt;
  return text;
}

}  // namespace anabranch::net::mysql
