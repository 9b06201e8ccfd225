#include "pg_faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "shared_faults.h"

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

std::vector<Fault> row_faults() {
  return {
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
      asked_wrongly("shards one after another", in_order,
                    "SELECT user_id, order_no FROM (SELECT * FROM orders WHERE user_id % 2 = 0 "
                    "ORDER BY user_id, order_no) a UNION ALL SELECT user_id, order_no FROM "
                    "(SELECT * FROM orders WHERE user_id % 2 <> 0 ORDER BY user_id, order_no) b", total_order()),
      asked_wrongly("text ordered by bytes", "SELECT name FROM users ORDER BY name, id",
                    "SELECT name FROM users ORDER BY name COLLATE \"C\", id", total_order()),
      asked_wrongly("NULLS FIRST ignored", "SELECT age, id FROM users ORDER BY age NULLS FIRST, id",
                    "SELECT age, id FROM users ORDER BY age, id", ordered_by({0})),
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
  };
}

std::vector<Fault> column_faults() {
  return {
      {"a column's type",
       by_status,
       {},
       [](Answer& a) { only(a).columns[1].type = "1700", only(a).columns[1].oid = 1700; }},
      {"a type modifier lost",
       "SELECT amount FROM orders",
       {},
       [](Answer& a) { only(a).columns[0].typmod = -1; }},
      {"a column's format", by_status, {}, [](Answer& a) { only(a).columns[0].format ^= 1; }},
      {"an enum's type",
       "SELECT mood FROM users",
       {},
       [](Answer& a) { only(a).columns[0].type = "25"; }},
  };
}

std::vector<Fault> value_faults() {
  return {
      asked_wrongly("another scale: 1.0 as 1.00", "SELECT 1.0", "SELECT 1.00 AS \"?column?\""),
      asked_wrongly("average of averages", "SELECT avg(amount) FROM orders",
                    "SELECT avg(a) FROM (SELECT avg(amount) a FROM orders GROUP BY user_id % "
                    "4) x"),
      asked_wrongly("average with a fixed scale", "SELECT avg(amount) FROM orders",
                    "SELECT round(avg(amount), 4) AS avg FROM orders"),
      asked_wrongly("decimals summed as floats", "SELECT sum(precise) FROM measurements",
                    "SELECT sum(precise::float8)::numeric(40,20) AS sum FROM measurements"),
      asked_wrongly("HAVING per shard", "SELECT status, count(*) FROM orders GROUP BY status HAVING count(*) > 40",
                    "SELECT status, sum(n)::bigint AS count FROM (SELECT status, count(*) n "
                    "FROM orders GROUP BY status, user_id % 4 HAVING count(*) > 40) x GROUP BY "
                    "status"),
      asked_wrongly("groups per shard", by_status,
                    "SELECT status, count(*) AS n FROM orders GROUP BY status, user_id % 4"),
      asked_wrongly("COUNT(DISTINCT) summed over shards", "SELECT count(DISTINCT status) FROM orders",
                    "SELECT sum(n)::bigint AS count FROM (SELECT count(DISTINCT status) n FROM "
                    "orders GROUP BY user_id % 4) x"),
      asked_wrongly("windows per shard", "SELECT id, rank() OVER (ORDER BY id) FROM users",
                    "SELECT id, rank() OVER (PARTITION BY id % 4 ORDER BY id) FROM users"),
      asked_wrongly("group keys joined as text", "SELECT count(*) FROM order_items GROUP BY sku, pieces",
                    "SELECT count(*) FROM order_items GROUP BY sku || pieces"),
      asked_wrongly("LIMIT below GROUP BY", "SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 1 LIMIT 2",
                    "SELECT status, count(*) FROM (SELECT * FROM orders LIMIT 80) o GROUP BY 1 "
                    "ORDER BY 1 LIMIT 2", ordered_by({0})),
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
  };
}

std::vector<Fault> harmless() {
  return {
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
