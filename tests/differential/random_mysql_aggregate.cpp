#include <fmt/format.h>
#include <fmt/ranges.h>

#include "random_mysql_query.h"

/// What is computed of groups and of windows. Not generated: ANY_VALUE, columns outside of GROUP BY, JSON_ARRAYAGG and
/// GROUP_CONCAT without ORDER BY, which a server answers by the order in which it happens to read.
namespace anabranch::differential {

MysqlQueries::Output MysqlQueries::plain_aggregate(const Source& source, const Column& column) {
  static const std::vector<std::string> of_integers = {
      "COUNT({})", "SUM({})", "AVG({})", "MIN({})", "MAX({})", "BIT_AND({})", "BIT_OR({})", "BIT_XOR({})",
      "COUNT(DISTINCT {})", "SUM(DISTINCT {})", "AVG(DISTINCT {})", "STD({})", "VAR_SAMP({})", "MAX(DISTINCT {})"};
  static const std::vector<std::string> of_decimals = {
      "COUNT({})", "SUM({})", "AVG({})", "MIN({})", "MAX({})", "COUNT(DISTINCT {})", "SUM(DISTINCT {})", "AVG(DISTINCT {})"};
  static const std::vector<std::string> of_reals = {"COUNT({})", "SUM({})", "AVG({})", "MIN({})", "MAX({})",
                                                    "COUNT(DISTINCT {})"};
  static const std::vector<std::string> of_others = {"COUNT({})", "MIN({})", "MAX({})", "COUNT(DISTINCT {})"};
  const bool numeric = column.kind <= Kind::real;
  const auto& list = column.kind == Kind::integer && !column.is(extreme)  ? of_integers
                     : column.kind == Kind::decimal                       ? of_decimals
                     : column.kind == Kind::real && !column.is(extreme)   ? of_reals
                                                                          : of_others;
  const std::string shape = one_of(list);
  const bool counts = shape.starts_with("COUNT");
  const bool extremes = shape.starts_with("MIN") || shape.starts_with("MAX");
  const bool deviation = shape.starts_with("STD") || shape.starts_with("VAR");
  const bool approximate = deviation || (column.kind == Kind::real && !counts && !extremes);
  return {fmt::format(fmt::runtime(shape), source.ref(column)), approximate, extremes && !numeric, !approximate};
}

MysqlQueries::Output MysqlQueries::aggregate_expression(const Block& block) {
  const Kind kind = chance(50) ? Kind::integer : Kind::decimal;
  const std::string x = name_of(block, kind, extreme | no_sign, "");
  // COUNT(DISTINCT 3) beside groups is an error across shards yet: constants are left out.
  if (x.empty()) return {"COUNT(*)"};
  static const std::vector<std::string> shapes = {
      "COALESCE(SUM({0}), 0)", "SUM({0}) / NULLIF(COUNT({0}), 0)", "SUM({0}) + COUNT(*)", "CASE WHEN COUNT(*) > 3 THEN SUM({0}) END",
      "ROUND(AVG({0}), 2)", "ABS(SUM({0})) * 2", "MAX({0}) - MIN({0})", "SUM({0}) > 100 AND COUNT(*) > 1",
      "NULLIF(COUNT({0}), 2) + 1", "IF(COUNT(*) > 2, MAX({0}), MIN({0}))", "CONCAT(COUNT(*), '/', MAX({0}))",
      "SUM({0}) DIV 3", "COUNT(*) MOD 3", "SUM({0}) <=> MAX({0})", "IFNULL(MIN({0}), -1)", "SUM({0} > 3)", "SUM(IF({0} > 3, 1, 0))",
      "CAST(SUM({0}) AS CHAR)", "GREATEST(MAX({0}), COUNT(*))", "SUM({0}) MOD 7", "CAST(AVG({0}) AS DECIMAL(20,2))",
      "COUNT(DISTINCT {0}) * 2", "COUNT(DISTINCT {0}, {0} > 2)", "BIT_COUNT(BIT_OR({0}))", "LPAD(SUM({0}), 9, '0')"};
  return {fmt::format(fmt::runtime(one_of(shapes)), x)};
}

/// In an order that leaves nothing open: where texts are equal in several spellings, by their bytes.
MysqlQueries::Output MysqlQueries::concatenation(const Block& block) {
  const Source& source = one_of(block.sources);
  const Column& column = any_column(source);
  const std::string name = source.ref(column);
  const bool spelt = column.kind == Kind::text || column.kind == Kind::real || column.kind == Kind::other;
  const std::string x = spelt ? fmt::format("HEX({})", name) : name;
  static const std::vector<std::string> directions = {"", " DESC"};
  static const std::vector<std::string> separators = {"", " SEPARATOR '; '", " SEPARATOR ''"};
  const std::string order = chance(30) && column.kind == Kind::text ? fmt::format("{}, {}", name, x) : x;
  return {fmt::format("GROUP_CONCAT({}{} ORDER BY {}{}{})", chance(50) && order == x ? "DISTINCT " : "", x, order,
                      one_of(directions), one_of(separators))};
}

MysqlQueries::Output MysqlQueries::aggregate(const Block& block) {
  if (chance(15)) return {"COUNT(*)"};
  if (chance(25)) return aggregate_expression(block);
  if (chance(15)) return concatenation(block);
  const Source& source = one_of(block.sources);
  return plain_aggregate(source, any_column(source));
}

/// Values that do not depend on the order of equals; where they would, the order is by what tells all rows apart.
MysqlQueries::Output MysqlQueries::window(const Block& block) {
  const Source& source = one_of(block.sources);
  const std::string partition = chance(60) ? fmt::format("PARTITION BY {} ", source.ref(any_column(source))) : "";
  const std::string number = name_of(block, chance(60) ? Kind::integer : Kind::decimal, extreme | no_sign, "1");
  const Source& by = one_of(block.sources);
  const std::string order = by.ref(any_column(by)) + (chance(40) ? " DESC" : "");
  std::vector<std::string> unique;
  bool total = true;
  for (const Source& each : block.sources) {
    total = total && !each.unique.empty();
    for (const std::string& column : each.unique) unique.push_back(each.alias + "." + column);
  }
  static const std::vector<std::string> of_equals = {
      "RANK() OVER ({0}ORDER BY {1})", "DENSE_RANK() OVER ({0}ORDER BY {1})", "COUNT(*) OVER ({0})", "SUM({2}) OVER ({0}ORDER BY {1})",
      "MAX({2}) OVER ({0}ORDER BY {1})", "CUME_DIST() OVER ({0}ORDER BY {1})", "PERCENT_RANK() OVER ({0}ORDER BY {1})",
      "AVG({2}) OVER ({0})", "COUNT({2}) OVER ({0}ORDER BY {1} RANGE UNBOUNDED PRECEDING)", "MIN({2}) OVER ({0})"};
  static const std::vector<std::string> of_rows = {
      "ROW_NUMBER() OVER ({0}ORDER BY {1}, {3})", "LAG({2}) OVER ({0}ORDER BY {1}, {3})", "LEAD({2}, 2) OVER ({0}ORDER BY {1}, {3})",
      "FIRST_VALUE({2}) OVER ({0}ORDER BY {1}, {3})", "NTILE(3) OVER ({0}ORDER BY {1}, {3})",
      "SUM({2}) OVER ({0}ORDER BY {1}, {3} ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
      "NTH_VALUE({2}, 2) OVER ({0}ORDER BY {1}, {3})",
      "LAST_VALUE({2}) OVER ({0}ORDER BY {1}, {3} ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"};
  const std::string& shape = one_of(total && chance(50) ? of_rows : of_equals);
  return {fmt::format(fmt::runtime(shape), partition, order, number, fmt::join(unique, ", "))};
}

}  // namespace anabranch::differential
