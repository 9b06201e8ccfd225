#include <fmt/format.h>

#include "random_mysql_query.h"

/// What is computed of a row. Results stay far from the ends of their types: an overflow is an error of whichever
/// row is met first.
namespace anabranch::differential {

namespace {

/// $1, $2… replaced by the operands.
std::string filled(const std::string& shape, const std::vector<std::string>& operands) {
  std::string out;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool place = shape[i] == '$' && i + 1 < shape.size() && shape[i + 1] >= '1' && shape[i + 1] <= '9';
    if (!place || static_cast<std::size_t>(shape[i + 1] - '1') >= operands.size()) {
      out += shape[i];
    } else {
      out += operands[static_cast<std::size_t>(shape[++i] - '1')];
    }
  }
  return out;
}

}  // namespace

const MysqlQueries::Column* MysqlQueries::column_of(const Source& source, Kind kind, unsigned without) {
  std::vector<const Column*> fitting;
  for (const Column& column : source.columns) {
    if (column.kind == kind && (column.traits & without) == 0) fitting.push_back(&column);
  }
  return fitting.empty() ? nullptr : one_of(fitting);
}

std::string MysqlQueries::name_of(const Block& block, Kind kind, unsigned without, std::string otherwise) {
  const Source& source = one_of(block.sources);
  const Column* column = column_of(source, kind, without);
  return column == nullptr ? otherwise : source.ref(*column);
}

/// IF, CASE and their kin, of any kind.
std::string MysqlQueries::choice(const Block& block, Kind kind, int depth) {
  static const std::vector<std::string> shapes = {
      "IF($3, $1, $2)", "IFNULL($1, $2)",  "COALESCE($1, NULL, $2)", "CASE WHEN $3 THEN $1 ELSE $2 END",
      "NULLIF($1, $2)", "CASE WHEN $3 THEN $1 END", "NVL($1, $2)"};
  // Of texts one is a constant: two columns may have collations of which neither wins.
  const std::string first = expression(block, kind, depth - 1);
  const std::string second = kind == Kind::text ? "'none'" : expression(block, kind, depth - 1);
  return filled(one_of(shapes), {first, second, any_predicate(block)});
}

std::string MysqlQueries::expression(const Block& block, Kind kind, int depth) {
  if (depth > 0 && chance(20)) return choice(block, kind, depth);
  switch (kind) {
    case Kind::integer:
      return integer(block, depth);
    case Kind::decimal:
      return decimal(block, depth);
    case Kind::real:
      return real(block, depth);
    case Kind::date:
    case Kind::datetime:
    case Kind::time:
      return moment(block, kind, depth);
    default:
      return text(block, depth);
  }
}

std::string MysqlQueries::integer(const Block& block, int depth) {
  const std::string x = name_of(block, Kind::integer, extreme | no_sign, fmt::format("{}", below(9)));
  if (depth <= 0 || chance(25)) return x;
  static const std::vector<std::string> of_numbers = {
      "$1 + $2", "$1 - $2", "$1 * 3", "$1 DIV 7", "$1 MOD 5", "MOD($1, 3)", "-$1", "ABS($1)", "SIGN($1)", "$1 & 6",
      "$1 | 1", "$1 ^ 3", "BIT_COUNT($1)", "GREATEST($1, $2, 5)", "LEAST($1, $2)", "$1 % 4 = 1", "$1 <=> $2", "$1 XOR $2",
      "$1 > 5", "NOT $1", "!$1", "CAST($1 AS UNSIGNED)", "CAST($1 AS SIGNED)", "INTERVAL($1, 1, 5, 20)", "FIELD($1, 1, 2, 3)",
      "$1 IN (1, 2, 3)", "$1 && $2", "ISNULL($1)", "CRC32($1)"};
  switch (below(6)) {
    case 0: {
      static const std::vector<std::string> of_texts = {
          "CHAR_LENGTH($1)", "LENGTH($1)", "LOCATE('e', $1)", "INSTR($1, 'a')", "$1 LIKE '%a%'", "$1 REGEXP '[0-9]'",
          "ASCII($1)", "STRCMP($1, 'm')", "FIND_IN_SET($1, 'a,b,c')", "$1 = 'paris'", "ORD($1)", "CRC32($1)"};
      return filled(one_of(of_texts), {text(block, depth - 1)});
    }
    case 1: {
      static const std::vector<std::string> of_moments = {
          "YEAR($1)", "MONTH($1)", "DAYOFMONTH($1)", "HOUR($1)", "MINUTE($1)", "QUARTER($1)", "WEEKDAY($1)", "DAYOFYEAR($1)",
          "EXTRACT(YEAR_MONTH FROM $1)", "TO_DAYS($1)", "DATEDIFF($1, '2024-01-01')", "WEEK($1, 3)", "MICROSECOND($1)",
          "TIMESTAMPDIFF(DAY, '2024-01-01', $1)", "YEARWEEK($1)", "UNIX_TIMESTAMP($1) DIV 60"};
      return filled(one_of(of_moments), {name_of(block, Kind::datetime, edges, "'2024-05-06 07:08:09'")});
    }
    case 2: {
      static const std::vector<std::string> of_decimals = {"FLOOR($1)", "CEIL($1)", "CAST($1 AS SIGNED)", "ROUND($1)",
                                                           "$1 DIV 3", "$1 > 100", "SIGN($1)"};
      return filled(one_of(of_decimals), {name_of(block, Kind::decimal, extreme, "12.5")});
    }
    default: {
      const std::string y = integer(block, depth - 1);
      return "(" + filled(one_of(of_numbers), {x, "CAST(" + y + " AS SIGNED)"}) + ")";
    }
  }
}

