#include "values/mysql_type.h"

#include <string>

namespace anabranch::values {
namespace {

struct NamedCode {
  std::string_view name;
  MysqlCode code;
};
constexpr NamedCode names[] = {
    {"tinyint", MysqlCode::tiny},         {"smallint", MysqlCode::short_},    {"mediumint", MysqlCode::int24},
    {"int", MysqlCode::long_},            {"bigint", MysqlCode::longlong},    {"decimal", MysqlCode::newdecimal},
    {"float", MysqlCode::float_},         {"double", MysqlCode::double_},     {"date", MysqlCode::date},
    {"time", MysqlCode::time},            {"datetime", MysqlCode::datetime},  {"timestamp", MysqlCode::timestamp},
    {"year", MysqlCode::year},            {"char", MysqlCode::string},        {"varchar", MysqlCode::varchar},
    {"binary", MysqlCode::string},        {"varbinary", MysqlCode::varchar},  {"tinytext", MysqlCode::tiny_blob},
    {"text", MysqlCode::blob},            {"mediumtext", MysqlCode::medium_blob}, {"longtext", MysqlCode::long_blob},
    {"tinyblob", MysqlCode::tiny_blob},   {"blob", MysqlCode::blob},          {"mediumblob", MysqlCode::medium_blob},
    {"longblob", MysqlCode::long_blob},   {"enum", MysqlCode::enum_},         {"set", MysqlCode::set},
    {"bit", MysqlCode::bit},              {"json", MysqlCode::json},          {"geometry", MysqlCode::geometry},
};

bool is_bytes(std::string_view data_type) {
  return data_type.ends_with("binary") || data_type.ends_with("blob");
}

}  // namespace

Oid find_mysql_type(std::string_view data_type, bool is_unsigned, std::string_view collation) {
  for (const NamedCode& entry : names) {
    if (entry.name != data_type) continue;
    return mysql_type(entry.code, is_unsigned || is_bytes(data_type) || collation == "binary");
  }
  return 0;
}

bool pads_spaces(std::string_view collation) {
  return collation != "binary" && collation.find("nopad") == std::string_view::npos &&
         collation.find("_0900_") == std::string_view::npos;
}

bool weights_are_order(std::string_view collation) {
  if (collation.find("_0900_") != std::string_view::npos) return false;  // no server of ours has them
  if (collation == "binary" || collation == "latin1_general_cs" || collation.ends_with("_bin")) return true;
  const bool levels = collation.ends_with("_as_ci");
  const bool irregular = collation.starts_with("latin7_") || collation.starts_with("big5_");
  return collation.ends_with("_ci") && !levels && !irregular;
}

Collation mysql_collation(std::string_view name) {
  const bool known = name.starts_with("utf8") || name.starts_with("latin1_") || name.starts_with("ascii_");
  const bool bytes = name.empty() || name == "binary" || (known && name.ends_with("_bin"));
  return Collation::unproved("the order of " + std::string(name), bytes);
}

}  // namespace anabranch::values
