#include "router/mysql_key.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <limits>

#include "values/mysql_type.h"

namespace anabranch::router {
namespace {

namespace oid = values::oid;
using values::Format;
using values::MysqlModifier;
using values::Oid;

/// Doubles tell all integers apart up to here.
constexpr std::int64_t largest_exact_double = std::int64_t{1} << 53;

/// Digits with or without a minus sign; nothing for all else, and for what an int8 cannot be.
std::optional<std::int64_t> plain_integer(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool plain = !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!plain) return std::nullopt;
  const auto parsed = conf::parse_bigint(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

/// As the binary protocol sends it: little-endian, as wide as its type ("Binary Protocol Value").
std::optional<std::int64_t> binary_integer(Oid type, std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  const int bits = values::mysql_integer_bits(type) == 24 ? 32 : values::mysql_integer_bits(type);
  if (bits == 0 || bytes.size() * 8 != static_cast<std::size_t>(bits)) return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  if (values::has_mysql_flag(type)) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  const int unused = 64 - bits;
  return static_cast<std::int64_t>(value << unused) >> unused;
}

bool is_integer(Oid type) {
  return type == oid::int2 || type == oid::int4 || type == oid::int8 || values::is_mysql_integer(type);
}

/// Some drivers send every number as a double; a decimal is no less exact.
bool is_sent_number(Oid type) {
  using enum values::MysqlCode;
  if (!values::is_mysql_type(type)) return false;
  const values::MysqlCode code = values::mysql_code(type);
  return code == double_ || code == decimal || code == newdecimal;
}

/// A quoted literal, or a parameter sent as a string.
bool is_untyped_text(Oid type) {
  return type == oid::unknown || (values::is_mysql_string(type) && !values::has_mysql_flag(type));
}

std::optional<std::int64_t> integer_of(const KeyConstant& constant) {
  if (is_integer(constant.type)) {
    return constant.format == Format::text ? plain_integer(*constant.bytes)
                                           : binary_integer(constant.type, *constant.bytes);
  }
  if (constant.format != Format::text) return std::nullopt;
  if (!is_untyped_text(constant.type) && !is_sent_number(constant.type)) return std::nullopt;
  const auto value = plain_integer(*constant.bytes);
  const bool exact = value && *value <= largest_exact_double && *value >= -largest_exact_double;
  return exact ? value : std::nullopt;
}

bool fits(Oid column, std::int64_t value) {
  const int bits = values::mysql_integer_bits(column);
  if (values::has_mysql_flag(column)) return value >= 0 && (bits == 64 || value < std::int64_t{1} << bits);
  return bits == 64 || (value < std::int64_t{1} << (bits - 1) && value >= -(std::int64_t{1} << (bits - 1)));
}

std::string_view without_trailing_spaces(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Bytes of the character at the front in UTF-8; 0: there is none.
std::size_t character_size(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  if (at(0) < 0x80) return 1;
  if (at(0) >= 0xc2 && at(0) < 0xe0) return follows(1) ? 2 : 0;
  if (at(0) >= 0xe0 && at(0) < 0xf0) {
    const bool overlong = at(0) == 0xe0 && at(1) < 0xa0;
    const bool surrogate = at(0) == 0xed && at(1) >= 0xa0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  const bool beyond = at(0) > 0xf4 || (at(0) == 0xf4 && at(1) >= 0x90) || (at(0) == 0xf0 && at(1) < 0x90);
  return at(0) >= 0xf0 && !beyond && follows(1) && follows(2) && follows(3) ? 4 : 0;
}

/// Characters of a text in UTF-8; nothing: it is none.
std::optional<std::size_t> count_characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    const std::size_t size = character_size(text);
    if (size == 0) return std::nullopt;
    text.remove_prefix(size);
  }
  return count;
}

/// Which bytes a character becomes depends on the client's character set and on the column's: ASCII does not.
KeyConversion text_key(const KeyColumn& column, const KeyConstant& constant) {
  const bool kept = constant.utf8 && MysqlModifier::of(column.modifier).utf8;
  const bool known = is_ascii(*constant.bytes) || (kept && count_characters(*constant.bytes));
  if (!is_untyped_text(constant.type) || !known) return KeyConversion::unknown();
  const bool padded = MysqlModifier::of(column.modifier).padded;
  const std::string_view text = padded ? without_trailing_spaces(*constant.bytes) : *constant.bytes;
  return KeyConversion::of(KeyValue::of(std::string(text)));
}

/// BINARY(n) fills values up with zero bytes, which then count: only VARBINARY is a key.
KeyConversion bytes_key(const KeyConstant& constant) {
  const bool text = is_untyped_text(constant.type) && is_ascii(*constant.bytes);
  const bool bytes = values::is_mysql_type(constant.type) && values::has_mysql_flag(constant.type) &&
                     values::is_mysql_string(constant.type);
  return text || bytes ? KeyConversion::of(KeyValue::of(std::string(*constant.bytes))) : KeyConversion::unknown();
}

// ------------------------------------------------------------------------------------------ moments

/// `digits` digits at the front, taken off.
std::optional<unsigned> take_digits(std::string_view& text, std::size_t digits) {
  unsigned value = 0;
  if (text.size() < digits) return std::nullopt;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// Days since 1970-01-01 of "2024-01-31" at the front, taken off. Servers read much else as a date, and sql_mode decides
/// what they make of a 31st of February.
std::optional<std::int64_t> take_days(std::string_view& text) {
  const auto year = take_digits(text, 4);
  const bool month_follows = year && take(text, '-');
  const auto month = month_follows ? take_digits(text, 2) : std::nullopt;
  const bool day_follows = month && take(text, '-');
  const auto day = day_follows ? take_digits(text, 2) : std::nullopt;
  if (!day || *year == 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

/// Seconds of " 10:20:30" at the front, taken off; no more than nothing where there is no time. Without a fraction:
/// whether that is rounded depends on the column.
std::optional<std::int64_t> take_seconds(std::string_view& text) {
  if (text.empty()) return 0;
  const auto hour = take(text, ' ') ? take_digits(text, 2) : std::nullopt;
  const auto minute = hour && take(text, ':') ? take_digits(text, 2) : std::nullopt;
  const auto second = minute && take(text, ':') ? take_digits(text, 2) : std::nullopt;
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return (*hour * 60 + *minute) * 60 + *second;
}

bool is_sent_moment(Oid type) {
  if (!values::is_mysql_type(type)) return false;
  const values::MysqlCode code = values::mysql_code(type);
  return code == values::MysqlCode::date || code == values::MysqlCode::datetime;
}

/// A DATE in days, or (`with_time`) a DATETIME in microseconds, which knows no time zone.
KeyConversion moment_key(const KeyConstant& constant, bool with_time) {
  const bool readable = is_untyped_text(constant.type) || is_sent_moment(constant.type);
  if (!readable || constant.format != Format::text) return KeyConversion::unknown();
  std::string_view text = *constant.bytes;
  const auto days = take_days(text);
  if (days && !with_time && text.empty()) return KeyConversion::of(KeyValue::of(*days));
  const auto seconds = days && with_time ? take_seconds(text) : std::nullopt;
  if (!seconds || !text.empty()) return KeyConversion::unknown();
  constexpr std::int64_t a_day = 24 * 60 * 60;
  return KeyConversion::of(KeyValue::of((*days * a_day + *seconds) * 1'000'000));
}

/// "1000.00" is stored as 1000.
KeyConstant without_zero_fraction(KeyConstant constant) {
  const bool is_number = is_sent_number(constant.type) || constant.type == oid::numeric;
  if (!is_number || constant.format != Format::text) return constant;
  const std::string_view digits = *constant.bytes;
  const std::size_t point = digits.find('.');
  const bool zeros = point != std::string_view::npos && digits.find_first_not_of('0', point + 1) == std::string_view::npos;
  if (!zeros) return constant;
  constant.bytes = digits.substr(0, point);
  constant.type = oid::int8;
  return constant;
}

}  // namespace

bool mysql_holds_keys(KeyType scheme_type, Oid column_type) {
  switch (scheme_type) {
    case KeyType::bigint:
      return values::is_mysql_integer(column_type);
    case KeyType::text:
      return values::is_mysql_string(column_type) && !values::has_mysql_flag(column_type);
    case KeyType::bytes:
      return values::is_mysql_string(column_type) && values::has_mysql_flag(column_type) &&
             values::mysql_code(column_type) != values::MysqlCode::string;
    case KeyType::date:
      return values::is_mysql_type(column_type) && values::mysql_code(column_type) == values::MysqlCode::date;
    case KeyType::timestamp:
      return values::is_mysql_type(column_type) && values::mysql_code(column_type) == values::MysqlCode::datetime;
    default:
      return false;
  }
}

KeyConversion mysql_key_for_comparison(const KeyColumn& column, const KeyConstant& constant) {
  if (!mysql_holds_keys(column.scheme_type, column.type)) return KeyConversion::unknown();
  if (!constant.bytes) return KeyConversion::of(KeyValue::null());
  if (column.scheme_type == KeyType::text) return text_key(column, constant);
  if (column.scheme_type == KeyType::bytes) return bytes_key(constant);
  if (column.scheme_type == KeyType::date) return moment_key(constant, false);
  if (column.scheme_type == KeyType::timestamp) return moment_key(constant, true);
  const auto value = integer_of(constant);
  if (!value || !fits(column.type, *value)) return KeyConversion::unknown();
  return KeyConversion::of(KeyValue::of(*value));
}

KeyConversion mysql_key_for_storage(const KeyColumn& column, const KeyConstant& constant) {
  const MysqlModifier modifier = MysqlModifier::of(column.modifier);
  if (!constant.bytes && (modifier.not_null || modifier.counted)) return KeyConversion::unknown();
  const bool may_have_fraction = constant.bytes && column.scheme_type == KeyType::bigint;
  KeyConversion result = mysql_key_for_comparison(column, may_have_fraction ? without_zero_fraction(constant) : constant);
  if (result.outcome != KeyConversion::Outcome::value || result.key.is_null()) return result;
  const bool counted = modifier.counted && result.key.integer == 0;
  // Without strict mode, what is too long is cut off.
  const bool is_text = column.scheme_type == KeyType::text;
  const bool has_length = is_text || column.scheme_type == KeyType::bytes;
  std::size_t length = constant.bytes->size();
  if (is_text && constant.utf8) length = count_characters(*constant.bytes).value_or(length);
  const bool longer = has_length && modifier.length > 0 && length > static_cast<std::size_t>(modifier.length);
  return counted || longer ? KeyConversion::unknown() : result;
}

}  // namespace anabranch::router
