#include "random_pg_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace anabranch::differential {

const std::vector<PgQueries::Table>& PgQueries::tables() {
  using enum Kind;
  static const std::vector<Table> all = {
      {"users",
       {{"id", integer, false, false, true, {"7", "42", "-1", "0", "5001", "9223372036854775807"}},
        {"name", text, false, false, false, {"'Anna 4'", "'m'", "'Ø'"}},
        {"city", text, true, false, false, {"'Köln'", "'Oslo'", "'u'"}},
        {"handle", text, true, false, false, {"'alpha1'", "'Zulu0'"}},
        {"nick", text, true, false, false, {"''", "'n3'"}},
        {"country", text, true, false, false, {"'DE'", "'XX'"}},
        {"age", integer, true, false, false, {"30", "45", "66"}},
        {"score", numeric, false, false, false, {"0", "100.5", "1500"}},
        {"active", boolean, true, false, false, {"true", "false"}},
        {"joined", time, false, false, false, {"'2021-01-01'", "'infinity'"}}}},
      {"orders",
       {{"user_id", integer, false, false, true, {"7", "42", "100", "5001"}},
        {"order_no", integer, true, false, false, {"1", "3", "5"}},
        {"placed_at", time, false, false, false, {"'2024-03-01'", "'2024-07-15 12:00'"}},
        {"status", text, true, false, false, {"'paid'", "'new'", "''", "'NULL'"}},
        {"amount", numeric, false, false, false, {"10", "500.00", "999.99"}},
        {"discount", numeric, false, true, false, {"0", "1.5", "0.25"}},
        {"weight", real, false, false, false, {"10", "55.5"}},
        {"quantity", integer, true, false, false, {"0", "5", "12"}},
        {"flags", integer, false, false, false, {"1", "128", "255"}},
        {"currency", text, true, false, false, {"'EUR'", "'XXX'"}},
        {"note", text, true, false, false, {"'gift'", "''"}}}},
      {"order_items",
       {{"user_id", integer, false, false, true, {"7", "42", "100", "5002"}},
        {"order_no", integer, true, false, false, {"1", "2", "6"}},
        {"item_no", integer, true, false, false, {"1", "3"}},
        {"sku", text, true, false, false, {"'a'", "'ab'", "'sku-1'", "''"}},
        {"price", numeric, false, true, false, {"1", "2.5", "20"}},
        {"pieces", integer, true, false, false, {"0", "4", "8"}}}},
      {"events",
       {{"id", integer, false, false, false, {"3", "90", "150"}},
        {"created_at", time, false, false, true, {"'2024-01-01'", "'2024-12-31 23:00'"}},
        {"kind", text, true, false, false, {"'click'", "'Click'", "''"}},
        {"value", integer, true, false, false, {"0", "30", "79"}}}},
      {"measurements",
       {{"sensor", integer, true, false, true, {"0", "5", "22", "99"}},
        {"seq", integer, false, false, false, {"50", "100"}},
        {"weird", real, true, true, false, {"0", "'NaN'", "'-Infinity'"}},
        {"temperature", real, false, false, false, {"20", "33.3"}},
        {"precise", numeric, false, false, false, {"0", "0.5"}},
        {"loose", numeric, true, true, false, {"1", "'NaN'", "1.00"}}}},
      {"tags",
       {{"tag", text, false, false, true, {"'red'", "'RED'", "'a b'", "''"}},
        {"uses", integer, true, false, false, {"3", "14"}},
        {"parent", text, true, false, false, {"'red'"}}}},
      {"places",
       {{"country", text, true, false, true, {"'DE'", "'NO'", "'ZZ'"}},
        {"place", text, false, false, false, {"'Osel'", "'Ösel'"}},
        {"people", integer, false, false, false, {"100000", "3000000"}}}},
      {"docs",
       {{"id", text, false, false, true, {"'00000000-0000-0000-0000-000000000000'"}},
        {"title", text, true, false, false, {"'Report 1'", "'report 2'"}},
        {"pages", integer, false, false, false, {"100", "250"}}}},
      {"logins",
       {{"user_id", integer, true, false, true, {"-5", "0", "17"}},
        {"at", time, false, false, false, {"'2024-05-02 00:00+00'"}},
        {"ok", boolean, true, false, false, {"true"}}}},
      {"countries",
       {{"code", text, true, false, false, {"'DE'"}},
        {"name", text, true, false, false, {"'Norway'"}},
        {"continent", text, true, false, false, {"'Europe'", "'Asia'"}},
        {"people", integer, false, false, false, {"60000000"}}}},
      {"currencies",
       {{"code", text, true, false, false, {"'EUR'"}},
        {"name", text, true, false, false, {"'Krone'"}},
        {"rate", numeric, true, false, false, {"0.5"}}}},
  };
  return all;
}

