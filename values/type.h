#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anabranch::values {

using Oid = uint32_t;

/// How a value travels on the wire (protocol 3, format codes).
enum class Format : int16_t { text = 0, binary = 1 };

/// What a type is to us: which codec, comparison and canonical key it has.
enum class TypeKind : uint8_t {
  boolean,
  int2,
  int4,
  int8,
  oid,  ///< unsigned 32 bits, ordered
  float4,
  float8,
  numeric,
  text,  ///< text, varchar, name
  bpchar,
  single_char,  ///< "char"
  bytea,
  date,
  time,
  timetz,
  timestamp,
  timestamptz,
  interval,
  uuid,
  json,
  jsonb,
  money,
  array,
  enumeration,
  void_type,
  mysql_real,     ///< the same
  mysql_weights,  ///< values/mysql_type.h: no type of PostgreSQL's, and in no table of them
  known,  ///< recognised, with nothing proved about its values
};

/// The PostgreSQL types that the code names.
namespace oid {
inline constexpr Oid boolean = 16, bytea = 17, single_char = 18, name = 19, int8 = 20, int2 = 21,
                     int4 = 23, text = 25, oid = 26, json = 114, float4 = 700, float8 = 701,
                     unknown = 705, money = 790, bpchar = 1042, varchar = 1043, date = 1082,
                     time = 1083, timestamp = 1114, timestamptz = 1184, interval = 1186,
                     timetz = 1266, numeric = 1700, void_type = 2278, uuid = 2950, jsonb = 3802;
}  // namespace oid

/// One row a type: all that other rooms ask about a type without looking at a value.
struct TypeInfo {
  Oid oid;
  std::string_view name;      ///< as format_type() prints it, without a modifier
  std::string_view internal;  ///< pg_type.typname
  TypeKind kind;
  Oid array_oid;           ///< the array of this type; 0: none that we know
  Oid element_oid;         ///< arrays only
  bool text_is_canonical;  ///< the text form depends on no session setting: fit for comparison
  bool has_equality;       ///< KeyEncoder gives equal bytes for equal values (grouping, DISTINCT)
  bool has_order;          ///< and their order is the server's
  bool is_collatable;
};

/// The type with this OID, or nullptr (an enum, an extension's type, a table's row type).
const TypeInfo* find_type(Oid oid);

/// The type of this name: either spelling of TypeInfo, or a usual alias ("int", "decimal"…).
const TypeInfo* find_type_by_name(std::string_view name);

/// Every row, base types first, then their arrays.
std::span<const TypeInfo> all_types();

struct EnumType {
  Oid oid = 0;
  std::string name;
  std::vector<std::string> labels;  ///< in sort order
};

/// A column's or expression's type. `enumeration` describes the type itself, or an array's
/// elements.
struct ColumnType {
  Oid oid = 0;
  int32_t typmod = -1;
  std::shared_ptr<const EnumType> enumeration = {};
};

/// What errors call the type.
std::string type_name(const ColumnType& type);

}  // namespace anabranch::values
