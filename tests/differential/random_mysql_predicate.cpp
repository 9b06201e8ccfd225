#include <fmt/format.h>
#include <fmt/ranges.h>

#include "random_mysql_query.h"

/// Conditions. None gives warnings: of which rows a server warns depends on the condition that it asks first.
namespace anabranch::differential {

std::string MysqlQueries::literal(const Column& column) {
  const std::string& constant = one_of(column.constants);
  const bool plain = constant.front() == '\'' || constant.front() == '-' || (constant.front() >= '0' && constant.front() <= '9');
  if (!parameters_ || !plain || !chance(60)) return constant;
  // Read back by with_parameters().
  if (constant.front() == '\'') return fmt::format("\x01text {}\x02", constant.substr(1, constant.size() - 2));
  const bool whole = column.kind == Kind::integer && constant.find_first_not_of("-0123456789") == std::string::npos;
  const bool fits = constant.size() < 19;
  return fmt::format("\x01{} {}\x02", whole && fits ? "bigint" : "text", constant);
}

/// A key's value as another type, from which the shard must be found all the same.
std::string MysqlQueries::respelt_key(const Column& column) {
  const std::string& constant = one_of(column.constants);
  if (column.kind == Kind::text) {
    static const std::vector<std::string> shapes = {"{}", "CONCAT({}, ' ')", "{} COLLATE utf8mb4_general_ci",
                                                    "BINARY {}", "UPPER({})", "_utf8mb4{}", "CAST({} AS CHAR(2))"};
    return fmt::format(fmt::runtime(one_of(shapes)), constant);
  }
  if (column.kind != Kind::integer) return constant;
  // Not 7.5: where another column is equal to the key, MariaDB may round it and find rows of 8.
  static const std::vector<std::string> shapes = {"'{}'", "{}.0", "{}e0", "' {}'", "'{}.0'", "{} + 0", "'{}e0'",
                                                  "CAST('{}' AS SIGNED)", "CAST({} AS DECIMAL(30,2))"};
  return fmt::format(fmt::runtime(one_of(shapes)), constant);
}

std::string MysqlQueries::text_predicate(const std::string& name, const Column& column) {
  static const std::vector<std::string> shapes = {
      "{} LIKE '%a%'",      "{} NOT LIKE '_e%'",       "{} LIKE 'z%'",         "{} REGEXP '^[a-m]'",
      "{} RLIKE 'e.*[0-9]$'", "CHAR_LENGTH({}) > 4",   "LOCATE('e', {}) > 1",  "LEFT({}, 1) = 'z'",
      "{} > 'm'",           "LENGTH({}) MOD 2 = 1",    "LOWER({}) <> UPPER('anne 4')", "{} BETWEEN 'a' AND 'n'"};
  if (column.collation.starts_with("utf8mb4") && chance(25)) {
    static const std::vector<std::string> collations = {"utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci"};
    return fmt::format("{} COLLATE {} {} {}", name, one_of(collations), chance(50) ? "=" : "<", one_of(column.constants));
  }
  return fmt::format(fmt::runtime(one_of(shapes)), name);
}

std::string MysqlQueries::predicate(const Source& source, const Column& column) {
  static const std::vector<std::string> operators = {"=", "<>", "<", "<=", ">", ">=", "<=>"};
  const std::string name = source.ref(column);
  if (column.is(key) && chance(50)) {
    if (chance(70)) return fmt::format("{} {} {}", name, chance(20) ? "<=>" : "=", respelt_key(column));
    return fmt::format("{} IN ({}, {}, {})", name, respelt_key(column), literal(column), respelt_key(column));
  }
  switch (below(9)) {
    case 0:
      return fmt::format("{} IS {}NULL", name, chance(50) ? "NOT " : "");
    case 1:
      return fmt::format("{} {}IN ({}, {})", name, chance(30) ? "NOT " : "", literal(column), literal(column));
    case 2:
      return fmt::format("{} BETWEEN {} AND {}", name, literal(column), literal(column));
    case 3:
      if (column.kind == Kind::integer && !column.is(extreme)) {
        static const std::vector<std::string> shapes = {"{} MOD 3 = 1", "{} DIV 2 > 3", "{} & 1", "({} | 4) > 6", "{} XOR 1"};
        return fmt::format(fmt::runtime(one_of(shapes)), name);
      }
      [[fallthrough]];
    case 4:
      if (column.kind == Kind::text) return text_predicate(name, column);
      if (column.kind == Kind::datetime && !column.is(edges)) {
        static const std::vector<std::string> shapes = {"MONTH({}) < 6", "{} + INTERVAL 1 MONTH > '2024-06-30'",
                                                        "DAYOFWEEK({}) IN (1, 7)", "DATE({}) >= '2024-04-06'",
                                                        "YEAR({}) = '2024'", "{} < 20240601"};
        return fmt::format(fmt::runtime(one_of(shapes)), name);
      }
      if (column.is(labels)) return fmt::format("{} + 0 {} 2", name, one_of(operators));
      [[fallthrough]];
    case 5:
      return fmt::format("NOT {} <=> {}", name, literal(column));
    default:
      return fmt::format("{} {} {}", name, one_of(operators), literal(column));
  }
}

std::string MysqlQueries::any_predicate(const Block& block) {
  const Source& source = one_of(block.sources);
  return predicate(source, any_column(source));
}

std::string MysqlQueries::condition(const Block& block) {
  switch (below(8)) {
    case 0:
      return fmt::format("({} OR {})", any_predicate(block), any_predicate(block));
    case 1:
      return fmt::format("({} XOR {})", any_predicate(block), any_predicate(block));
    case 2:
      return fmt::format("NOT ({} AND {})", any_predicate(block), any_predicate(block));
    case 3:
    case 4:
      return subquery_condition(block);
    default:
      return any_predicate(block);
  }
}

/// IN, EXISTS, ANY, ALL and comparisons, tied to the query around it or not.
std::string MysqlQueries::subquery_condition(const Block& block) {
  const Source& outer = one_of(block.sources);
  const Source inner = table(any_table(), fmt::format("s{}", ++made_));
  const Block inside{inner.from, "", {inner}, inner.rows};
  const std::string where = any_predicate(inside);
  const std::string tie = match(inner, outer, "=");
  if (tie.empty()) return any_predicate(block);
  const std::size_t equals = tie.find(" = ");
  const std::string left = tie.substr(equals + 3);
  const std::string right = tie.substr(0, equals);
  // Tied to many rows it is carried out for each.
  const bool many = block.rows * inner.rows > 300000;
  switch (below(6)) {
    case 0:
    case 1:
      if (many) return any_predicate(block);
      return fmt::format("{}EXISTS (SELECT 1 FROM {} WHERE {} AND {})", chance(40) ? "NOT " : "", inner.from, tie, where);
    case 2:
    case 3:
      return fmt::format("{} {}IN (SELECT {} FROM {} WHERE {})", left, chance(40) ? "NOT " : "", right, inner.from, where);
    case 4:
      if (many) return any_predicate(block);
      return fmt::format("(SELECT COUNT(*) FROM {} WHERE {}) > {}", inner.from, tie, below(3));
    default:
      return quantified(block, inner, where);
  }
}

std::string MysqlQueries::quantified(const Block& block, const Source& inner, const std::string& where) {
  const Source& outer = one_of(block.sources);
  const Column* number = column_of(outer, Kind::integer);
  const Column* other = column_of(inner, Kind::integer);
  if (number == nullptr || other == nullptr) return any_predicate(block);
  static const std::vector<std::string> shapes = {"> (SELECT AVG({}) FROM {} WHERE {})", "<= (SELECT MAX({}) FROM {} WHERE {})",
                                                  "< ANY (SELECT {} FROM {} WHERE {})", ">= ALL (SELECT {} FROM {} WHERE {})",
                                                  "<=> (SELECT MIN({}) FROM {} WHERE {})"};
  return fmt::format("{} {}", outer.ref(*number),
                     fmt::format(fmt::runtime(one_of(shapes)), inner.ref(*other), inner.from, where));
}

/// One value: an aggregate, as several rows are an error of which the plan decides whether it is met.
std::string MysqlQueries::scalar_subquery(const Block& block) {
  const Source& outer = one_of(block.sources);
  const Source inner = table(any_table(), fmt::format("s{}", ++made_));
  const bool many = block.rows * inner.rows > 100000;
  const std::string tie = many ? "" : match(inner, outer, "=");
  const Column* number = column_of(inner, Kind::integer, extreme);
  const std::string where = any_predicate({inner.from, "", {inner}, inner.rows});
  static const std::vector<std::string> shapes = {"COUNT(*)", "MAX({})", "SUM({})", "COUNT(DISTINCT {})"};
  const std::string shape = number == nullptr ? "COUNT(*)" : one_of(shapes);
  return fmt::format("(SELECT {} FROM {} WHERE {})",
                     fmt::format(fmt::runtime(shape), number == nullptr ? "" : inner.ref(*number)), inner.from,
                     tie.empty() ? where : tie);
}

}  // namespace anabranch::differential
