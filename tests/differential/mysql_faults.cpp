#include "mysql_faults.h"

#include <fmt/format.h>

#include <algorithm>

namespace anabranch::differential {
namespace {

const std::string by_status = "SELECT status, COUNT(*) AS n FROM orders GROUP BY status";
const std::string all_orders = "SELECT user_id, order_no, status FROM orders";
const std::string in_order = "SELECT user_id, order_no FROM orders ORDER BY user_id, order_no";

/// Other rows under the same columns.
Fault asked_wrongly(std::string name, std::string sql, std::string faulty, Rules rules = {}) {
  return {.name = std::move(name), .sql = std::move(sql), .rules = std::move(rules), .plant = {}, .faulty = {std::move(faulty)}};
}

std::vector<Fault> row_faults() {
  return {
      {"a dropped row", all_orders, {}, [](Answer& a) { only(a).rows.pop_back(); }},
      {"a dropped row, ordered", in_order, total_order(), [](Answer& a) { only(a).rows.pop_back(); }},
      {"no rows at all", all_orders, {}, [](Answer& a) { only(a).rows.clear(); }},
      {"a row twice", all_orders, {}, [](Answer& a) { only(a).rows.push_back(only(a).rows[3]); }},
      {"a row twice and another lost", all_orders, {}, [](Answer& a) { only(a).rows[4] = only(a).rows[3]; }},
      {"NULL for an empty string",
       "SELECT id, nick FROM users WHERE nick = ''",
       {},
       [](Answer& a) { only(a).rows.at(0)[1].reset(); }},
      {"an empty string for NULL",
       "SELECT id, nick FROM users WHERE nick IS NULL",
       {},
       [](Answer& a) { only(a).rows.at(0)[1] = ""; }},
      {"the group NULL called 'NULL'",
       by_status,
       {},
       [](Answer& a) {
         for (Row& row : only(a).rows) row[0] = row[0].value_or("NULL");
       }},
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
      {"two rows swapped", in_order, total_order(),
       [](Answer& a) { std::swap(only(a).rows.at(0), only(a).rows.at(1)); }},
      {"two rows swapped that do not tie", "SELECT user_id, status FROM orders ORDER BY user_id", ordered_by({0}),
       [](Answer& a) { std::swap(only(a).rows.front(), only(a).rows.back()); }},
      asked_wrongly("a lost hidden sort key", "SELECT name FROM users ORDER BY id",
                    "SELECT name FROM users ORDER BY name, id", total_order()),
      asked_wrongly("a hidden sort column left in", "SELECT name FROM users ORDER BY id",
                    "SELECT name, id FROM users ORDER BY id", total_order()),
      asked_wrongly("text ordered by bytes", "SELECT name FROM users ORDER BY name, id",
                    "SELECT name FROM users ORDER BY BINARY name, id", total_order()),
      asked_wrongly("an enum ordered by its name", "SELECT mood FROM users ORDER BY mood, id",
                    "SELECT mood FROM users ORDER BY CAST(mood AS CHAR), id", total_order()),
      asked_wrongly("NULL last", "SELECT age, id FROM users ORDER BY age, id",
                    "SELECT age, id FROM users ORDER BY age IS NULL, age, id", ordered_by({0})),
      {"LIMIT: a row of elsewhere",
       "SELECT status FROM orders ORDER BY status LIMIT 5",
       {},
       [](Answer& a) { only(a).rows.at(4)[0] = "elsewhere"; },
       true,
       "SELECT status FROM orders ORDER BY status"},
      {"LIMIT: a row too few",
       "SELECT status FROM orders ORDER BY status LIMIT 5",
       {},
       [](Answer& a) { only(a).rows.pop_back(); },
       true,
       "SELECT status FROM orders ORDER BY status"},
      asked_wrongly("LIMIT per shard", "SELECT id FROM users ORDER BY id LIMIT 4",
                    "(SELECT id FROM users WHERE id % 2 = 0 ORDER BY id LIMIT 4) UNION ALL (SELECT id FROM users WHERE"
                    " id % 2 <> 0 ORDER BY id LIMIT 4)",
                    total_order()),
  };
}

std::vector<Fault> column_faults() {
  return {
      {"a column's name", by_status, {}, [](Answer& a) { only(a).columns[1].name = "sum"; }},
      {"a column's type", by_status, {}, [](Answer& a) { only(a).columns[1].type = "246"; }},
      {"a column too many", by_status, {}, [](Answer& a) { only(a).columns.push_back(only(a).columns[0]); }},
      {"a column's table", "SELECT mood FROM users", {}, [](Answer& a) { only(a).columns[0].table = "orders"; }},
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
      {"a transaction left open", by_status, {}, [](Answer& a) { a.transaction = 'T'; }},
      {"autocommit lost", by_status, {}, [](Answer& a) { a.transaction = 'i'; }},
      {"an answer missing", by_status, {}, [](Answer& a) { a.results.clear(); }},
      {"a second answer", by_status, {}, [](Answer& a) { a.results.push_back(only(a)); }},
  };
}

std::vector<Fault> harmless() {
  const auto shuffle = [](Answer& a) { std::ranges::reverse(only(a).rows); };
  return {
      {"nothing", all_orders, {}, [](Answer&) {}, false},
      {"another order where none is fixed", all_orders, {}, shuffle, false},
      {"another order among ties", "SELECT 1 AS k, id FROM users ORDER BY k", ordered_by({0}), shuffle, false},
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
