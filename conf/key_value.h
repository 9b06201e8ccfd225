#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace anabranch::conf {

/// The type a scheme converts its keys to before it places them (docs/configuration.md, "Placement,
/// exactly").
enum class KeyType : std::uint8_t { bigint, text, uuid, date, timestamp, numeric, bytes };

std::string_view to_string(KeyType type);
std::optional<KeyType> parse_key_type(std::string_view name);

/// A key converted to its scheme's type.
///   bigint: the integer; date: days and timestamp: microseconds since 1970-01-01 UTC, all as
///   `integer` (infinities are the type's own extremes: int32 for dates, int64 for timestamps);
///   text and bytes: the raw bytes; uuid: 16 bytes in network order;
///   numeric: its shortest decimal text ("1.5", never "1.50" or "-0"), all as `bytes`.
struct KeyValue {
  enum class Kind : std::uint8_t { null, integer, bytes };

  Kind kind = Kind::null;
  std::int64_t integer = 0;
  std::string bytes;

  static KeyValue null() { return {}; }
  static KeyValue of(std::int64_t value) { return {Kind::integer, value, {}}; }
  static KeyValue of(std::string bytes) { return {Kind::bytes, 0, std::move(bytes)}; }

  bool is_null() const { return kind == Kind::null; }
  bool operator==(const KeyValue&) const = default;
};

/// Order of two values of one type, neither NULL: negative, zero or positive. Texts and bytes are
/// ordered byte by byte, numerics by value (NaN last, as PostgreSQL has it).
int compare(KeyType type, const KeyValue& left, const KeyValue& right);

/// True if compare() orders the type's values as the database's `<` always does; false for text,
/// whose order is that of its collation.
bool ordered_as_in_database(KeyType type);

enum class KeyError : std::uint8_t {
  malformed,     // not plainly a value of the type; a database may still read it in some setting
  out_of_range,  // written as a value of the type, but no such value exists
};

/// Reads the plain spelling of a value, one that means the same under every setting of a session:
/// decimal integers, ISO dates and times (`2024-02-29`, `2024-02-29 12:00:00.5`; a zone is allowed
/// and converted to UTC only by parse_instant), decimals, `\x` hex for bytes, hex uuids.
std::expected<KeyValue, KeyError> parse_key(KeyType type, std::string_view text);

/// The same for KeyType::bigint.
std::expected<std::int64_t, KeyError> parse_bigint(std::string_view text);

/// A timestamp with an explicit zone (`Z`, `+02`, `+02:30`), in microseconds since 1970 UTC.
std::expected<KeyValue, KeyError> parse_instant(std::string_view text);

/// The plain spelling that parse_key reads back; `\N` for NULL.
std::string to_text(KeyType type, const KeyValue& value);

/// The shortest decimal text of a number (`+1.50` is `1.5`, `-0` is `0`, `1e2` is `100`).
std::expected<std::string, KeyError> shortest_decimal(std::string_view text);

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);

struct CivilDate {
  std::int64_t year;
  unsigned month;
  unsigned day;
};
CivilDate civil_from_days(std::int64_t days);

}  // namespace anabranch::conf
