#include "shared_faults.h"

#include <algorithm>
#include <utility>

namespace anabranch::differential {
namespace {

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

std::vector<Fault> reply_faults() {
  return {
      {"a column's name", by_status, {}, [](Answer& a) { only(a).columns[1].name = "sum"; }},
      {"a column too many", by_status, {}, [](Answer& a) { only(a).columns.push_back(only(a).columns[0]); }},
      {"a column's table", "SELECT mood FROM users", {}, [](Answer& a) { only(a).columns[0].table = "orders"; }},
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
      {"another order among ties", "SELECT 1 AS k, id FROM users ORDER BY k", ordered_by({0}), shuffle, false},
  };
}

}  // namespace

std::vector<std::vector<Fault>> shared_faults() { return {row_faults(), order_faults(), reply_faults(), harmless()}; }

}  // namespace anabranch::differential