const PgQueries::Table& PgQueries::table(const std::string& name) {
  return *std::ranges::find(tables(), name, &Table::name);
}

const PgQueries::Column& PgQueries::any_column(const Table& from) {
  return one_of(from.columns);
}

const PgQueries::Column* PgQueries::column_of(const Table& from, Kind kind) {
  std::vector<const Column*> fitting;
  for (const Column& column : from.columns) {
    if (column.kind == kind) fitting.push_back(&column);
  }
  return fitting.empty() ? nullptr : one_of(fitting);
}

PgQueries::Block PgQueries::block() {
  Block out;
  if (chance(65)) {
    add_users_family(out);
  } else {
    static const std::vector<std::string> alone = {"events", "measurements", "tags",
                                                   "places", "docs",         "logins"};
    const std::string name = one_of(alone);
    out.sources.push_back({&table(name), "t"});
    out.from = name + " t";
  }
  out.where = where(out);
  return out;
}

/// Up to three co-located tables joined by key, and reference tables.
void PgQueries::add_users_family(Block& out) {
  static const std::vector<std::string> family = {"users", "orders", "order_items"};
  const int count = chance(45) ? 1 : chance(75) ? 2 : 3;
  std::string first_key;
  for (int i = 0; i < count; ++i) {
    const Table& t = table(one_of(family));
    const std::string alias = fmt::format("t{}", i);
    const std::string key = alias + (t.name == "users" ? ".id" : ".user_id");
    if (i == 0) {
      first_key = key;
      out.from = t.name + " " + alias;
    } else {
      // A user's orders times items times orders are many: the third table is kept small.
      const std::string small =
          i == 2 && t.name != "users" ? fmt::format(" AND {}.order_no = 1", alias) : "";
      out.from += fmt::format(" {} {} {} ON {} = {}{}", chance(70) ? "JOIN" : "LEFT JOIN", t.name,
                              alias, first_key, key, small);
    }
    out.sources.push_back({&t, alias});
  }
  if (chance(35)) add_reference(out);
}

void PgQueries::add_reference(Block& out) {
  for (const Source& source : std::vector<Source>(out.sources)) {
    const bool is_users = source.table->name == "users";
    if (!is_users && source.table->name != "orders") continue;
    const std::string name = is_users ? "countries" : "currencies";
    out.from += fmt::format(" {} {} r ON {}.{} = r.code", chance(50) ? "JOIN" : "LEFT JOIN", name,
                            source.alias, is_users ? "country" : "currency");
    out.sources.push_back({&table(name), "r"});
    return;
  }
}

std::string PgQueries::predicate(const Source& source, const Column& column) {
  const std::string name = source.alias + "." + column.name;
  const auto constant = [&] { return one_of(column.constants); };
  static const std::vector<std::string> operators = {"=", "<>", "<", "<=", ">", ">="};
  switch (below(8)) {
    case 0:
      return name + (chance(50) ? " IS NULL" : " IS NOT NULL");
    case 1:
      return fmt::format("{} IN ({}, {})", name, constant(), constant());
    case 2:
      if (column.kind != Kind::boolean) {
        return fmt::format("{} BETWEEN {} AND {}", name, constant(), constant());
      }
      [[fallthrough]];
    case 3:
      if (column.kind == Kind::text && column.name != "id") {
        return fmt::format("{} LIKE '{}'", name, chance(50) ? "%a%" : "_e%");
      }
      [[fallthrough]];
    case 4:
      return fmt::format("{} IS DISTINCT FROM {}", name, constant());
    case 5:
      if (column.kind == Kind::integer) return fmt::format("{} % 3 = 1", name);
      [[fallthrough]];
    default:
      return fmt::format("{} {} {}", name, one_of(operators), constant());
  }
}