std::string MysqlQueries::decimal(const Block& block, int depth) {
  const std::string x = name_of(block, Kind::decimal, depth > 0 ? extreme : 0U, "7.25");
  if (depth <= 0 || chance(25)) return x;
  static const std::vector<std::string> shapes = {
      "($1 + $2)", "($1 - $2)", "($1 * 1.19)", "($1 / 3)", "ROUND($1, 1)", "TRUNCATE($1, 0)", "(-$1)", "ABS($1)",
      "GREATEST($1, $2)", "CAST($1 AS DECIMAL(30,3))", "($2 / 7)", "($1 % 3)", "ROUND($1, -1)", "($2 * 0.01)",
      "CAST($2 AS DECIMAL(12,2))", "($1 MOD 0.7)"};
  return filled(one_of(shapes), {x, integer(block, depth - 1)});
}

/// Of one column: what is added up has an order only in what is computed here.
std::string MysqlQueries::real(const Block& block, int depth) {
  const std::string x = name_of(block, Kind::real, extreme, "1.5e0");
  if (depth <= 0 || chance(25)) return x;
  static const std::vector<std::string> shapes = {"($1 * 2)", "($1 + 1)", "($1 / 3)", "SQRT(ABS($1))", "ROUND($1, 2)",
                                                  "CAST($2 AS DOUBLE)", "($2 * 1e0)", "POW($2 MOD 10, 2)", "(-$1)", "ABS($1)"};
  return filled(one_of(shapes), {x, "CAST(" + integer(block, depth - 1) + " AS SIGNED)"});
}

std::string MysqlQueries::text(const Block& block, int depth) {
  const std::string x = name_of(block, Kind::text, 0, "'text'");
  if (depth <= 0 || chance(25)) return x;
  static const std::vector<std::string> shapes = {
      "CONCAT($1, '-', $2)", "CONCAT_WS('/', $1, NULL, $2)", "UPPER($1)", "LOWER($1)", "LEFT($1, 2)", "RIGHT($1, 3)",
      "SUBSTRING($1, 2, 3)", "SUBSTRING($1, -2)", "TRIM($1)", "RTRIM($1)", "REPLACE($1, 'a', 'o')", "REVERSE($1)",
      "LPAD($1, 6, '*')", "RPAD($1, 5, ' ')", "HEX($1)", "MD5($1)", "SUBSTRING_INDEX($1, ' ', 1)", "QUOTE($1)",
      "REGEXP_REPLACE($1, '[0-9]', '#')", "REGEXP_SUBSTR($1, '[a-m]+')", "CAST($2 AS CHAR)", "HEX($2)", "ELT(2, 'a', $1)",
      "INSERT($1, 2, 1, 'xx')", "REPEAT($1, 2)", "CONV($2, 10, 16)", "FORMAT($2, 1)", "SOUNDEX($1)", "TO_BASE64($1)",
      "MAKE_SET(3, 'a', $1)", "SPACE(2)", "CONVERT($1 USING utf8mb4)", "BIN($2)"};
  if (chance(20)) {
    static const std::vector<std::string> of_moments = {"DATE_FORMAT($1, '%Y-%m %W')", "DAYNAME($1)", "MONTHNAME($1)",
                                                        "CAST($1 AS CHAR)", "TIME_FORMAT($1, '%H:%i')"};
    return filled(one_of(of_moments), {name_of(block, Kind::datetime, edges, "'2024-05-06 07:08:09'")});
  }
  return filled(one_of(shapes), {x, integer(block, depth - 1)});
}

std::string MysqlQueries::moment(const Block& block, Kind kind, int depth) {
  const std::string x = name_of(block, Kind::datetime, edges, "TIMESTAMP'2024-05-06 07:08:09'");
  if (depth <= 0 || chance(25)) return name_of(block, kind, 0, kind == Kind::date ? "DATE'2024-05-06'" : x);
  if (kind == Kind::time) return filled(chance(50) ? "TIME($1)" : "SEC_TO_TIME($2 MOD 5000)", {x, integer(block, depth - 1)});
  static const std::vector<std::string> dates = {"DATE($1)", "LAST_DAY($1)", "CAST($1 AS DATE)", "DATE($1) + INTERVAL 1 MONTH",
                                                 "DATE_SUB(DATE($1), INTERVAL 10 DAY)", "MAKEDATE(2024, $2 MOD 300 + 1)",
                                                 "FROM_DAYS(738000)", "DATE_ADD(DATE($1), INTERVAL $2 MOD 50 DAY)"};
  static const std::vector<std::string> times = {"$1 + INTERVAL 90 MINUTE", "$1 - INTERVAL 1 YEAR",
                                                 "DATE_ADD($1, INTERVAL '1:30' HOUR_MINUTE)", "TIMESTAMP($1)",
                                                 "ADDTIME($1, '01:00:00.5')", "GREATEST($1, '2024-06-01')",
                                                 "TIMESTAMPADD(WEEK, $2 MOD 20, $1)", "CAST(DATE($1) AS DATETIME)",
                                                 "FROM_UNIXTIME(1700000000 + ($2 MOD 1000))"};
  return filled(one_of(kind == Kind::date ? dates : times), {x, integer(block, depth - 1)});
}

MysqlQueries::Output MysqlQueries::any_output(const Block& block) {
  if (chance(50)) {
    const Source& source = one_of(block.sources);
    return {source.ref(any_column(source))};
  }
  if (chance(12)) return {scalar_subquery(block)};
  static const std::vector<Kind> kinds = {Kind::integer, Kind::text, Kind::decimal, Kind::real,
                                          Kind::date,    Kind::datetime, Kind::time, Kind::integer};
  return {expression(block, one_of(kinds), 2)};
}

}  // namespace anabranch::differential
