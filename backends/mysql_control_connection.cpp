#include "backends/mysql_control_connection.h"

#include <cppconn/connection.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>

#include <algorithm>
#include <mutex>

namespace anabranch::backends {

namespace {

/// The library wants to know of each thread that uses it, and of its end.
sql::Driver& driver_on_this_thread() {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  sql::Driver* driver = get_driver_instance();
  struct Registration {
    explicit Registration(sql::Driver* of) : driver(of) { driver->threadInit(); }
    ~Registration() { driver->threadEnd(); }
    sql::Driver* driver;
  };
  thread_local const Registration registration(driver);
  return *driver;
}

sql::ConnectOptionsMap options_for(const Server& server) {
  sql::ConnectOptionsMap options;
  options["hostName"] = sql::SQLString("tcp://" + server.address.host);
  options["port"] = static_cast<int>(server.address.port);
  options["userName"] = sql::SQLString(server.user);
  options["password"] = sql::SQLString(server.password);
  options["schema"] = sql::SQLString(server.target);
  options["OPT_CONNECT_TIMEOUT"] = static_cast<int>(std::max<long>(1, server.connect_timeout.count() / 1000));
  options["OPT_READ_TIMEOUT"] = 60;
  options["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
  if (!server.ca.empty()) options["sslCA"] = sql::SQLString(server.ca);
  if (server.tls == conf::BackendTls::require) options["sslEnforce"] = true;
  if (server.tls == conf::BackendTls::verify_full) {
    options["sslEnforce"] = true;
    options["sslVerify"] = true;
  }
  return options;
}

MysqlControlConnection::Row row_of(const sql::ResultSet& result, unsigned columns) {
  MysqlControlConnection::Row row;
  for (unsigned column = 1; column <= columns; ++column) {
    if (result.isNull(column)) {
      row.emplace_back();
    } else {
      row.emplace_back(result.getString(column).asStdString());
    }
  }
  return row;
}

bool must_be_encrypted(const Server& server) {
  return server.tls == conf::BackendTls::require || server.tls == conf::BackendTls::verify_full;
}

}  // namespace

MysqlControlConnection::MysqlControlConnection(std::unique_ptr<sql::Connection> connection)
    : connection_(std::move(connection)) {}
MysqlControlConnection::MysqlControlConnection(MysqlControlConnection&&) noexcept = default;
MysqlControlConnection& MysqlControlConnection::operator=(MysqlControlConnection&&) noexcept = default;
MysqlControlConnection::~MysqlControlConnection() = default;

std::expected<MysqlControlConnection, std::string> MysqlControlConnection::open(const Server& server) {
  try {
    sql::ConnectOptionsMap options = options_for(server);
    MysqlControlConnection made{
        std::unique_ptr<sql::Connection>(driver_on_this_thread().connect(options))};
    if (!must_be_encrypted(server)) return made;
    const auto cipher = made.rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
    const bool encrypted = cipher && !cipher->empty() && !cipher->front().at(1).value_or("").empty();
    if (!encrypted) return std::unexpected("the connection is not encrypted");
    return made;
  } catch (const sql::SQLException& error) {
    return std::unexpected(error.what());
  }
}

std::string MysqlControlConnection::find_trouble(const Server& server) {
  constexpr int denied[] = {1044, 1045, 1049, 1698, 1862, 3118};  // it answers, and knows who it lets in
  try {
    sql::ConnectOptionsMap options = options_for(server);
    const std::unique_ptr<sql::Connection> connection(driver_on_this_thread().connect(options));
    return {};
  } catch (const sql::SQLException& error) {
    const bool answers = std::ranges::find(denied, error.getErrorCode()) != std::end(denied);
    return answers ? "" : error.what();
  }
}

std::expected<std::vector<MysqlControlConnection::Row>, std::string> MysqlControlConnection::rows(
    const std::string& text) {
  try {
    const std::unique_ptr<sql::Statement> statement(connection_->createStatement());
    const std::unique_ptr<sql::ResultSet> result(statement->executeQuery(text));
    std::vector<Row> rows;
    const unsigned columns = result->getMetaData()->getColumnCount();
    while (result->next()) rows.push_back(row_of(*result, columns));
    return rows;
  } catch (const sql::SQLException& error) {
    return std::unexpected(error.what());
  }
}

std::expected<void, std::string> MysqlControlConnection::begin_rows(const std::string& text) {
  try {
    result_.reset();
    reading_.reset(connection_->createStatement());
    reading_->setResultSetType(sql::ResultSet::TYPE_FORWARD_ONLY);
    result_.reset(reading_->executeQuery(text));
    return {};
  } catch (const sql::SQLException& error) {
    return std::unexpected(error.what());
  }
}

std::expected<std::vector<MysqlControlConnection::Row>, std::string> MysqlControlConnection::next_rows(
    std::size_t limit) {
  try {
    std::vector<Row> rows;
    const unsigned columns = result_->getMetaData()->getColumnCount();
    while (rows.size() < limit && result_->next()) rows.push_back(row_of(*result_, columns));
    return rows;
  } catch (const sql::SQLException& error) {
    return std::unexpected(error.what());
  }
}

std::expected<void, std::string> MysqlControlConnection::run(const std::string& text) {
  try {
    const std::unique_ptr<sql::Statement> statement(connection_->createStatement());
    statement->execute(text);
    return {};
  } catch (const sql::SQLException& error) {
    return std::unexpected(error.what());
  }
}

}  // namespace anabranch::backends
