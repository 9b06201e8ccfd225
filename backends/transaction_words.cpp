#include "backends/transaction_words.h"

#include <algorithm>

#include "backends/context.h"
#include "values/mysql_quote.h"

namespace anabranch::backends {

std::vector<std::string> mysql_opening(std::string_view options, bool opens_itself,
                                       std::span<const std::string_view> savepoints) {
  constexpr std::string_view isolation = "ISOLATION LEVEL ";
  std::vector<std::string> statements;
  std::string start = "START TRANSACTION";
  bool first = true;
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(", "));
    options.remove_prefix(std::min(options.size(), option.size() + 2));
    // The level is not START TRANSACTION's to say, but that of the statement before it.
    if (option.starts_with(isolation) || opens_itself) {
      statements.push_back("SET TRANSACTION " + std::string(option));
    } else {
      start.append(first ? " " : ", ").append(option);
      first = false;
    }
  }
  if (!opens_itself) statements.push_back(std::move(start));
  for (const std::string_view name : savepoints) {
    statements.push_back(savepoint_command(conf::Kind::mysql, "SAVEPOINT", name));
  }
  return statements;
}

std::string savepoint_command(conf::Kind kind, std::string_view verb, std::string_view name) {
  std::string sql(verb);
  sql += ' ';
  sql += kind == conf::Kind::mysql ? values::quote_mysql_identifier(name) : quote_identifier(name);
  return sql;
}

}  // namespace anabranch::backends
