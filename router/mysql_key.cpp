#include "router/mysql_key.h"

#include <algorithm>
#include <bit>
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

/// Which bytes a character becomes depends on the client's character set and on the column's: ASCII does not.
KeyConversion text_key(const KeyColumn& column, const KeyConstant& constant) {
  if (!is_untyped_text(constant.type) || !is_ascii(*constant.bytes)) return KeyConversion::unknown();
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
    default:
      return false;
  }
}

KeyConversion mysql_key_for_comparison(const KeyColumn& column, const KeyConstant& constant) {
  if (!mysql_holds_keys(column.scheme_type, column.type)) return KeyConversion::unknown();
  if (!constant.bytes) return KeyConversion::of(KeyValue::null());
  if (column.scheme_type == KeyType::text) return text_key(column, constant);
  if (column.scheme_type == KeyType::bytes) return bytes_key(constant);
  const auto value = integer_of(constant);
  if (!value || !fits(column.type, *value)) return KeyConversion::unknown();
  return KeyConversion::of(KeyValue::of(*value));
}

KeyConversion mysql_key_for_storage(const KeyColumn& column, const KeyConstant& constant) {
  const MysqlModifier modifier = MysqlModifier::of(column.modifier);
  if (!constant.bytes && (modifier.not_null || modifier.counted)) return KeyConversion::unknown();
  KeyConversion result = mysql_key_for_comparison(column, constant);
  if (result.outcome != KeyConversion::Outcome::value || result.key.is_null()) return result;
  const bool counted = modifier.counted && result.key.integer == 0;
  // Without strict mode, what is too long is cut off. Keys are ASCII, or bytes.
  const bool longer = column.scheme_type != KeyType::bigint && modifier.length > 0 &&
                      constant.bytes->size() > static_cast<std::size_t>(modifier.length);
  return counted || longer ? KeyConversion::unknown() : result;
}

}  // namespace anabranch::router
