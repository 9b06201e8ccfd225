#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mysql_connection.h"
#include "restore.h"

namespace anabranch::differential {

/// Keeps a copy of each table in a database of its own on every server, and puts rows back on the servers
/// themselves: that must not depend on what the proxy can write.
class MysqlRestorer : public Restorer {
 public:
  explicit MysqlRestorer(Side& single);

  void begin(Side& side) override;
  void restore(Side& side, const std::vector<std::string>& tables) override;
  std::vector<std::string> tables() const override;

 private:
  /// A session at a server, after its tables have been copied.
  MysqlConnection& server(const std::string& port);
  void put_back(MysqlConnection& server, const std::string& table) const;

  std::map<std::string, std::unique_ptr<MysqlConnection>> servers_;
  std::set<std::string> tables_;
  std::set<std::string> counting_;  // those with an AUTO_INCREMENT that starts over
};

}  // namespace anabranch::differential
