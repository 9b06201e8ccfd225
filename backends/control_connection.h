#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/server.h"
#include "values/type.h"

namespace anabranch::backends {

/// The rows of one statement, all values as text.
class ControlResult {
 public:
  explicit ControlResult(PGresult* result) : result_(result) {}
  bool failed() const { return PQresultStatus(result_.get()) != PGRES_TUPLES_OK; }
  int columns() const { return PQnfields(result_.get()); }
  int rows() const { return PQntuples(result_.get()); }
  bool null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string_view text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
  }
  bool flag(int row, int column) const { return text(row, column) == "t"; }
  long number(int row, int column) const;
  /// Of a column; domains resolved.
  values::Oid type(int column) const { return PQftype(result_.get(), column); }
  std::int32_t modifier(int column) const { return PQfmod(result_.get(), column); }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

/// A session of the control plane, by libpq. Blocks: worker threads only.
class ControlConnection {
 public:
  /// The error is the server's or libpq's own text, on one line.
  static std::expected<ControlConnection, std::string> open(const Server& server);
  /// Runs statements joined by semicolons in one round trip; one result each.
  std::expected<std::vector<ControlResult>, std::string> run(const std::string& sql);
  /// One statement with text parameters; fails when it takes longer than `limit`, after which the
  /// connection is of no further use.
  std::expected<ControlResult, std::string> run(const std::string& sql,
                                                const std::vector<std::string>& parameters,
                                                std::chrono::milliseconds limit);
  int server_version() const { return PQserverVersion(connection_.get()); }  // 150004

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  explicit ControlConnection(PGconn* connection) : connection_(connection) {}
  std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace anabranch::backends
