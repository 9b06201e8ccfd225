#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connection.h"

namespace anabranch::differential {

/// In which physical order rows are put back: a plain server in the single one's place must answer
/// from another order, or the corpus would not notice that a case depends on it.
enum class Rows { as_read, reversed };

/// An endpoint that cases are played on.
struct Side {
  std::string endpoint;  // as its dialect writes one
  std::unique_ptr<Connection> connection;
  Rows order = Rows::as_read;
};

/// The rows of the tables as they were at the start.
class Restorer {
 public:
  Restorer() = default;
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;
  virtual ~Restorer() = default;

  /// Before anything is played on a side.
  virtual void begin(Side& side) = 0;
  /// Puts the tables back; a table that was not there at the start is dropped. Throws
  /// std::runtime_error when a statement fails: the rest of the run would compare other rows.
  virtual void restore(Side& side, const std::vector<std::string>& tables) = 0;
  virtual std::vector<std::string> tables() const = 0;
};

}  // namespace anabranch::differential
