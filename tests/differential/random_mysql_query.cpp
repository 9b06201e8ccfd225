#include "random_mysql_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

/// Whole SELECTs. Not generated, as no server determines the answer: user variables that rows set, a LIMIT that cuts
/// ties inside of the query, spellings of equal texts in anything but output.
namespace anabranch::differential {

/// Adds the CTEs, ORDER BY over all that can be ordered, and LIMIT, and says how to compare.
RandomQuery MysqlQueries::finish(std::string sql, const std::vector<Output>& outputs, bool may_order, bool may_limit) {
  RandomQuery query;
  // Each shard warns of what it computes.
  query.rules.repeated_warnings = true;
  query.rules.open_origins = true;
  for (const Output& output : outputs) {
    if (output.approximate) query.rules.float_columns.push_back(output.name);
    if (output.respelt) query.rules.spelling_columns.push_back(output.name);
  }
  if (!with_.empty() && !sql.starts_with("WITH")) sql = fmt::format("WITH {} {}", with_, sql);
  if (may_order && chance(60)) {
    std::vector<std::string> keys;
    const bool by_name = chance(40);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].orderable) continue;
      const std::string key = by_name ? outputs[i].name : fmt::format("{}", i + 1);
      keys.push_back(key + (chance(40) ? " DESC" : ""));
      query.rules.order_columns.push_back(i);
    }
    if (!keys.empty()) sql += fmt::format(" ORDER BY {}", fmt::join(keys, ", "));
    if (!keys.empty() && may_limit && chance(50)) {
      query.unlimited = sql;
      static const std::vector<std::string> shapes = {" LIMIT {0}", " LIMIT {0} OFFSET {1}", " LIMIT {1}, {0}"};
      sql += fmt::format(fmt::runtime(one_of(shapes)), 1 + below(20), below(10));
    }
  }
  query.sql = std::move(sql);
  return query;
}

RandomQuery MysqlQueries::rows(const Block& from, bool distinct) {
  std::vector<Output> outputs;
  const int count = 1 + below(4);
  for (int i = 0; i < count; ++i) {
    // DISTINCT of nothing but constants is one row behind any OFFSET of MariaDB's.
    const Source& source = one_of(from.sources);
    outputs.push_back(distinct && i == 0 ? Output{source.ref(any_column(source))} : any_output(from));
    outputs.back().respelt = distinct;
  }
  const std::string list = select_list(outputs);
  return finish(fmt::format("SELECT {}{} FROM {}{}", distinct ? "DISTINCT " : "", list, from.from, from.where), outputs,
                true, true);
}

RandomQuery MysqlQueries::grouped(const Block& from, bool rollup) {
  std::vector<Output> outputs;
  std::vector<std::string> groups;
  const int keys = 1 + below(2);
  for (int i = 0; i < keys; ++i) {
    const Source& source = one_of(from.sources);
    std::vector<const Column*> fitting;
    for (const Column& column : source.columns) {
      if (column.is(few) || (column.is(key) && chance(30))) fitting.push_back(&column);
    }
    // Not of decimals: MariaDB takes NULL for 0 in some of them beside COUNT(DISTINCT) of a constant.
    static const std::vector<Kind> kinds = {Kind::integer, Kind::text, Kind::date};
    // MariaDB's totals of ROLLUP by an expression may show the last group's value instead of NULL.
    if (rollup && fitting.empty()) continue;
    const bool computed = fitting.empty() || (!rollup && chance(20));
    const std::string sql = computed ? expression(from, one_of(kinds), 1) : source.ref(*one_of(fitting));
    const bool constant = sql.find('.') == std::string::npos;  // a number in GROUP BY is a place in the list
    if (constant || std::ranges::find(groups, sql) != groups.end()) continue;
    groups.push_back(sql);
    if (chance(85)) outputs.push_back({sql, false, true, true});
  }
  const int aggregates = 1 + below(3);
  for (int i = 0; i < aggregates; ++i) {
    Output made = aggregate(from);
    // MariaDB's totals of ROLLUP add values twice beside DISTINCT, and have lost those of GROUP_CONCAT.
    const bool wrong = made.sql.find("DISTINCT") != std::string::npos || made.sql.starts_with("GROUP_CONCAT");
    outputs.push_back(rollup && wrong ? Output{"COUNT(*)"} : std::move(made));
  }
  const std::string list = select_list(outputs);
  std::string sql = fmt::format("SELECT {} FROM {}{}", list, from.from, from.where);
  if (!groups.empty()) sql += fmt::format(" GROUP BY {}{}", fmt::join(groups, ", "), rollup ? " WITH ROLLUP" : "");
  static const std::vector<std::string> conditions = {"COUNT(*) > 1", "COUNT(*) BETWEEN 1 AND 9", "COUNT(*) MOD 2 = 1"};
  if (chance(25)) sql += " HAVING " + one_of(conditions);
  // MariaDB 10.11 takes no ORDER BY beside ROLLUP.
  return finish(std::move(sql), outputs, !rollup, true);
}

RandomQuery MysqlQueries::totals(const Block& from) {
  std::vector<Output> outputs;
  const int aggregates = 1 + below(5);
  for (int i = 0; i < aggregates; ++i) outputs.push_back(aggregate(from));
  const std::string list = select_list(outputs);
  return finish(fmt::format("SELECT {} FROM {}{}", list, from.from, from.where), outputs, false, false);
}

