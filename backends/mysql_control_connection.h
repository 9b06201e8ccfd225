#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/server.h"

namespace sql {
class Connection;
class ResultSet;
class Statement;
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
  /// One statement whose rows next_rows() hands out; the server sends them as they are read. Until the last one is
  /// read the session runs nothing else.
  std::expected<void, std::string> begin_rows(const std::string& text);
  /// At most so many; none: there are no more.
  std::expected<std::vector<Row>, std::string> next_rows(std::size_t limit);
  /// One statement that answers none.
  std::expected<void, std::string> run(const std::string& text);

  MysqlControlConnection(MysqlControlConnection&&) noexcept;
  MysqlControlConnection& operator=(MysqlControlConnection&&) noexcept;
  ~MysqlControlConnection();

 private:
  explicit MysqlControlConnection(std::unique_ptr<sql::Connection> connection);
  // Each is the owner of what follows it.
  std::unique_ptr<sql::Connection> connection_;
  std::unique_ptr<sql::Statement> reading_;
  std::unique_ptr<sql::ResultSet> result_;
};

}  // namespace anabranch::backends
