#pragma once

#include <string>
#include <vector>

#include "random_query.h"

namespace anabranch::differential {

/// PostgreSQL's: of constructs that can be scattered, and some that must be gathered.
class PgQueries : public QueryGenerator {
 private:
  RandomQuery make() override;

  enum class Kind { integer, numeric, real, text, boolean, time };
  struct Column {
    std::string name;
    Kind kind = Kind::integer;
    bool few_values = false;  // fit for GROUP BY
    bool respelt = false;     // equal values in several spellings
    bool key = false;
    std::vector<std::string> constants;
  };
  struct Table {
    std::string name;
    std::vector<Column> columns;
  };
  struct Source {  // a table in FROM
    const Table* table = nullptr;
    std::string alias;
  };
  struct Output {
    std::string sql;
    std::string name;
    bool approximate = false;
    bool respelt = false;
    bool orderable = true;
  };
  struct Block {
    std::string from;
    std::string where;
    std::vector<Source> sources;
  };

  static const std::vector<Table>& tables();
  static const Table& table(const std::string& name);

  Block block();
  void add_users_family(Block& out);
  void add_reference(Block& out);
  std::string where(const Block& block);
  std::string predicate(const Source& source, const Column& column);
  std::string any_predicate(const Block& block);
  std::string key_subquery(const Block& block);
  const Column& any_column(const Table& from);
  const Column* column_of(const Table& from, Kind kind);

  Output aggregate(const Block& block);
  Output plain_aggregate(const Source& source, const Column& column);
  Output statistics(const Source& source);
  Output aggregate_expression(const Block& block);
  std::string filter(const Block& block);
  std::string group_expression(const Source& source, const Column& column, bool& respelt);

  RandomQuery rows(bool distinct, const Block& from);
  RandomQuery grouped(const Block& from);
  RandomQuery totals(const Block& from);
  RandomQuery nested();
  RandomQuery union_all();
  RandomQuery finish(std::string sql, const std::vector<Output>& outputs, bool may_limit);

  // random_pg_gathered.cpp
  RandomQuery gathered();
  RandomQuery windowed();
  RandomQuery grouping_sets();
  RandomQuery set_operation();
  Block joined();
  Block joined_by_key_and_more();
  const Table& any_table();
  std::string match(const Source& a, const Source& b, const std::string& op);
  std::string any_subquery(const Block& block);
};

}  // namespace anabranch::differential
