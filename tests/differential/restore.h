#pragma once

#include <map>
#include <string>
#include <vector>

#include "connection.h"

namespace anabranch::differential {

/// The rows of the tables as they were at the start, as the statements that bring them back.
class Restorer {
 public:
  /// Reads all tables of schema public on the single server. Throws std::runtime_error.
  explicit Restorer(Connection& single);

  /// Puts the tables back; a table that was not there at the start is dropped. Throws
  /// std::runtime_error when a statement fails: the rest of the run would compare other rows.
  void restore(Connection& connection, const std::vector<std::string>& tables) const;

 private:
  std::map<std::string, std::vector<std::string>> statements_;
};

}  // namespace anabranch::differential
