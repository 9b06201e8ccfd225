#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "random_pg_query.h"

/// Queries whose rows have to be brought together: joins that no key ties, subqueries over all rows, windows, grouping
/// sets, set operations.
namespace anabranch::differential {

namespace {

bool is_uuid(const std::string& table, const std::string& column) {
  return table == "docs" && column == "id";
}

}  // namespace

const PgQueries::Table& PgQueries::any_table() {
  return one_of(tables());
}

/// "a.x = b.y" of columns that can be compared; nothing: they have none.
std::string PgQueries::match(const Source& a, const Source& b, const std::string& op) {
  std::vector<std::string> pairs;
  for (const Column& left : a.table->columns) {
    for (const Column& right : b.table->columns) {
      const bool uuid = is_uuid(a.table->name, left.name) || is_uuid(b.table->name, right.name);
      if (left.kind != right.kind || uuid || left.kind == Kind::boolean) continue;
      const std::string collation = left.kind == Kind::text ? " COLLATE \"C\"" : "";
      pairs.push_back(fmt::format("{}.{}{} {} {}.{}", a.alias, left.name, collation, op, b.alias, right.name));
    }
  }
  return pairs.empty() ? "" : one_of(pairs);
}

PgQueries::Block PgQueries::joined() {
  if (chance(30)) return joined_by_key_and_more();
  while (true) {
    const Source a{&any_table(), "a"};
    const Source b{&any_table(), "b"};
    const std::string on = match(a, b, "=");
    if (on.empty()) continue;
    static const std::vector<std::string> kinds = {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"};
    const std::string& kind = one_of(kinds);
    Block out;
    out.sources = {a, b};
    // Only equalities can be merged or hashed, as FULL JOIN needs.
    const std::string more = kind != "FULL JOIN" && chance(30) ? " AND " + any_predicate(out) : "";
    out.from = fmt::format("{} a {} {} b ON {}{}", a.table->name, kind, b.table->name, on, more);
    out.where = where(out);
    if (chance(40)) out.where += (out.where.empty() ? " WHERE " : " AND ") + any_subquery(out);
    return out;
  }
}

/// Two tables that each shard can join for itself, and a third one.
PgQueries::Block PgQueries::joined_by_key_and_more() {
  struct Pair {
    const char* left;
    const char* right;
    const char* on;
  };
  static const std::vector<Pair> pairs = {
      {"users", "orders", "a.id = b.user_id"},
      {"users", "order_items", "b.user_id = a.id"},
      {"orders", "order_items", "a.user_id = b.user_id AND a.order_no = b.order_no"},
      {"orders", "order_items", "a.user_id = b.user_id"},
      {"users", "countries", "b.code = a.country"},
  };
  while (true) {
    const Pair& pair = one_of(pairs);
    const Source a{&table(pair.left), "a"};
    const Source b{&table(pair.right), "b"};
    const Source c{&any_table(), "c"};
    const std::string on = match(c, chance(50) ? a : b, "=");
    if (on.empty()) continue;
    static const std::vector<std::string> kinds = {"JOIN", "JOIN", "LEFT JOIN", "FULL JOIN"};
    Block out;
    out.sources = {a, b, c};
    out.from = chance(50) ? fmt::format("{} a JOIN {} b ON {} {} {} c ON {}", pair.left, pair.right, pair.on, one_of(kinds),
                                        c.table->name, on)
                          : fmt::format("{} a, {} b, {} c", pair.left, pair.right, c.table->name);
    out.where = where(out);
    const auto add = [&](const std::string& condition) {
      out.where += (out.where.empty() ? " WHERE " : " AND ") + condition;
    };
    if (!out.from.contains("JOIN")) {
      add(pair.on);
      add(on);
    }
    if (chance(40)) add(any_subquery(out));
    return out;
  }
}

/// Of any table, tied by anything or nothing.
std::string PgQueries::any_subquery(const Block& block) {
  const Source& outer = one_of(block.sources);
  const Source inner{&any_table(), "s"};
  const std::string condition = predicate(inner, any_column(*inner.table));
  const std::string tie = match(inner, outer, "=");
  if (tie.empty()) return condition.empty() ? "true" : any_predicate(block);
  const std::size_t equals = tie.find(" = ");
  // A subquery's column has its collation as tables' columns have theirs: of two, neither wins, and whether that is an
  // error depends on which rows are compared at all.
  const std::string compared = tie.substr(equals + 3) + (tie.contains("COLLATE") ? " COLLATE \"C\"" : "");
  switch (below(5)) {
    case 0:
      return fmt::format("{}EXISTS (SELECT 1 FROM {} s WHERE {} AND {})", chance(50) ? "" : "NOT ", inner.table->name,
                         tie, condition);
    case 1:
      return fmt::format("{} {}IN (SELECT {} FROM {} s WHERE {})", compared, chance(50) ? "" : "NOT ", tie.substr(0, equals),
                         inner.table->name, condition);
    case 2:
      return fmt::format("(SELECT count(*) FROM {} s WHERE {}) > {}", inner.table->name, tie, below(3));
    case 3: {
      const Column* number = column_of(*outer.table, Kind::integer);
      const Column* other = column_of(*inner.table, Kind::integer);
      if (number == nullptr || other == nullptr) return any_predicate(block);
      static const std::vector<std::string> shapes = {"> (SELECT avg(s.X)", "<= (SELECT max(s.X)",
                                                      "< ANY (SELECT s.X", ">= ALL (SELECT s.X"};
      std::string shape = one_of(shapes);
      shape.replace(shape.find('X'), 1, other->name);
      return fmt::format("{}.{} {} FROM {} s WHERE {})", outer.alias, number->name, shape, inner.table->name, condition);
    }
    default:
      return fmt::format("{} IS NOT DISTINCT FROM (SELECT {} FROM {} s ORDER BY 1 LIMIT 1)", compared,
                         tie.substr(0, equals), inner.table->name);
  }
}

/// Windows whose values do not depend on the order of equals.
RandomQuery PgQueries::windowed() {
  const Block from = chance(50) ? joined() : block();
  std::vector<Output> outputs;
  for (int i = 0; i < 2; ++i) {
    const Source& source = one_of(from.sources);
    outputs.push_back({source.alias + "." + any_column(*source.table).name, "", false, false, true});
  }
  const Source& source = one_of(from.sources);
  const std::string partition =
      chance(70) ? fmt::format("PARTITION BY {}.{} ", source.alias, any_column(*source.table).name) : "";
  const Column* number = column_of(*source.table, Kind::integer);
  const std::string x = number == nullptr ? "1" : source.alias + "." + number->name;
  static const std::vector<std::string> shapes = {
      "rank() OVER (PORDER BY O)",          "dense_rank() OVER (PORDER BY O DESC NULLS LAST)",
      "count(*) OVER (P)",                  "sum(X) OVER (PORDER BY O)",
      "max(X) OVER (PORDER BY O RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP)",
      "cume_dist() OVER (PORDER BY O)",     "count(X) OVER (PORDER BY O GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING)"};
  std::string sql = one_of(shapes);
  const auto put = [&](char place, const std::string& text) {
    for (auto at = sql.find(std::string("(") + place); at != std::string::npos; at = sql.find(std::string("(") + place, at + text.size() + 1)) {
      sql.replace(at + 1, 1, text);
    }
  };
  put('X', x);
  const std::size_t p = sql.find("OVER (P");
  sql.replace(p + 6, 1, partition);
  if (const std::size_t o = sql.find("ORDER BY O"); o != std::string::npos) sql.replace(o + 9, 1, outputs.front().sql);
  outputs.push_back({sql, "", false, false, true});
  const std::string list = select_list(outputs);
  return finish(fmt::format("SELECT {} FROM {}{}", list, from.from, from.where), outputs, false);
}

RandomQuery PgQueries::grouping_sets() {
  const Block from = chance(50) ? joined() : block();
  std::vector<std::string> groups;
  std::vector<Output> outputs;
  // Of one table: columns that a join says to be equal are sorted by once, though sets tell them apart (PostgreSQL
  // before 18 leaves the second key out).
  const Source& source = one_of(from.sources);
  for (int i = 0; i < 2; ++i) {
    const Column& column = any_column(*source.table);
    const std::string sql = source.alias + "." + column.name;
    if (std::ranges::find(groups, sql) != groups.end()) continue;
    groups.push_back(sql);
    outputs.push_back({sql, "", false, column.respelt, true});
  }
  outputs.push_back({fmt::format("grouping({})", fmt::join(groups, ", ")), "", false, false, true});
  outputs.push_back(aggregate(from));
  static const std::vector<std::string> kinds = {"ROLLUP ({})", "CUBE ({})", "GROUPING SETS (({}), ())"};
  const std::string sets = fmt::format(fmt::runtime(one_of(kinds)), fmt::join(groups, ", "));
  const std::string list = select_list(outputs);
  return finish(fmt::format("SELECT {} FROM {}{} GROUP BY {}", list, from.from, from.where, sets), outputs, true);
}

/// Of one column, of any tables.
RandomQuery PgQueries::set_operation() {
  static const std::vector<Kind> kinds = {Kind::integer, Kind::numeric, Kind::text, Kind::time};
  static const std::vector<std::string> operators = {"UNION", "UNION ALL", "EXCEPT", "EXCEPT ALL", "INTERSECT", "INTERSECT ALL"};
  const Kind kind = one_of(kinds);
  std::string sql;
  bool respelt = false;
  for (int arms = 0; arms < 2 + below(2);) {
    const Source source{&any_table(), "t"};
    const Column* column = column_of(*source.table, kind);
    if (column == nullptr || is_uuid(source.table->name, column->name)) continue;
    respelt |= column->respelt || kind == Kind::numeric;
    const std::string collation = kind == Kind::text ? " COLLATE \"C\"" : "";
    const std::string cast = kind == Kind::time ? "::timestamp" : kind == Kind::text ? "::text" : "";
    if (arms > 0) sql += " " + one_of(operators) + " ";
    sql += fmt::format("SELECT t.{}{}{} AS c1 FROM {} t WHERE {}", column->name, cast, collation, source.table->name,
                       predicate(source, any_column(*source.table)));
    ++arms;
  }
  return finish(std::move(sql), {{"c1", "c1", false, respelt, true}}, true);
}

RandomQuery PgQueries::gathered() {
  switch (below(6)) {
    case 0: return windowed();
    case 1: return grouping_sets();
    case 2: return set_operation();
    case 3: return totals(joined());
    case 4: return grouped(joined());
    default: return rows(false, joined());
  }
}

}  // namespace anabranch::differential
