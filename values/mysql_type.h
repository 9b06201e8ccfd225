#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "values/collation.h"
#include "values/type.h"

/// MySQL's types, under numbers of our own beside PostgreSQL's OIDs: a column, a parameter or a key is of one
/// or the other, and whatever looks at a type alone tells them apart. PostgreSQL keeps 8000 to 9999 free in
/// its releases, and users' types begin at 16384, so that no server of either kind has these for anything else.
namespace anabranch::values {

/// The protocol's own codes ("Column Definition", enum_field_types).
enum class MysqlCode : std::uint8_t {
  decimal = 0,
  tiny = 1,
  short_ = 2,
  long_ = 3,
  float_ = 4,
  double_ = 5,
  null = 6,
  timestamp = 7,
  longlong = 8,
  int24 = 9,
  date = 10,
  time = 11,
  datetime = 12,
  year = 13,
  varchar = 15,
  bit = 16,
  json = 245,
  newdecimal = 246,
  enum_ = 247,
  set = 248,
  tiny_blob = 249,
  medium_blob = 250,
  long_blob = 251,
  blob = 252,
  var_string = 253,
  string = 254,
  geometry = 255,
};

inline constexpr Oid kFirstMysqlType = 9000;
inline constexpr Oid kLastMysqlType = kFirstMysqlType + 511;

/// No column's type: what a shard is asked for beside a string, so that the string can be sorted and grouped here,
///
///   CONCAT(CHAR(LENGTH(pad)), pad, WEIGHT_STRING(x))
///
/// with pad the weights of one space under x's collation, and none if that collation has NO PAD. The same bytes in
/// both formats; how they compare is KeyEncoder's (values/weights_key.h). find_type() knows it, all_types() and
/// find_type_by_name() do not.
inline constexpr Oid kMysqlWeights = kLastMysqlType + 1;
/// A DOUBLE's text with all its digits, as a key: values whose texts are of one number are equal.
inline constexpr Oid kMysqlReal = kLastMysqlType + 2;

/// `flag`: of a number, that it is unsigned; of a string, that it is bytes without a character set.
constexpr Oid mysql_type(MysqlCode code, bool flag = false) {
  return kFirstMysqlType + 2 * static_cast<Oid>(code) + (flag ? 1 : 0);
}
constexpr bool is_mysql_type(Oid type) {
  return type >= kFirstMysqlType && type <= kLastMysqlType;
}
constexpr MysqlCode mysql_code(Oid type) {
  return static_cast<MysqlCode>((type - kFirstMysqlType) / 2);
}
constexpr bool has_mysql_flag(Oid type) {
  return (type - kFirstMysqlType) % 2 != 0;
}

/// How many bytes an integer type has on the wire and what its column holds; 0: it is none. YEAR is none: '70'
/// is a year of another number.
constexpr int mysql_integer_bits(Oid type) {
  if (!is_mysql_type(type)) return 0;
  switch (mysql_code(type)) {
    case MysqlCode::tiny:
      return 8;
    case MysqlCode::short_:
      return 16;
    case MysqlCode::int24:
      return 24;
    case MysqlCode::long_:
      return 32;
    case MysqlCode::longlong:
      return 64;
    default:
      return 0;
  }
}
constexpr bool is_mysql_integer(Oid type) {
  return mysql_integer_bits(type) != 0;
}
/// CHAR, VARCHAR, BINARY, VARBINARY: no BLOB or TEXT.
constexpr bool is_mysql_string(Oid type) {
  if (!is_mysql_type(type)) return false;
  const MysqlCode code = mysql_code(type);
  return code == MysqlCode::varchar || code == MysqlCode::var_string || code == MysqlCode::string;
}

/// Told for the decimals of a FLOAT or DOUBLE that has no fixed number of them (NOT_FIXED_DEC).
inline constexpr int kAnyDecimals = 31;

/// The modifier of a MySQL column's type: what decides how a value is stored in it.
struct MysqlModifier {
  bool not_null = false;    ///< NULL may be stored as the type's own zero
  bool counted = false;     ///< AUTO_INCREMENT: NULL and 0 stand for the next number
  bool padded = false;      ///< trailing spaces do not count
  bool utf8 = false;        ///< any character may be stored (utf8mb4)
  std::int32_t length = 0;  ///< of strings, in characters (of bytes: in bytes)

  constexpr std::int32_t packed() const {
    return (length << 4) | (utf8 ? 8 : 0) | (padded ? 4 : 0) | (counted ? 2 : 0) | (not_null ? 1 : 0);
  }
  static constexpr MysqlModifier of(std::int32_t packed) {
    if (packed < 0) return {};
    return {(packed & 1) != 0, (packed & 2) != 0, (packed & 4) != 0, (packed & 8) != 0, packed >> 4};
  }
};

/// The type of this name in information_schema ("int", "varchar"), or 0. The collation tells bytes from
/// characters.
Oid find_mysql_type(std::string_view data_type, bool is_unsigned, std::string_view collation);
/// Trailing spaces do not count under this collation.
bool pads_spaces(std::string_view collation);
/// Whether kMysqlWeights gives the order and equality of this collation: what was compared with a server (MariaDB
/// 10.11, all its collations) and found the same. Weights of several levels are not: they follow one another.
bool weights_are_order(std::string_view collation);
/// What is known here of a server's collation: whether strings are equal only where their bytes are (trailing
/// spaces aside).
Collation mysql_collation(std::string_view name);

}  // namespace anabranch::values