std::string PgQueries::any_predicate(const Block& block) {
  const Source& source = one_of(block.sources);
  return predicate(source, any_column(*source.table));
}

/// EXISTS or IN over a co-located table, tied by the key.
std::string PgQueries::key_subquery(const Block& block) {
  const Source& outer = block.sources.front();
  const bool is_users = outer.table->name == "users";
  const bool in_family = is_users || outer.table->columns.front().name == "user_id";
  if (!in_family || outer.table->name == "logins") return any_predicate(block);
  const std::string key = outer.alias + (is_users ? ".id" : ".user_id");
  const Table& inner = table(chance(50) ? "orders" : "order_items");
  const std::string condition = predicate({&inner, "s"}, any_column(inner));
  if (chance(50)) {
    return fmt::format("{}EXISTS (SELECT 1 FROM {} s WHERE s.user_id = {} AND {})",
                       chance(50) ? "" : "NOT ", inner.name, key, condition);
  }
  return fmt::format("{} IN (SELECT s.user_id FROM {} s WHERE {})", key, inner.name, condition);
}

std::string PgQueries::where(const Block& block) {
  std::vector<std::string> parts;
  const int count = below(3);
  for (int i = 0; i < count; ++i) {
    if (chance(20)) {
      parts.push_back(fmt::format("({} OR {})", any_predicate(block), any_predicate(block)));
    } else if (chance(20)) {
      parts.push_back(key_subquery(block));
    } else {
      parts.push_back(any_predicate(block));
    }
  }
  return parts.empty() ? "" : fmt::format(" WHERE {}", fmt::join(parts, " AND "));
}

std::string PgQueries::filter(const Block& block) {
  return chance(20) ? fmt::format(" FILTER (WHERE {})", any_predicate(block)) : "";
}

PgQueries::Output PgQueries::plain_aggregate(const Source& source, const Column& column) {
  const std::string name = source.alias + "." + column.name;
  static const std::vector<std::string> of_integers = {
      "count(X)",          "sum(X)",          "avg(X)",         "min(X)",    "max(X)",
      "bit_and(X)",        "bit_or(X)",       "bit_xor(X)",     "stddev(X)", "var_pop(X)",
      "count(DISTINCT X)", "sum(DISTINCT X)", "avg(DISTINCT X)"};
  static const std::vector<std::string> of_numerics = {
      "count(X)", "sum(X)",         "avg(X)",      "min(X)",
      "max(X)",   "stddev_samp(X)", "variance(X)", "count(DISTINCT X)"};
  // Of whole numbers a variance that is nothing is nothing in any order of adding, and no noise.
  static const std::vector<std::string> of_reals = {
      "count(X)", "sum(X)", "avg(X)", "stddev_pop(round(X))", "var_samp(round(X))",
      "min(X)",   "max(X)", "count(DISTINCT X)"};
  static const std::vector<std::string> of_booleans = {"bool_and(X)", "bool_or(X)", "every(X)",
                                                       "count(X)", "count(DISTINCT X)"};
  static const std::vector<std::string> of_others = {"count(X)", "min(X)", "max(X)",
                                                     "count(DISTINCT X)"};
  const bool is_uuid = column.kind == Kind::text && column.name == "id";
  const auto& list = column.kind == Kind::integer   ? of_integers
                     : column.kind == Kind::numeric ? of_numerics
                     : column.kind == Kind::real    ? of_reals
                     : column.kind == Kind::boolean ? of_booleans
                                                    : of_others;
  std::string sql = is_uuid ? "count(X)" : one_of(list);
  const bool counts = sql.starts_with("count");
  const bool extreme = sql.starts_with("min") || sql.starts_with("max");
  sql.replace(sql.find('X'), 1, name);
  const bool approximate = column.kind == Kind::real && !counts && !extreme;
  return {sql, "", approximate, extreme && column.respelt, !approximate};
}

