#pragma once

#include <map>
#include <string>
#include <vector>

#include "restore.h"

namespace anabranch::differential {

/// Brings rows back by statements through the endpoint itself.
class PgRestorer : public Restorer {
 public:
  /// Reads all tables of schema public on the single server. Throws std::runtime_error.
  explicit PgRestorer(Connection& single);

  void begin(Side& side) override;
  void restore(Side& side, const std::vector<std::string>& tables) override;
  std::vector<std::string> tables() const override;

 private:
  struct Statements {
    std::vector<std::string> as_read;
    std::vector<std::string> reversed;
  };
  std::map<std::string, Statements> statements_;
};

}  // namespace anabranch::differential