/// A query of several tables under a CTE or in FROM, grouped outside.
RandomQuery MysqlQueries::nested() {
  const Block from = block();
  const Source& source = from.sources.front();
  const std::string inner = fmt::format("SELECT {} AS g, {} AS x FROM {}{}", source.ref(any_column(source)),
                                        expression(from, Kind::integer, 1), from.from, from.where);
  std::vector<Output> outputs = {{"g", false, true}, {"COUNT(*)"}, {"SUM(x)"}, {"MAX(x)"}};
  const std::string list = select_list(outputs);
  const std::string group = chance(30) ? " HAVING COUNT(*) > 1" : "";
  if (chance(50)) return finish(fmt::format("SELECT {} FROM ({}) q GROUP BY g{}", list, inner, group), outputs, true, true);
  with_ += fmt::format("{}q AS ({})", with_.empty() ? "" : ", ", inner);
  return finish(fmt::format("SELECT {} FROM q GROUP BY g{}", list, group), outputs, true, true);
}

/// Numbers counted up, or the way from tag to tag: of UNION, as the tags have a circle.
RandomQuery MysqlQueries::recursive() {
  const std::string alias = "t";
  if (chance(50)) {
    const Source source = any_source(alias);
    const Block from{source.from, "", {source}, source.rows};
    const std::string tie = name_of(from, Kind::integer, extreme, "1");
    std::vector<Output> outputs = {{"r.n"}, aggregate(from)};
    const std::string list = select_list(outputs);
    with_ += fmt::format("{}r AS (SELECT {} AS n UNION ALL SELECT n + 1 FROM r WHERE n < {})", with_.empty() ? "" : ", ",
                         below(3), 3 + below(6));
    return finish(fmt::format("WITH RECURSIVE {} SELECT {} FROM r LEFT JOIN {} ON {} = r.n GROUP BY r.n", with_, list,
                              source.from, tie),
                  outputs, true, true);
  }
  const Source source = table("tags", alias);
  const std::string where = conditions({source.from, "", {source}, source.rows}, 2);
  std::vector<Output> outputs = {{"tag", false, true}, {"next", false, true}};
  const std::string list = select_list(outputs);
  return finish(fmt::format("WITH RECURSIVE w AS (SELECT t.tag, t.parent AS next FROM tags t{} UNION SELECT w.tag, t.parent "
                            "FROM w JOIN tags t ON t.tag = w.next) SELECT {} FROM w",
                            where, list),
                outputs, true, true);
}

/// Of one or two columns, of any tables.
RandomQuery MysqlQueries::set_operation() {
  static const std::vector<Kind> kinds = {Kind::integer, Kind::decimal, Kind::text, Kind::datetime, Kind::date, Kind::real};
  static const std::vector<std::string> operators = {"UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL",
                                                     "UNION DISTINCT"};
  std::vector<Kind> columns = {one_of(kinds)};
  if (chance(40)) columns.push_back(one_of(kinds));
  std::string sql;
  std::vector<Output> outputs;
  const int arms = 2 + below(2);
  for (int arm = 0; arm < arms; ++arm) {
    const Source source = any_source("t");
    const Block from{source.from, "", {source}, source.rows};
    outputs.clear();
    for (const Kind kind : columns) {
      const std::string x = chance(70) ? name_of(from, kind, 0, "NULL") : expression(from, kind, 1);
      // Columns of other collations have none together.
      const bool text = kind == Kind::text && x != "NULL";
      // Which of equal texts a UNION keeps is the server's choice; under this collation they are the comparator's, too.
      outputs.push_back({text ? fmt::format("CONVERT({} USING utf8mb4) COLLATE utf8mb4_unicode_ci", x) : x, false, true});
    }
    if (arm > 0) sql += " " + one_of(operators) + " ";
    const std::string list = select_list(outputs);
    sql += fmt::format("SELECT {} FROM {}{}", list, source.from, conditions(from, 1));
  }
  return finish(std::move(sql), outputs, true, true);
}

RandomQuery MysqlQueries::windowed(const Block& from) {
  std::vector<Output> outputs;
  for (int i = 0; i < 2; ++i) outputs.push_back(any_output(from));
  outputs.push_back(window(from));
  const std::string list = select_list(outputs);
  return finish(fmt::format("SELECT {} FROM {}{}", list, from.from, from.where), outputs, true, true);
}

/// The marked literals, as `?`.
RandomQuery MysqlQueries::with_parameters(RandomQuery query) {
  const auto taken = [](const std::string& sql, std::vector<Parameter>* parameters) {
    std::string out;
    for (std::size_t at = 0; at < sql.size();) {
      const std::size_t begin = sql.find('\x01', at);
      out += sql.substr(at, begin == std::string::npos ? begin : begin - at);
      if (begin == std::string::npos) break;
      const std::size_t end = sql.find('\x02', begin);
      const std::size_t space = sql.find(' ', begin);
      if (parameters != nullptr) {
        parameters->push_back({sql.substr(begin + 1, space - begin - 1), sql.substr(space + 1, end - space - 1)});
      }
      out += '?';
      at = end + 1;
    }
    return out;
  };
  query.unlimited = taken(query.unlimited, nullptr);
  query.sql = taken(query.sql, &query.parameters);
  return query;
}

RandomQuery MysqlQueries::make() {
  with_.clear();
  made_ = 0;
  parameters_wanted_ = chance(25);
  const auto made = [&] {
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
        return rows(block(), false);
      case 3:
      case 4:
        return rows(block(), true);
      case 5:
      case 6:
        return totals(block());
      case 7:
      case 8:
      case 9:
        return grouped(block(), false);
      case 10:
        return grouped(block(), true);
      case 11:
        return nested();
      case 12:
        return recursive();
      case 13:
        return set_operation();
      default:
        return windowed(block());
    }
  };
  return with_parameters(made());
}

}  // namespace anabranch::differential