PgQueries::Output PgQueries::statistics(const Source& source) {
  static const std::vector<std::string> functions = {"corr",       "covar_pop", "covar_samp",
                                                     "regr_slope", "regr_avgx", "regr_sxy",
                                                     "regr_count", "regr_r2"};
  const bool orders = source.table->name == "orders";
  const std::string function = one_of(functions);
  // The two go together: where the products cancel each other out, two orders of adding them agree
  // in fewer digits than are asked for. All are binary fractions: what does not vary, varies by nothing.
  return {fmt::format("{0}(round({1}.{2}), round({1}.{2}) + {1}.{3} / 1024.0)", function, source.alias,
                      orders ? "weight" : "temperature", orders ? "quantity" : "seq"),
          "", function != "regr_count", false, function == "regr_count"};
}

PgQueries::Output PgQueries::aggregate_expression(const Block& block) {
  const Source& source = one_of(block.sources);
  const Column* number = column_of(*source.table, chance(50) ? Kind::integer : Kind::numeric);
  if (number == nullptr) return {"count(*) * 2 - 1", "", false, false, true};
  const std::string x = source.alias + "." + number->name;
  static const std::vector<std::string> shapes = {
      "coalesce(sum(X), 0)",    "sum(X) / nullif(count(X), 0)",
      "sum(X) + count(*)",      "CASE WHEN count(*) > 3 THEN sum(X) END",
      "round(avg(X), 2)",       "abs(sum(X)) * 2",
      "max(X) - min(X)",        "sum(X) > 100 AND count(*) > 1",
      "nullif(count(X), 2) + 1"};
  std::string sql = one_of(shapes);
  for (auto at = sql.find('X'); at != std::string::npos; at = sql.find('X', at + x.size())) {
    sql.replace(at, 1, x);
  }
  // The scale of a difference of respelt extremes is anybody's.
  return {sql, "", false, number->respelt, true};
}

PgQueries::Output PgQueries::aggregate(const Block& block) {
  if (chance(15)) return {"count(*)" + filter(block), "", false, false, true};
  if (chance(25)) return aggregate_expression(block);
  const Source& source = one_of(block.sources);
  const bool has_pairs = source.table->name == "orders" || source.table->name == "measurements";
  if (has_pairs && chance(15)) return statistics(source);
  Output out = plain_aggregate(source, any_column(*source.table));
  out.sql += filter(block);
  return out;
}

std::string PgQueries::group_expression(const Source& source, const Column& column,
                                             bool& respelt) {
  const std::string name = source.alias + "." + column.name;
  respelt = column.respelt;
  if (chance(70)) return name;
  switch (column.kind) {
    case Kind::integer:
      return name + " % 3";
    case Kind::text:
      return column.name == "id" ? name : fmt::format("upper({})", name);
    case Kind::boolean:
      return fmt::format("coalesce({}, false)", name);
    default:
      return name;
  }
}

/// Adds ORDER BY over all that can be ordered, and LIMIT, and says how to compare.
RandomQuery PgQueries::finish(std::string sql, const std::vector<Output>& outputs,
                                   bool may_limit) {
  RandomQuery query;
  for (const Output& output : outputs) {
    if (output.approximate) query.rules.float_columns.push_back(output.name);
    if (output.respelt) query.rules.spelling_columns.push_back(output.name);
  }
  if (chance(60)) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].orderable) continue;
      static const std::vector<std::string> directions = {"", " DESC", " NULLS FIRST",
                                                          " DESC NULLS LAST"};
      keys.push_back(fmt::format("{}{}", i + 1, one_of(directions)));
      query.rules.order_columns.push_back(i);
    }
    if (!keys.empty()) sql += fmt::format(" ORDER BY {}", fmt::join(keys, ", "));
    if (!keys.empty() && may_limit && chance(50)) {
      query.unlimited = sql;
      sql += fmt::format(" LIMIT {}", below(20));
      if (chance(40)) sql += fmt::format(" OFFSET {}", below(10));
    }
  }
  query.sql = std::move(sql);
  return query;
}

