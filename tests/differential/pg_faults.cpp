#include "pg_faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace anabranch::differential {
namespace {

double read_number(const std::string& value, int format) {
  if (format == 0) return std::stod(value);
  uint64_t bits = 0;
  for (const char c : value) bits = bits << 8 | static_cast<unsigned char>(c);
  return std::bit_cast<double>(bits);
}

std::string write_number(double number, int format) {
  if (format == 0) return fmt::format("{}", number);
  const uint64_t bits = std::bit_cast<uint64_t>(number);
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((bits >> shift) & 0xff);
  return out;
}

void scale_number(Answer& answer, double factor) {
  const int format = only(answer).columns.at(0).format;
  std::string& value = *only(answer).rows.at(0).at(0);
  value = write_number(read_number(value, format) * factor, format);
}

const std::string by_status = "SELECT status, count(*) AS n FROM orders GROUP BY status";
const std::string all_orders = "SELECT user_id, order_no, status FROM orders";
const std::string in_order = "SELECT user_id, order_no FROM orders ORDER BY user_id, order_no";

std::vector<Fault> row_faults() {
  return {
      {"a dropped row", all_orders, {}, [](Answer& a) { only(a).rows.pop_back(); }},
      {"a dropped row, ordered", in_order, total_order(), [](Answer& a) { only(a).rows.pop_back(); }},
      {"no rows at all", all_orders, {}, [](Answer& a) { only(a).rows.clear(); }},
      {"a row twice", all_orders, {}, [](Answer& a) { only(a).rows.push_back(only(a).rows[3]); }},
      {"a row twice and another lost",
       all_orders,
       {},
       [](Answer& a) { only(a).rows[4] = only(a).rows[3]; }},
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
      {"two groups swapped their counts",
       by_status,
       {},
       [](Answer& a) {
         // The server gives groups in an order of its own: the first two may count alike.
         auto& rows = only(a).rows;
         const auto other = std::ranges::find_if(rows, [&](const Row& row) { return row[1] != rows[0][1]; });
         std::swap(rows.at(0)[1], rows.at(static_cast<std::size_t>(other - rows.begin()))[1]);
       }},
      {"a trailing space", all_orders, {}, [](Answer& a) { *only(a).rows.at(2)[0] += ' '; }},
  };
}

std::vector<Fault> order_faults() {
  return {
      {"two rows swapped", in_order, total_order(),
       [](Answer& a) { std::swap(only(a).rows.at(0), only(a).rows.at(1)); }},
      {"two rows swapped that do not tie", "SELECT user_id, status FROM orders ORDER BY user_id",
       ordered_by({0}), [](Answer& a) { std::swap(only(a).rows.front(), only(a).rows.back()); }},
      {"shards one after another",
       in_order,
       total_order(),
       {},
       true,
       {},
       {"SELECT user_id, order_no FROM (SELECT * FROM orders WHERE user_id % 2 = 0 ORDER BY "
        "user_id,"
        " order_no) a UNION ALL SELECT user_id, order_no FROM (SELECT * FROM orders WHERE user_id %"
        " 2 <> 0 ORDER BY user_id, order_no) b"}},
      {"a lost hidden sort key",
       "SELECT name FROM users ORDER BY id",
       total_order(),
       {},
       true,
       {},
       {"SELECT name FROM users ORDER BY name, id"}},
      {"a hidden sort column left in",
       "SELECT name FROM users ORDER BY id",
       total_order(),
       {},
       true,
       {},
       {"SELECT name, id FROM users ORDER BY id"}},
      {"text ordered by bytes",
       "SELECT name FROM users ORDER BY name, id",
       total_order(),
       {},
       true,
       {},
       {"SELECT name FROM users ORDER BY name COLLATE \"C\", id"}},
      {"NULLS FIRST ignored",
       "SELECT age, id FROM users ORDER BY age NULLS FIRST, id",
       ordered_by({0}),
       {},
       true,
       {},
       {"SELECT age, id FROM users ORDER BY age, id"}},
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
      {"LIMIT: one row twice",
       "SELECT id, age FROM users ORDER BY age LIMIT 5",
       {},
       [](Answer& a) { only(a).rows.at(1) = only(a).rows.at(0); },
       true,
       "SELECT id, age FROM users ORDER BY age"},
      {"LIMIT: not the first rows",
       "SELECT id, age FROM users ORDER BY age LIMIT 5",
       ordered_by({1}),
       {},
       true,
       "SELECT id, age FROM users ORDER BY age",
       {"SELECT id, age FROM users ORDER BY age OFFSET 40 LIMIT 5"}},
      {"LIMIT per shard",
       "SELECT id FROM users ORDER BY id LIMIT 4",
       total_order(),
       {},
       true,
       {},
       {"(SELECT id FROM users WHERE id % 2 = 0 ORDER BY id LIMIT 4) UNION ALL (SELECT id FROM "
        "users WHERE id % 2 <> 0 ORDER BY id LIMIT 4)"}},
  };
}

std::vector<Fault> column_faults() {
  return {
      {"a column's name", by_status, {}, [](Answer& a) { only(a).columns[1].name = "sum"; }},
      {"a column's type",
       by_status,
       {},
       [](Answer& a) { only(a).columns[1].type = "1700", only(a).columns[1].oid = 1700; }},
      {"a type modifier lost",
       "SELECT amount FROM orders",
       {},
       [](Answer& a) { only(a).columns[0].typmod = -1; }},
      {"a column's format", by_status, {}, [](Answer& a) { only(a).columns[0].format ^= 1; }},
      {"a column too many",
       by_status,
       {},
       [](Answer& a) { only(a).columns.push_back(only(a).columns[0]); }},
      {"a column's table",
       "SELECT mood FROM users",
       {},
       [](Answer& a) { only(a).columns[0].table = "orders"; }},
      {"an enum's type",
       "SELECT mood FROM users",
       {},
       [](Answer& a) { only(a).columns[0].type = "25"; }},
  };
}

std::vector<Fault> value_faults() {
  return {
      {"another scale: 1.0 as 1.00",
       "SELECT 1.0",
       {},
       {},
       true,
       {},
       {"SELECT 1.00 AS \"?column?\""}},
      {"average of averages",
       "SELECT avg(amount) FROM orders",
       {},
       {},
       true,
       {},
       {"SELECT avg(a) FROM (SELECT avg(amount) a FROM orders GROUP BY user_id % 4) x"}},
      {"average with a fixed scale",
       "SELECT avg(amount) FROM orders",
       {},
       {},
       true,
       {},
       {"SELECT round(avg(amount), 4) AS avg FROM orders"}},
      {"decimals summed as floats",
       "SELECT sum(precise) FROM measurements",
       {},
       {},
       true,
       {},
       {"SELECT sum(precise::float8)::numeric(40,20) AS sum FROM measurements"}},
      {"HAVING per shard",
       "SELECT status, count(*) FROM orders GROUP BY status HAVING count(*) > 40",
       {},
       {},
       true,
       {},
       {"SELECT status, sum(n)::bigint AS count FROM (SELECT status, count(*) n FROM orders GROUP "
        "BY "
        "status, user_id % 4 HAVING count(*) > 40) x GROUP BY status"}},
      {"groups per shard",
       by_status,
       {},
       {},
       true,
       {},
       {"SELECT status, count(*) AS n FROM orders GROUP BY status, user_id % 4"}},
      {"COUNT(DISTINCT) summed over shards",
       "SELECT count(DISTINCT status) FROM orders",
       {},
       {},
       true,
       {},
       {"SELECT sum(n)::bigint AS count FROM (SELECT count(DISTINCT status) n FROM orders GROUP BY "
        "user_id % 4) x"}},
      {"windows per shard",
       "SELECT id, rank() OVER (ORDER BY id) FROM users",
       {},
       {},
       true,
       {},
       {"SELECT id, rank() OVER (PARTITION BY id % 4 ORDER BY id) FROM users"}},
      {"group keys joined as text",
       "SELECT count(*) FROM order_items GROUP BY sku, pieces",
       {},
       {},
       true,
       {},
       {"SELECT count(*) FROM order_items GROUP BY sku || pieces"}},
      {"LIMIT below GROUP BY",
       "SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 1 LIMIT 2",
       ordered_by({0}),
       {},
       true,
       {},
       {"SELECT status, count(*) FROM (SELECT * FROM orders LIMIT 80) o GROUP BY 1 ORDER BY 1 "
        "LIMIT "
        "2"}},
      {"a float that is not marked",
       "SELECT 0.1::float8 + 0.2::float8 AS f",
       {},
       [](Answer& a) { scale_number(a, 1 + 4e-16); }},
      {"a float beyond the tolerance", "SELECT sum(weight) AS f FROM orders", floats({"f"}),
       [](Answer& a) { scale_number(a, 1 + 1e-10); }},
      {"NaN for a number", "SELECT sum(weight) AS f FROM orders", floats({"f"}),
       [](Answer& a) { scale_number(a, std::nan("")); }},
      {"a numeric marked float", "SELECT sum(amount) AS f FROM orders", floats({"f"}),
       [](Answer&) {}},
  };
}

std::vector<Fault> command_faults() {
  return {
      {"a wrong tag",
       "UPDATE notes SET body = body",
       {},
       [](Answer& a) { only(a).tag = "UPDATE 11"; }},
      {"another SQLSTATE", "SELECT 1 / 0", {}, [](Answer& a) { only(a).sqlstate = "22003"; }},
      {"an error for an answer",
       by_status,
       {},
       [](Answer& a) { only(a).kind = Result::Kind::error, only(a).sqlstate = "XX000"; }},
      {"an answer for an error",
       "SELECT 1 / 0",
       {},
       [](Answer& a) { only(a).kind = Result::Kind::rows, only(a).sqlstate.clear(); }},
      {"a refusal of our own where the server refuses too",
       "SELECT count(*) FROM users FOR UPDATE",
       {},
       [](Answer& a) { only(a).message = "refused: FOR UPDATE"; }},
      {"a transaction left open", by_status, {}, [](Answer& a) { a.transaction = 'T'; }},
      {"an answer missing", by_status, {}, [](Answer& a) { a.results.clear(); }},
      {"a second answer", by_status, {}, [](Answer& a) { a.results.push_back(only(a)); }},
  };
}

std::vector<Fault> harmless() {
  const auto shuffle = [](Answer& a) { std::ranges::reverse(only(a).rows); };
  return {
      {"nothing", all_orders, {}, [](Answer&) {}, false},
      {"another order where none is fixed", all_orders, {}, shuffle, false},
      {"another order among ties", "SELECT 1 AS k, id FROM users ORDER BY k", ordered_by({0}),
       shuffle, false},
      {"a float within the tolerance", "SELECT sum(weight) AS f FROM orders", floats({"f"}),
       [](Answer& a) { scale_number(a, 1 + 4e-16); }, false},
      {"another spelling of a group",
       "SELECT 1.0 AS n",
       spelling({"n"}),
       {},
       false,
       {},
       {"SELECT 1.00 AS n"}},
      {"the other zero",
       "SELECT '-0'::float8 AS n",
       spelling({"n"}),
       {},
       false,
       {},
       {"SELECT '0'::float8 AS n"}},
      {"LIMIT: another of the tied",
       "SELECT 1 AS k, id FROM users ORDER BY k LIMIT 3",
       ordered_by({0}),
       {},
       false,
       "SELECT 1 AS k, id FROM users ORDER BY k",
       {"SELECT 1 AS k, id FROM users ORDER BY k, id DESC LIMIT 3"}},
  };
}

}  // namespace

std::vector<std::vector<Fault>> pg_faults() {
  return {row_faults(), order_faults(), column_faults(), value_faults(), command_faults(), harmless()};
}

}  // namespace anabranch::differential
