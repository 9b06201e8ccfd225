#include "values/mysql_quote.h"

namespace anabranch::values {

std::string quote_mysql_identifier(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`') quoted += c;
    quoted += c;
  }
  return quoted += '`';
}

}  // namespace anabranch::values
