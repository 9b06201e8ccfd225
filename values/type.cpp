#include "values/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "values/mysql_type.h"

namespace anabranch::values {

namespace {

/// A base type as the table below declares it; arrays follow from it.
struct Row {
  Oid oid;
  std::string_view name;
  std::string_view internal;
  TypeKind kind;
  Oid array_oid;
  bool canonical = false;
  bool equality = false;
  bool order = false;
  bool collatable = false;
};

using enum TypeKind;

// clang-format off
//                                                                    array  canon. equal. order  collatable
constexpr auto kRows = std::to_array<Row>({
    {16, "boolean", "bool", boolean,                                   1000, true,  true,  true,  false},
    {17, "bytea", "bytea", bytea,                                      1001, false, true,  true,  false},
    {18, "\"char\"", "char", single_char,                              1002, true,  true,  true,  false},
    {19, "name", "name", text,                                         1003, true,  true,  true,  true},
    {20, "bigint", "int8", int8,                                       1016, true,  true,  true,  false},
    {21, "smallint", "int2", int2,                                     1005, true,  true,  true,  false},
    {23, "integer", "int4", int4,                                      1007, true,  true,  true,  false},
    {25, "text", "text", text,                                         1009, true,  true,  true,  true},
    {26, "oid", "oid", TypeKind::oid,                                  1028, true,  true,  true,  false},
    {114, "json", "json", json,                                        199,  true,  false, false, false},
    {700, "real", "float4", float4,                                    1021, false, true,  true,  false},
    {701, "double precision", "float8", float8,                        1022, false, true,  true,  false},
    {705, "unknown", "unknown", text,                                  0,    true,  true,  true,  false},
    {790, "money", "money", money,                                     791,  false, true,  true,  false},
    {1042, "character", "bpchar", bpchar,                              1014, true,  true,  true,  true},
    {1043, "character varying", "varchar", text,                       1015, true,  true,  true,  true},
    {1082, "date", "date", date,                                       1182, false, true,  true,  false},
    {1083, "time without time zone", "time", time,                     1183, true,  true,  true,  false},
    {1114, "timestamp without time zone", "timestamp", timestamp,      1115, false, true,  true,  false},
    {1184, "timestamp with time zone", "timestamptz", timestamptz,     1185, false, true,  true,  false},
    {1186, "interval", "interval", interval,                           1187, false, true,  true,  false},
    {1266, "time with time zone", "timetz", timetz,                    1270, true,  true,  true,  false},
    {1700, "numeric", "numeric", numeric,                              1231, true,  true,  true,  false},
    {2950, "uuid", "uuid", uuid,                                       2951, true,  true,  true,  false},
    {3802, "jsonb", "jsonb", jsonb,                                    3807, true,  true,  true,  false},
    {2278, "void", "void", void_type,                                  0},
    {24, "regproc", "regproc", known,                                  1008},
    {27, "tid", "tid", known,                                          1010},
    {28, "xid", "xid", known,                                          1011},
    {29, "cid", "cid", known,                                          1012},
    {142, "xml", "xml", known,                                         143},
    {600, "point", "point", known,                                     1017},
    {601, "lseg", "lseg", known,                                       1018},
    {602, "path", "path", known,                                       1019},
    {603, "box", "box", known,                                         1020},
    {604, "polygon", "polygon", known,                                 1027},
    {628, "line", "line", known,                                       629},
    {650, "cidr", "cidr", known,                                       651},
    {718, "circle", "circle", known,                                   719},
    {774, "macaddr8", "macaddr8", known,                               775},
    {829, "macaddr", "macaddr", known,                                 1040},
    {869, "inet", "inet", known,                                       1041},
    {1033, "aclitem", "aclitem", known,                                1034},
    {1560, "bit", "bit", known,                                        1561},
    {1562, "bit varying", "varbit", known,                             1563},
    {1790, "refcursor", "refcursor", known,                            2201},
    {2202, "regprocedure", "regprocedure", known,                      2207},
    {2203, "regoper", "regoper", known,                                2208},
    {2204, "regoperator", "regoperator", known,                        2209},
    {2205, "regclass", "regclass", known,                              2210},
    {2206, "regtype", "regtype", known,                                2211},
    {2249, "record", "record", known,                                  2287},
    {2970, "txid_snapshot", "txid_snapshot", known,                    2949},
    {3220, "pg_lsn", "pg_lsn", known,                                  3221},
    {3614, "tsvector", "tsvector", known,                              3643},
    {3615, "tsquery", "tsquery", known,                                3645},
    {3734, "regconfig", "regconfig", known,                            3735},
    {3769, "regdictionary", "regdictionary", known,                    3770},
    {4072, "jsonpath", "jsonpath", known,                              4073},
    {4089, "regnamespace", "regnamespace", known,                      4090},
    {4096, "regrole", "regrole", known,                                4097},
    {4191, "regcollation", "regcollation", known,                      4192},
    {5038, "pg_snapshot", "pg_snapshot", known,                        5039},
    {5069, "xid8", "xid8", known,                                      271},
});

struct Alias { std::string_view alias, name; };
constexpr auto kAliases = std::to_array<Alias>({
    {"int", "int4"}, {"decimal", "numeric"}, {"char", "bpchar"}, {"character", "bpchar"},
    {"timestamp with time zone", "timestamptz"}, {"time with time zone", "timetz"},
    {"serial", "int4"}, {"bigserial", "int8"}, {"smallserial", "int2"}, {"float", "float8"},
});
// clang-format on

constexpr Oid kOidLimit = 5100;

struct Table {
  std::vector<std::string> names;  // of arrays; never grows after construction
  std::vector<TypeInfo> types;
  std::array<uint8_t, kOidLimit> by_oid{};  // index + 1

