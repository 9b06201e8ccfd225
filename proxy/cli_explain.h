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

}  // namespace anabranch::proxy
