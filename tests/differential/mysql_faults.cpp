#include "mysql_faults.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared_faults.h"

namespace anabranch::differential {
namespace {

std::vector<Fault> row_faults() {
  return {
      {"a trailing space",
       "SELECT id, name FROM users",
       {},
       [](Answer& a) { *only(a).rows.at(2)[1] += ' '; }},
      {"another case of a text that is not a group's",
       "SELECT id, name FROM users WHERE id = 5",
       {},
       [](Answer& a) { std::ranges::transform(*only(a).rows.at(0)[1], only(a).rows.at(0)[1]->begin(), ::toupper); }},
      {"a zero date for NULL",
       "SELECT id, joined FROM users WHERE joined = '0000-00-00'",
       {},
       [](Answer& a) { only(a).rows.at(0)[1].reset(); }},
      {"fractions of a second lost",
       "SELECT id, seen FROM users WHERE seen IS NOT NULL",
       {},
       [](Answer& a) {
         for (Row& row : only(a).rows) row[1] = row[1]->substr(0, row[1]->find('.'));
       }},
  };
}

std::vector<Fault> order_faults() {
  return {
      asked_wrongly("text ordered by bytes", "SELECT name FROM users ORDER BY name, id",
                    "SELECT name FROM users ORDER BY BINARY name, id", total_order()),
      asked_wrongly("an enum ordered by its name", "SELECT mood FROM users ORDER BY mood, id",
                    "SELECT mood FROM users ORDER BY CAST(mood AS CHAR), id", total_order()),
      asked_wrongly("NULL last", "SELECT age, id FROM users ORDER BY age, id",
                    "SELECT age, id FROM users ORDER BY age IS NULL, age, id", ordered_by({0})),
  };
}

std::vector<Fault> column_faults() {
  return {
      {"a column's type", by_status, {}, [](Answer& a) { only(a).columns[1].type = "246"; }},
      asked_wrongly("a table's alias lost", "SELECT u.id FROM users u", "SELECT id FROM users"),
      asked_wrongly("a column's own name lost", "SELECT id AS id FROM users", "SELECT id + 0 AS id FROM users"),
      asked_wrongly("a column's length", "SELECT 'abc' AS t", "SELECT 'abcd' AS t"),
      asked_wrongly("a column's decimals", "SELECT 1.50 AS d", "SELECT 1.500 AS d"),
      asked_wrongly("a column's character set", "SELECT handle AS h FROM users", "SELECT CONVERT(handle USING utf8mb4) AS h FROM users"),
      asked_wrongly("a column that may not be NULL", "SELECT COUNT(*) AS n FROM orders",
                    "SELECT NULLIF(COUNT(*), -1) AS n FROM orders"),
      asked_wrongly("an unsigned column", "SELECT flags AS f FROM orders", "SELECT CAST(flags AS SIGNED) AS f FROM orders"),
  };
}

std::vector<Fault> value_faults() {
  return {
      asked_wrongly("average of averages", "SELECT AVG(amount) AS a FROM orders",
                    "SELECT AVG(a) AS a FROM (SELECT AVG(amount) AS a FROM orders GROUP BY user_id % 4) x"),
      asked_wrongly("a sum of decimals as doubles", "SELECT SUM(`precise`) AS s FROM measurements",
                    "SELECT CAST(SUM(CAST(`precise` AS DOUBLE)) AS DECIMAL(62,20)) AS s FROM measurements"),
      asked_wrongly("HAVING per shard", "SELECT order_no, COUNT(*) AS c FROM orders GROUP BY order_no HAVING COUNT(*) > 20",
                    "SELECT order_no, CAST(SUM(n) AS SIGNED) AS c FROM (SELECT order_no, COUNT(*) AS n FROM orders GROUP BY"
                    " order_no, user_id % 4 HAVING COUNT(*) > 20) x GROUP BY order_no"),
      asked_wrongly("groups per shard", by_status,
                    "SELECT status, COUNT(*) AS n FROM orders GROUP BY status, user_id % 4"),
      asked_wrongly("COUNT(DISTINCT) summed over shards", "SELECT COUNT(DISTINCT status) AS n FROM orders",
                    "SELECT CAST(SUM(n) AS SIGNED) AS n FROM (SELECT COUNT(DISTINCT status) AS n FROM orders GROUP BY"
                    " user_id % 4) x"),
      asked_wrongly("groups by bytes", "SELECT COUNT(*) AS n FROM orders GROUP BY currency",
                    "SELECT COUNT(*) AS n FROM orders GROUP BY BINARY currency"),
      asked_wrongly("windows per shard", "SELECT id, RANK() OVER (ORDER BY id) AS r FROM users",
                    "SELECT id, RANK() OVER (PARTITION BY id % 4 ORDER BY id) AS r FROM users"),
      {"a float beyond the tolerance", "SELECT SUM(amount * 1e0) AS f FROM orders", floats({"f"}),
       [](Answer& a) {
         std::string& value = *only(a).rows.at(0).at(0);
         value = fmt::format("{}", std::stod(value) * (1 + 1e-10));
       }},
      {"a decimal marked float", "SELECT SUM(amount) AS f FROM orders", floats({"f"}), [](Answer&) {}},
  };
}

std::vector<Fault> command_faults() {
  const std::string update = "UPDATE notes SET body = body WHERE id < 4";
  return {
      {"another number of affected rows", update, {}, [](Answer& a) { only(a).tag.replace(9, 1, "7"); }},
      asked_wrongly("another info", update, "UPDATE notes SET body = body WHERE id < 3"),
      {"an insert id", "DO LAST_INSERT_ID(5)", {}, [](Answer& a) { only(a).tag += "id 7"; }},
      {"another error", "SELECT * FROM nowhere", {}, [](Answer& a) { only(a).sqlstate = "1054"; }},
      {"another message", "SELECT * FROM nowhere", {}, [](Answer& a) { only(a).context += "!"; }},
      asked_wrongly("an error of another table", "SELECT * FROM nowhere", "SELECT * FROM elsewhere"),
      {"a lost warning", "SELECT CAST('12x' AS SIGNED)", {}, [](Answer& a) { only(a).warnings.clear(); }},
      asked_wrongly("another warning", "SELECT CAST('12x' AS SIGNED) AS a", "SELECT CAST('12y' AS SIGNED) AS a"),
      {"warnings that are not counted", "SELECT CAST('12x' AS SIGNED)", {}, [](Answer& a) { only(a).tag.clear(); }},
      {"an error for an answer",
       by_status,
       {},
       [](Answer& a) { only(a).kind = Result::Kind::error, only(a).sqlstate = "1105"; }},
      {"an answer for an error",
       "SELECT * FROM nowhere",
       {},
       [](Answer& a) { only(a).kind = Result::Kind::rows, only(a).sqlstate.clear(); }},
      {"autocommit lost", by_status, {}, [](Answer& a) { a.transaction = 'i'; }},
  };
}

std::vector<Fault> harmless() {
  return {
      {"a float within the tolerance", "SELECT SUM(amount * 1e0) AS f FROM orders", floats({"f"}),
       [](Answer& a) {
         std::string& value = *only(a).rows.at(0).at(0);
         value = fmt::format("{}", std::stod(value) * (1 + 4e-16));
       },
       false},
      {"another spelling of a group",
       "SELECT 'PARIS ' AS n",
       spelling({"n"}),
       {},
       false,
       {},
       {"SELECT 'paris ' AS n"}},
  };
}

}  // namespace

std::vector<std::vector<Fault>> mysql_faults() {
  return {row_faults(), order_faults(), column_faults(), value_faults(), command_faults(), harmless()};
}

}  // namespace anabranch::differential
