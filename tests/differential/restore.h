#pragma once

#include <map>
#include <string>
#include <vector>

#include "connection.h"

namespace anabranch::differential {

/// In which physical order rows are put back: a plain server in the single one's place must answer
/// from another order, or the corpus would not notice that a case depends on it.
enum class Rows { as_read, reversed };

/// The rows of the tables as they were at the start, as the statements that bring them back.
class Restorer {
 public:
  /// Reads all tables of schema public on the single server. Throws std::runtime_error.
  explicit Restorer(Connection& single);

  /// Puts the tables back; a table that was not there at the start is dropped. Throws
  /// std::runtime_error when a statement fails: the rest of the run would compare other rows.
  void restore(Connection& connection, const std::vector<std::string>& tables,
               Rows order = Rows::as_read) const;
  std::vector<std::string> tables() const;

 private:
  struct Statements {
    std::vector<std::string> as_read;
    std::vector<std::string> reversed;
  };
  std::map<std::string, Statements> statements_;
};

}  // namespace anabranch::differential
