#pragma once

#include <string>
#include <vector>

#include "random_query.h"

namespace anabranch::differential {

/// MySQL's: SELECTs over the tables of mysql/schema.sql, in text and, for a share, with parameters.
class MysqlQueries : public QueryGenerator {
 private:
  RandomQuery make() override;

  enum class Kind { integer, decimal, real, text, date, datetime, time, other };
  /// What is to be known of a column beyond its type.
  enum Trait : unsigned {
    few = 1,       // fit for GROUP BY
    key = 2,       // rows are placed by it
    no_sign = 4,   // unsigned: below 0 is an error
    extreme = 8,   // arithmetic or conversions overflow, and of which rows is the plan's affair
    edges = 16,    // dates from which functions warn
    labels = 32,   // ENUM, SET: text or a number, as one asks
    not_null = 64  // fit for NOT IN
  };
  struct Column {
    std::string name;  // or an expression, with # for the table's alias
    Kind kind = Kind::integer;
    unsigned traits = 0;
    std::vector<std::string> constants;
    std::string collation = "utf8mb4_general_ci";

    bool is(Trait trait) const { return (traits & trait) != 0; }
  };
  /// A table, or what stands for one, in FROM.
  struct Source {
    std::string from;
    int rows = 0;
    std::vector<Column> columns;
    std::vector<std::string> unique;  // columns that tell its rows apart; none: nothing does
    std::string alias = {};

    std::string ref(const Column& column) const;
  };
  struct Block {
    std::string from;
    std::string where;
    std::vector<Source> sources;
    int rows = 0;
  };
  struct Output {
    std::string sql;
    bool approximate = false;
    bool respelt = false;  // text whose case, accents and trailing blanks are anybody's
    bool orderable = true;
    std::string name = {};
  };

  // random_mysql_tables.cpp
  static const std::vector<Source>& tables();
  static Source table(const std::string& name, const std::string& alias);

  // random_mysql_from.cpp
  Block block();
  Block joined();
  Block joined_by_key();
  Block joined_by_name();
  const std::string& any_table();
  Source any_source(const std::string& alias);
  Source derived(const std::string& alias);
  std::string conditions(const Block& block, int most);
  std::string match(const Source& a, const Source& b, const std::string& op);

  // random_mysql_predicate.cpp
  std::string literal(const Column& column);
  std::string respelt_key(const Column& column);
  std::string predicate(const Source& source, const Column& column);
  std::string text_predicate(const std::string& name, const Column& column);
  std::string any_predicate(const Block& block);
  std::string condition(const Block& block);
  std::string subquery_condition(const Block& block);
  std::string quantified(const Block& block, const Source& inner, const std::string& where);
  std::string scalar_subquery(const Block& block);

  // random_mysql_expression.cpp
  const Column& any_column(const Source& source) { return one_of(source.columns); }
  /// Of the kind and without any of the traits; nullptr: there is none.
  const Column* column_of(const Source& source, Kind kind, unsigned without = 0);
  std::string name_of(const Block& block, Kind kind, unsigned without, std::string otherwise);
  std::string expression(const Block& block, Kind kind, int depth);
  std::string integer(const Block& block, int depth);
  std::string decimal(const Block& block, int depth);
  std::string real(const Block& block, int depth);
  std::string text(const Block& block, int depth);
  std::string moment(const Block& block, Kind kind, int depth);
  std::string choice(const Block& block, Kind kind, int depth);
  Output any_output(const Block& block);

  // random_mysql_aggregate.cpp
  Output aggregate(const Block& block);
  Output plain_aggregate(const Source& source, const Column& column);
  Output aggregate_expression(const Block& block);
  Output concatenation(const Block& block);
  Output window(const Block& block);

  RandomQuery rows(const Block& from, bool distinct);
  RandomQuery grouped(const Block& from, bool rollup);
  RandomQuery totals(const Block& from);
  RandomQuery nested();
  RandomQuery recursive();
  RandomQuery set_operation();
  RandomQuery windowed(const Block& from);
  RandomQuery finish(std::string sql, const std::vector<Output>& outputs, bool may_order, bool may_limit);
  RandomQuery with_parameters(RandomQuery query);

  bool parameters_wanted_ = false;
  bool parameters_ = false;  // what is written now is WHERE: elsewhere parameters are refused, or open what is grouped by
  std::string with_;         // CTEs that this query's sources name
  int made_ = 0;             // derived tables so far
};

}  // namespace anabranch::differential
