#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/server.h"

namespace sql {
class Connection;
}

namespace anabranch::backends {

/// A session of the control plane with a MySQL server, by MySQL Connector/C++. Blocks: worker threads only,
/// one thread at a time.
class MysqlControlConnection {
 public:
  /// All values as text; nothing: NULL.
  using Row = std::vector<std::optional<std::string>>;

  /// The error is the server's or the library's own text.
  static std::expected<MysqlControlConnection, std::string> open(const Server& server);
  /// Why the server takes no connections; empty: it does, whether it lets this user in or not.
  static std::string find_trouble(const Server& server);
  /// One statement that answers rows.
  std::expected<std::vector<Row>, std::string> rows(const std::string& text);
  /// One statement that answers none.
  std::expected<void, std::string> run(const std::string& text);

  MysqlControlConnection(MysqlControlConnection&&) noexcept;
  MysqlControlConnection& operator=(MysqlControlConnection&&) noexcept;
  ~MysqlControlConnection();

 private:
  explicit MysqlControlConnection(std::unique_ptr<sql::Connection> connection);
  std::unique_ptr<sql::Connection> connection_;
};

}  // namespace anabranch::backends