  Table() {
    names.reserve(2 * kRows.size());
    for (const Row& row : kRows) {
      types.push_back({row.oid, row.name, row.internal, row.kind, row.array_oid, 0, row.canonical,
                       row.equality, row.order, row.collatable});
    }
    for (const Row& row : kRows) {
      if (row.array_oid != 0) types.push_back(array_of(row));
    }
    for (size_t i = 0; i < types.size(); ++i) by_oid[types[i].oid] = static_cast<uint8_t>(i + 1);
  }

  TypeInfo array_of(const Row& row) {
    const std::string& name = names.emplace_back(fmt::format("{}[]", row.name));
    const std::string& internal = names.emplace_back(fmt::format("_{}", row.internal));
    return {row.array_oid, name,          internal,     TypeKind::array, 0,
            row.oid,       row.canonical, row.equality, row.order,       row.collatable};
  }
};
static_assert(kRows.size() * 2 < 255, "indexes of types are bytes");

/// Apart from the table, whose rows have names that a statement may write: of keys that shards compute.
constexpr TypeInfo key_type(Oid oid, std::string_view name, TypeKind kind) {
  return {.oid = oid,
          .name = name,
          .internal = "",
          .kind = kind,
          .array_oid = 0,
          .element_oid = 0,
          .text_is_canonical = true,
          .has_equality = true,
          .has_order = true,
          .is_collatable = false};
}
constexpr TypeInfo kWeights = key_type(kMysqlWeights, "collation weights", mysql_weights);
constexpr TypeInfo kReal = key_type(kMysqlReal, "double", mysql_real);

const Table& table() {
  static const Table built;
  return built;
}

}  // namespace

const TypeInfo* find_type(Oid oid) {
  if (oid == kMysqlWeights) return &kWeights;
  if (oid == kMysqlReal) return &kReal;
  if (oid >= kOidLimit) return nullptr;
  const Table& all = table();
  const uint8_t index = all.by_oid[oid];
  return index == 0 ? nullptr : &all.types[index - 1U];
}

const TypeInfo* find_type_by_name(std::string_view name) {
  for (const Alias& alias : kAliases) {
    if (alias.alias == name) name = alias.name;
  }
  for (const TypeInfo& type : table().types) {
    if (type.internal == name || type.name == name) return &type;
  }
  return nullptr;
}

std::span<const TypeInfo> all_types() {
  return table().types;
}

std::string type_name(const ColumnType& type) {
  if (const TypeInfo* info = find_type(type.oid)) return std::string(info->name);
  if (type.enumeration)
    return type.enumeration->name + (type.enumeration->oid == type.oid ? "" : "[]");
  return fmt::format("with OID {}", type.oid);
}

}  // namespace anabranch::values
