#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "random_mysql_query.h"

/// What stands in FROM: tables, derived tables, CTEs and all kinds of joins.
namespace anabranch::differential {

namespace {

constexpr int most_pairs = 10000;  // rows that a join may try

std::string collated(const std::string& ref, const std::string& collation) {
  return collation == "latin1_swedish_ci" || collation.empty() ? fmt::format("CONVERT({} USING utf8mb4)", ref) : ref;
}

}  // namespace

const std::string& MysqlQueries::any_table() {
  return one_of(tables()).from;
}

MysqlQueries::Source MysqlQueries::any_source(const std::string& alias) {
  if (chance(12)) return derived(alias);
  return table(any_table(), alias);
}

/// A SELECT in FROM or WITH. Its LIMIT is behind a total order: what lies outside it must be determined.
MysqlQueries::Source MysqlQueries::derived(const std::string& alias) {
  const Source from = table(any_table(), "d");
  Source out;
  out.alias = alias;
  out.rows = from.rows;
  std::vector<std::string> items;
  const int count = 2 + below(2);
  for (int i = 0; i < count; ++i) {
    Column column = any_column(from);
    // In latin1 such a column cannot be sent to one shard beside literals yet: an error, not another answer.
    if (column.collation.starts_with("latin1")) column = from.columns.front();
    items.push_back(fmt::format("{} AS x{}", from.ref(column), i + 1));
    column.name = fmt::format("x{}", i + 1);
    column.traits &= ~static_cast<unsigned>(key);
    out.columns.push_back(std::move(column));
  }
  const std::string where = conditions({"", "", {from}, from.rows}, 1);
  std::string sql = fmt::format("SELECT {} FROM {}{}", fmt::join(items, ", "), from.from, where);
  if (!from.unique.empty() && chance(25)) {
    sql += fmt::format(" ORDER BY {} LIMIT {}", fmt::join(from.unique, ", "), 1 + below(20));
  }
  if (chance(50)) {
    out.from = fmt::format("({}) {}", sql, alias);
    return out;
  }
  const std::string name = fmt::format("w{}", ++made_);
  with_ += fmt::format("{}{} AS ({})", with_.empty() ? "" : ", ", name, sql);
  out.from = name + " " + alias;
  return out;
}

MysqlQueries::Block MysqlQueries::block() {
  Block out;
  switch (below(10)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const Source source = any_source("t");
      out = {source.from, "", {source}, source.rows};
      break;
    }
    case 4:
    case 5:
    case 6:
      out = joined_by_key();
      break;
    case 7:
      out = joined_by_name();
      break;
    default:
      out = joined();
      break;
  }
  out.where = conditions(out, 2);
  return out;
}

