#include "router/key_value.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "router/mysql_key.h"
#include "values/codec.h"
#include "values/decimal.h"
#include "values/mysql_type.h"
#include "values/sql_error.h"

namespace anabranch::router {
namespace {

namespace oid = values::oid;
using values::Format;
using values::Oid;

constexpr std::int64_t days_1970_to_2000 = 10'957;
constexpr std::int64_t micros_1970_to_2000 = days_1970_to_2000 * 86'400 * 1'000'000;

bool is_integer(Oid type) {
  return type == oid::int2 || type == oid::int4 || type == oid::int8;
}
bool is_text(Oid type) {
  return type == oid::text || type == oid::varchar || type == oid::bpchar;
}

bool fits(Oid column, std::int64_t value) {
  if (column == oid::int2) {
    return value >= std::numeric_limits<std::int16_t>::min() &&
           value <= std::numeric_limits<std::int16_t>::max();
  }
  if (column == oid::int4) {
    return value >= std::numeric_limits<std::int32_t>::min() &&
           value <= std::numeric_limits<std::int32_t>::max();
  }
  return true;
}

std::string_view without_trailing_spaces(std::string_view text) {
  const std::size_t last = text.find_last_not_of(' ');
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

KeyConversion from(std::expected<KeyValue, conf::KeyError> parsed) {
  if (parsed) return KeyConversion::of(std::move(*parsed));
  return parsed.error() == conf::KeyError::out_of_range ? KeyConversion::nothing()
                                                        : KeyConversion::unknown();
}

// --- numbers ----------------------------------------------------------------------------------

std::optional<std::int64_t> binary_integer(Oid type, std::string_view bytes) {
  if (type == oid::int2 && bytes.size() == 2) return values::load_be<std::int16_t>(bytes.data());
  if (type == oid::int4 && bytes.size() == 4) return values::load_be<std::int32_t>(bytes.data());
  if (type == oid::int8 && bytes.size() == 8) return values::load_be<std::int64_t>(bytes.data());
  return std::nullopt;
}

/// The shortest decimal text of a numeric constant.
std::optional<std::string> numeric_text(const KeyConstant& constant) {
  std::string text(*constant.bytes);
  if (constant.format == Format::binary) {
    try {
      text = values::Decimal::from_binary(*constant.bytes).to_string();
    } catch (const values::SqlError&) {
      return std::nullopt;  // malformed: the server says so
    }
  }
  auto shortest = conf::shortest_decimal(text);
  if (!shortest) return std::nullopt;
  return std::move(*shortest);
}

/// An integer constant as a key of a column that holds what `fits` it.
KeyConversion integer_key(Oid column, const KeyConstant& constant) {
  std::int64_t value = 0;
  if (constant.format == Format::text) {
    const auto parsed = conf::parse_bigint(*constant.bytes);
    if (!parsed) {
      return parsed.error() == conf::KeyError::out_of_range ? KeyConversion::nothing() : KeyConversion::unknown();
    }
    value = *parsed;
  } else {
    const auto read = binary_integer(constant.type, *constant.bytes);
    if (!read) return KeyConversion::unknown();
    value = *read;
  }
  return fits(column, value) ? KeyConversion::of(KeyValue::of(value)) : KeyConversion::nothing();
}

/// A numeric constant against an integer column: compared as numerics, so that a fraction equals
/// nothing.
KeyConversion integer_from_numeric(const KeyConstant& constant) {
  const auto text = numeric_text(constant);
  if (!text) return KeyConversion::unknown();
  const bool whole = text->find_first_not_of("-0123456789") == std::string::npos;
  if (!whole) return KeyConversion::nothing();
  return from(conf::parse_key(KeyType::bigint, *text));
}

KeyConversion bigint_key(const KeyColumn& column, const KeyConstant& constant) {
  if (is_integer(constant.type) ||
      (constant.type == oid::unknown && constant.format == Format::text)) {
    return integer_key(column.type, constant);
  }
  if (constant.type != oid::numeric) return KeyConversion::unknown();
  KeyConversion result = integer_from_numeric(constant);
  const bool outside =
      result.outcome == KeyConversion::Outcome::value && !fits(column.type, result.key.integer);
  return outside ? KeyConversion::nothing() : result;
}

KeyConversion numeric_key(const KeyConstant& constant) {
  if (constant.type == oid::numeric ||
      (constant.type == oid::unknown && constant.format == Format::text)) {
    auto text = numeric_text(constant);
    return text ? KeyConversion::of(KeyValue::of(std::move(*text))) : KeyConversion::unknown();
  }
  if (!is_integer(constant.type)) return KeyConversion::unknown();
  const KeyConversion integer = integer_key(oid::int8, constant);
  if (integer.outcome != KeyConversion::Outcome::value) return KeyConversion::unknown();
  return KeyConversion::of(KeyValue::of(std::to_string(integer.key.integer)));
}

// --- the others -------------------------------------------------------------------------------

KeyConversion text_key(const KeyColumn& column, const KeyConstant& constant) {
  const bool untyped = constant.type == oid::unknown;
  if (!is_text(constant.type) && !untyped) return KeyConversion::unknown();
  std::string_view text = *constant.bytes;
  if (text.find('\0') != std::string_view::npos) return KeyConversion::unknown();
  const std::string_view trimmed = without_trailing_spaces(text);
  const bool padded = constant.type == oid::bpchar || (untyped && column.type == oid::bpchar);
  if (padded) {
    text = trimmed;
  } else if (column.type == oid::bpchar && trimmed.size() != text.size()) {
    // bpchar against text is compared as text, and the column's own spaces are cut off by the cast.
    return KeyConversion::nothing();
  }
  return KeyConversion::of(KeyValue::of(std::string(text)));
}

KeyConversion date_key(const KeyConstant& constant) {
  if (constant.type != oid::date && constant.type != oid::unknown) return KeyConversion::unknown();
  if (constant.format == Format::text) return from(conf::parse_key(KeyType::date, *constant.bytes));
  if (constant.bytes->size() != 4) return KeyConversion::unknown();
  const auto days = values::load_be<std::int32_t>(constant.bytes->data());
  if (days == std::numeric_limits<std::int32_t>::min() ||
      days == std::numeric_limits<std::int32_t>::max()) {
    return KeyConversion::of(KeyValue::of(days));
  }
  const std::int64_t since_1970 = days + days_1970_to_2000;
  if (since_1970 >= std::numeric_limits<std::int32_t>::max()) return KeyConversion::unknown();
  return KeyConversion::of(KeyValue::of(since_1970));
}

KeyConversion timestamp_key(const KeyColumn& column, const KeyConstant& constant) {
  if (constant.type != column.type && constant.type != oid::unknown) {
    return KeyConversion::unknown();  // a cast between them looks at the session's time zone
  }
  if (constant.format == Format::text) {
    return from(column.type == oid::timestamptz
                    ? conf::parse_instant(*constant.bytes)
                    : conf::parse_key(KeyType::timestamp, *constant.bytes));
  }
  if (constant.bytes->size() != 8) return KeyConversion::unknown();
  const auto micros = values::load_be<std::int64_t>(constant.bytes->data());
  if (micros == std::numeric_limits<std::int64_t>::min() ||
      micros == std::numeric_limits<std::int64_t>::max()) {
    return KeyConversion::of(KeyValue::of(micros));
  }
  std::int64_t since_1970 = 0;
  if (__builtin_add_overflow(micros, micros_1970_to_2000, &since_1970)) {
    return KeyConversion::unknown();
  }
  return KeyConversion::of(KeyValue::of(since_1970));
}

/// The 32 digits of a uuid as the server reads one: in braces or not, a hyphen after any four
/// digits. Nothing where it is none.
std::optional<std::string> uuid_digits(std::string_view text) {
  if (text.size() > 1 && text.front() == '{' && text.back() == '}') {
    text = text.substr(1, text.size() - 2);
  }
  std::string digits;
  for (const char c : text) {
    const bool hyphen = c == '-' && !digits.empty() && digits.size() % 4 == 0 && digits.size() < 32;
    if (!hyphen) digits.push_back(c);
  }
  const bool doubled = text.find("--") != std::string_view::npos;
  if (digits.size() != 32 || doubled || text.back() == '-') return std::nullopt;
  return digits;
}

KeyConversion uuid_key(const KeyConstant& constant) {
  if (constant.type != oid::uuid && constant.type != oid::unknown) return KeyConversion::unknown();
  if (constant.format == Format::text) {
    const auto digits = uuid_digits(*constant.bytes);
    return digits ? from(conf::parse_key(KeyType::uuid, *digits)) : KeyConversion::unknown();
  }
  if (constant.bytes->size() != 16) return KeyConversion::unknown();
  return KeyConversion::of(KeyValue::of(std::string(*constant.bytes)));
}

KeyConversion bytes_key(const KeyConstant& constant) {
  if (constant.type != oid::bytea && constant.type != oid::unknown) return KeyConversion::unknown();
  if (constant.format == Format::binary) {
    return KeyConversion::of(KeyValue::of(std::string(*constant.bytes)));
  }
  if (constant.bytes->find('\\') == std::string_view::npos) {
    return KeyConversion::of(KeyValue::of(std::string(*constant.bytes)));
  }
  return from(conf::parse_key(KeyType::bytes, *constant.bytes));
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

/// Whether storing the key in the column changes it: by length, scale or precision.
bool modifier_may_change(const KeyColumn& column, const KeyConstant& constant,
                         const KeyValue& key) {
  if (column.modifier < 0) return false;
  switch (column.scheme_type) {
    case KeyType::text: {
      constexpr std::int32_t header = 4;
      const auto longest = static_cast<std::size_t>(std::max(column.modifier - header, 0));
      return characters(*constant.bytes) > longest;
    }
    case KeyType::numeric: {
      const auto scale = static_cast<std::size_t>((column.modifier - 4) & 0x7FF);
      const std::size_t point = key.bytes.find('.');
      const bool negative_scale = scale >= 1024;
      return negative_scale || (point != std::string::npos && key.bytes.size() - point - 1 > scale);
    }
    case KeyType::timestamp: {
      std::int64_t unit = 1'000'000;
      for (std::int32_t i = 0; i < column.modifier && unit > 1; ++i) unit /= 10;
      return key.integer % unit != 0;
    }
    default:
      return false;
  }
}

}  // namespace

bool holds_keys(KeyType scheme_type, Oid column_type) {
  if (values::is_mysql_type(column_type)) return mysql_holds_keys(scheme_type, column_type);
  switch (scheme_type) {
    case KeyType::bigint:
      return is_integer(column_type);
    case KeyType::text:
      return is_text(column_type);
    case KeyType::uuid:
      return column_type == oid::uuid;
    case KeyType::date:
      return column_type == oid::date;
    case KeyType::timestamp:
      return column_type == oid::timestamp || column_type == oid::timestamptz;
    case KeyType::numeric:
      return column_type == oid::numeric;
    case KeyType::bytes:
      return column_type == oid::bytea;
  }
  return false;
}

std::optional<KeyType> key_type_of(Oid column_type) {
  using enum KeyType;
  for (const KeyType type : {bigint, text, uuid, date, timestamp, numeric, bytes}) {
    if (holds_keys(type, column_type)) return type;
  }
  return std::nullopt;
}

KeyConversion key_for_comparison(const KeyColumn& column, const KeyConstant& constant) {
  if (values::is_mysql_type(column.type)) return mysql_key_for_comparison(column, constant);
  if (!holds_keys(column.scheme_type, column.type)) return KeyConversion::unknown();
  if (!constant.bytes) return KeyConversion::of(KeyValue::null());
  switch (column.scheme_type) {
    case KeyType::bigint:
      return bigint_key(column, constant);
    case KeyType::text:
      return text_key(column, constant);
    case KeyType::uuid:
      return uuid_key(constant);
    case KeyType::date:
      return date_key(constant);
    case KeyType::timestamp:
      return timestamp_key(column, constant);
    case KeyType::numeric:
      return numeric_key(constant);
    case KeyType::bytes:
      return bytes_key(constant);
  }
  return KeyConversion::unknown();
}

KeyConversion key_for_storage(const KeyColumn& column, const KeyConstant& constant) {
  if (values::is_mysql_type(column.type)) return mysql_key_for_storage(column, constant);
  KeyConstant stored = constant;
  // Stored in char(n), a text loses the spaces by which it would differ in a comparison.
  if (column.type == oid::bpchar && is_text(constant.type)) stored.type = oid::bpchar;
  KeyConversion result = key_for_comparison(column, stored);
  if (result.outcome == KeyConversion::Outcome::value && !result.key.is_null() &&
      modifier_may_change(column, constant, result.key)) {
    return KeyConversion::unknown();
  }
  // A fraction is rounded on its way into an integer column, where a comparison finds no equal.
  const bool numeric = result.outcome == KeyConversion::Outcome::nothing &&
                       column.scheme_type == KeyType::bigint && constant.type == oid::numeric;
  const auto text = numeric ? numeric_text(constant) : std::nullopt;
  const bool rounded =
      numeric && (!text || text->find_first_not_of("-0123456789") != std::string::npos);
  return rounded ? KeyConversion::unknown() : result;
}

}  // namespace anabranch::router