RandomQuery PgQueries::rows(bool distinct, const Block& from) {
  std::vector<Output> outputs;
  const int count = 1 + below(4);
  for (int i = 0; i < count; ++i) {
    const Source& source = one_of(from.sources);
    const Column& column = any_column(*source.table);
    outputs.push_back(
        {source.alias + "." + column.name, "", false, distinct && column.respelt, true});
  }
  const std::string list = select_list(outputs);
  return finish(fmt::format("SELECT {}{} FROM {}{}", distinct ? "DISTINCT " : "", list, from.from,
                            from.where),
                outputs, true);
}

RandomQuery PgQueries::grouped(const Block& from) {
  std::vector<Output> outputs;
  std::vector<std::string> groups;
  const int keys = 1 + below(2);
  for (int i = 0; i < keys; ++i) {
    const Source& source = one_of(from.sources);
    std::vector<const Column*> fitting;
    for (const Column& column : source.table->columns) {
      if (column.few_values || (column.key && chance(30))) fitting.push_back(&column);
    }
    if (fitting.empty()) continue;
    bool respelt = false;
    const std::string sql = group_expression(source, *one_of(fitting), respelt);
    if (std::ranges::find(groups, sql) != groups.end()) continue;
    groups.push_back(sql);
    if (chance(85)) outputs.push_back({sql, "", false, respelt, true});
  }
  const int aggregates = 1 + below(3);
  for (int i = 0; i < aggregates; ++i) outputs.push_back(aggregate(from));
  const std::string list = select_list(outputs);
  std::string sql = fmt::format("SELECT {} FROM {}{}", list, from.from, from.where);
  if (!groups.empty()) sql += fmt::format(" GROUP BY {}", fmt::join(groups, ", "));
  if (chance(25)) sql += fmt::format(" HAVING count(*) > {}", 1 + below(6));
  return finish(std::move(sql), outputs, true);
}

RandomQuery PgQueries::totals(const Block& from) {
  std::vector<Output> outputs;
  const int aggregates = 1 + below(5);
  for (int i = 0; i < aggregates; ++i) outputs.push_back(aggregate(from));
  const std::string list = select_list(outputs);
  return finish(fmt::format("SELECT {} FROM {}{}", list, from.from, from.where), outputs, false);
}

/// A block under a CTE or in FROM, aggregated outside.
RandomQuery PgQueries::nested() {
  const Block from = block();
  const Source& source = from.sources.front();
  const Column& group = any_column(*source.table);
  const Column* number = column_of(*source.table, Kind::integer);
  const std::string inner =
      fmt::format("SELECT {0}.{1} AS g, {0}.{2} AS x FROM {3}{4}", source.alias, group.name,
                  number->name, from.from, from.where);
  std::vector<Output> outputs = {{"g", "", false, group.respelt, true},
                                 {"count(*)", "", false, false, true},
                                 {"sum(x)", "", false, false, true},
                                 {"max(x)", "", false, false, true}};
  const std::string list = select_list(outputs);
  const std::string sql =
      chance(50) ? fmt::format("WITH c AS ({}) SELECT {} FROM c GROUP BY g", inner, list)
                 : fmt::format("SELECT {} FROM ({}) c GROUP BY g", list, inner);
  return finish(sql, outputs, true);
}

RandomQuery PgQueries::union_all() {
  const Block from = block();
  std::vector<Output> outputs;
  const int count = 1 + below(3);
  for (int i = 0; i < count; ++i) {
    const Source& source = one_of(from.sources);
    const Column& column = any_column(*source.table);
    outputs.push_back({source.alias + "." + column.name, "", false, false, true});
  }
  const std::string list = select_list(outputs);
  const std::string sql = fmt::format("SELECT {0} FROM {1}{2} UNION ALL SELECT {0} FROM {1}{3}",
                                      list, from.from, from.where, where(from));
  return finish(sql, outputs, true);
}

RandomQuery PgQueries::make() {
  switch (below(14)) {
    case 0:
    case 1:
    case 2:
      return rows(false, block());
    case 3:
      return rows(true, block());
    case 4:
      return totals(block());
    case 5:
      return nested();
    case 6:
      return union_all();
    case 7:
    case 8:
    case 9:
      return grouped(block());
    default:
      return gathered();
  }
}

}  // namespace anabranch::differential