/// Of tables whose rows lie beside each other, and reference tables.
MysqlQueries::Block MysqlQueries::joined_by_key() {
  static const std::vector<std::string> family = {"users", "orders", "order_items"};
  static const std::vector<std::string> joins = {"JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "STRAIGHT_JOIN", "INNER JOIN"};
  Block out;
  std::string first_key;
  const int count = 1 + below(3);
  for (int i = 0; i < count; ++i) {
    const Source source = table(one_of(family), fmt::format("t{}", i));
    const std::string key = source.ref(source.columns.front());
    if (i == 0) {
      first_key = key;
      out.from = source.from;
    } else {
      // A user's orders times items times orders are many: the third table is kept small.
      const bool is_users = source.columns.front().name == "id";
      const std::string small = i == 2 && !is_users ? fmt::format(" AND {}.order_no = 1", source.alias) : "";
      out.from += fmt::format(" {} {} ON {} = {}{}", one_of(joins), source.from, first_key, key, small);
    }
    out.rows = std::max(out.rows * 4, source.rows);
    out.sources.push_back(source);
  }
  if (chance(30)) {
    const Source& source = out.sources.front();
    const bool by_country = source.columns.front().name == "id";
    const bool by_currency = source.columns.size() == 12;
    if (!by_country && !by_currency) return out;
    const Source reference = table(by_country ? "countries" : "currencies", "r");
    out.from += fmt::format(" {} {} ON {}.{} = r.code", chance(50) ? "LEFT JOIN" : "JOIN", reference.from, source.alias,
                            by_country ? "country" : "currency");
    out.sources.push_back(reference);
  }
  return out;
}

/// NATURAL and USING.
MysqlQueries::Block MysqlQueries::joined_by_name() {
  struct Pair {
    std::string left;
    std::string right;
    std::string common;
  };
  static const std::vector<Pair> pairs = {
      {"orders", "order_items", "user_id, order_no"},
      {"orders", "order_items", "user_id"},
      {"users", "countries", "name"},
      {"places", "countries", "people"},
      {"orders", "logins", "user_id"},
      {"events", "notes", "id"},
      {"stock", "orders", "amount"},
      {"countries", "currencies", "code"},
  };
  static const std::vector<std::string> joins = {"JOIN", "LEFT JOIN", "RIGHT JOIN"};
  const Pair& pair = one_of(pairs);
  const Source a = table(pair.left, "a");
  const Source b = table(pair.right, "b");
  Block out{"", "", {a, b}, std::max(a.rows, b.rows) * 4};
  const std::string& join = one_of(joins);
  out.from = chance(40) ? fmt::format("{} NATURAL {} {}", a.from, join, b.from)
                        : fmt::format("{} {} {} USING ({})", a.from, join, b.from, pair.common);
  return out;
}

/// "a.x = b.y" of columns that can be compared; nothing: they have none.
std::string MysqlQueries::match(const Source& a, const Source& b, const std::string& op) {
  std::vector<std::string> pairs;
  for (const Column& left : a.columns) {
    for (const Column& right : b.columns) {
      const bool numbers = left.kind <= Kind::decimal && right.kind <= Kind::decimal;
      const bool moments = (left.kind == Kind::date || left.kind == Kind::datetime) &&
                           (right.kind == Kind::date || right.kind == Kind::datetime);
      const bool texts = left.kind == Kind::text && right.kind == Kind::text;
      // What a DECIMAL of many digits is as the other's integer is warned of where an index is asked for it.
      const bool cut = left.kind != right.kind && (left.is(extreme) || right.is(extreme));
      if (numbers && cut) continue;
      if (!numbers && !moments && !texts && (left.kind != right.kind || left.kind == Kind::other)) continue;
      const bool mixed = texts && (left.collation != right.collation || left.collation.empty());
      pairs.push_back(mixed ? fmt::format("{} COLLATE {} {} {}", collated(a.ref(left), left.collation),
                                          left.collation.starts_with("utf8mb4") ? left.collation : "utf8mb4_general_ci",
                                          op, collated(b.ref(right), right.collation))
                            : fmt::format("{} {} {}", a.ref(left), op, b.ref(right)));
    }
  }
  return pairs.empty() ? "" : one_of(pairs);
}

/// Any tables, by anything or nothing, and sometimes a small third one.
MysqlQueries::Block MysqlQueries::joined() {
  static const std::vector<std::string> kinds = {"JOIN", "LEFT JOIN", "RIGHT JOIN", "STRAIGHT_JOIN", "CROSS JOIN"};
  static const std::vector<std::string> operators = {"=", "=", "=", "<=>", "<", ">="};
  const Source a = any_source("a");
  Source b = any_source("b");
  if (a.rows * b.rows > most_pairs) b = table("tags", "b");
  const std::string& kind = one_of(kinds);
  const std::string on = match(a, b, one_of(operators));
  Block out{"", "", {a, b}, a.rows * 4};
  // Without a condition only CROSS JOIN and the comma stand.
  if (on.empty() || kind == "CROSS JOIN") {
    out.from = fmt::format("{}{}{}", a.from, chance(50) ? ", " : " CROSS JOIN ", b.from);
    out.rows = a.rows * b.rows;
  } else {
    const std::string more = chance(30) ? " AND " + any_predicate(out) : "";
    out.from = fmt::format("{} {} {} ON {}{}", a.from, kind, b.from, on, more);
  }
  if (chance(25)) {
    static const std::vector<std::string> small = {"countries", "currencies", "stock", "notes"};
    static const std::vector<std::string> outer = {"JOIN", "LEFT JOIN"};
    const Source c = table(one_of(small), "c");
    const std::string tie = match(c, chance(50) ? a : b, "=");
    if (tie.empty() || out.from.contains(", ")) return out;
    out.from += fmt::format(" {} {} ON {}", one_of(outer), c.from, tie);
    out.sources.push_back(c);
  }
  return out;
}

std::string MysqlQueries::conditions(const Block& block, int most) {
  std::vector<std::string> parts;
  const int count = below(most + 1);
  parameters_ = parameters_wanted_;
  for (int i = 0; i < count; ++i) parts.push_back(condition(block));
  parameters_ = false;
  return parts.empty() ? "" : fmt::format(" WHERE {}", fmt::join(parts, " AND "));
}

}  // namespace anabranch::differential
