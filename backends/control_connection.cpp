#include "backends/control_connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace anabranch::backends {

namespace {

std::string one_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  return line;
}

const char* ssl_mode(conf::BackendTls tls) {
  switch (tls) {
    case conf::BackendTls::disable:
      return "disable";
    case conf::BackendTls::prefer:
      return "prefer";
    case conf::BackendTls::require:
      return "require";
    case conf::BackendTls::verify_full:
      return "verify-full";
  }
  return "verify-full";
}

}  // namespace

long ControlResult::number(int row, int column) const {
  const std::string_view value = text(row, column);
  long number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

std::expected<ControlConnection, std::string> ControlConnection::open(const Server& server) {
  const std::string port = std::to_string(server.address.port);
  // libpq counts in seconds, and takes 1 as 2.
  const std::string timeout =
      std::to_string(std::max<long>(2, server.connect_timeout.count() / 1000));
  std::vector<const char*> names{"host",           "port",    "dbname",          "user",
                                 "password",       "sslmode", "connect_timeout", "application_name",
                                 "client_encoding"};
  std::vector<const char*> values{server.address.host.c_str(),
                                  port.c_str(),
                                  server.target.c_str(),
                                  server.user.c_str(),
                                  server.password.c_str(),
                                  ssl_mode(server.tls),
                                  timeout.c_str(),
                                  "anabranch",
                                  "UTF8"};
  if (!server.ca.empty()) {
    names.push_back("sslrootcert");
    values.push_back(server.ca.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  // expand_dbname is off: a database's name is never a connection string.
  ControlConnection made(PQconnectdbParams(names.data(), values.data(), 0));
  if (PQstatus(made.connection_.get()) != CONNECTION_OK) {
    return std::unexpected(one_line(PQerrorMessage(made.connection_.get())));
  }
  // libpq's own would print notices on our stderr.
  PQsetNoticeReceiver(made.connection_.get(), [](void*, const PGresult*) {}, nullptr);
  return made;
}

std::expected<std::vector<ControlResult>, std::string> ControlConnection::run(
    const std::string& sql) {
  PGconn* connection = connection_.get();
  if (PQsendQuery(connection, sql.c_str()) == 0) {
    return std::unexpected(one_line(PQerrorMessage(connection)));
  }
  std::vector<ControlResult> results;
  std::string failure;
  while (PGresult* raw = PQgetResult(connection)) {
    ControlResult result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && failure.empty()) {
      failure = one_line(PQresultErrorMessage(raw));
    }
    results.push_back(std::move(result));
  }
  if (!failure.empty()) return std::unexpected(std::move(failure));
  return results;
}

std::expected<ControlResult, std::string> ControlConnection::run(
    const std::string& sql, const std::vector<std::string>& parameters,
    std::chrono::milliseconds limit) {
  PGconn* connection = connection_.get();
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0) {
    return std::unexpected(one_line(PQerrorMessage(connection)));
  }
  while (PQisBusy(connection) != 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd entry{PQsocket(connection), POLLIN, 0};
    if (left.count() <= 0 || ::poll(&entry, 1, static_cast<int>(left.count())) == 0) {
      return std::unexpected("no answer came in time");
    }
    if (PQconsumeInput(connection) == 0) {
      return std::unexpected(one_line(PQerrorMessage(connection)));
    }
  }
  ControlResult result(PQgetResult(connection));
  while (PGresult* more = PQgetResult(connection)) PQclear(more);
  if (result.failed()) return std::unexpected(one_line(PQerrorMessage(connection)));
  return result;
}

}  // namespace anabranch::backends
