#pragma once

#include <iosfwd>
#include <string>

namespace anabranch::proxy {

struct ExplainOptions {
  std::string config;  ///< path
  std::string database;
  std::string sql;
  bool stages = false;  ///< shape, tree and plan on the way
};

/// `anabranch explain`: the plan of one statement, without running it. Connects to the shards for
/// the catalog, as the first user of the configuration who may use the database.
int explain(const ExplainOptions& options, std::ostream& out, std::ostream& err);

struct CheckQueriesOptions {
  std::string config;    ///< path
  std::string database;  ///< may be empty where the file has only one
  std::string file;      ///< of the query log: statements separated by semicolons
};

/// `anabranch check --queries`: prints `FILE:LINE: KIND: WHY` for each statement of `log`, the text
/// of the query log. Connects to the shards for the catalog; runs nothing.
int check_queries(const CheckQueriesOptions& options, const std::string& log, std::ostream& out,
                  std::ostream& err);

}  // namespace anabranch::proxy
