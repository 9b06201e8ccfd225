#include "mysql_restore.h"

#include <fmt/format.h>

#include <stdexcept>

namespace anabranch::differential {
namespace {

constexpr const char* base_tables =
    "SELECT t.table_name, t.auto_increment IS NOT NULL FROM information_schema.tables t"
    " WHERE t.table_schema = 'shop' AND t.table_type = 'BASE TABLE'";

Result checked(Connection& connection, const std::string& sql) {
  Answer answer = connection.simple(sql);
  if (const Result* error = answer.error()) {
    throw std::runtime_error(fmt::format("{}: {}", sql, error->message));
  }
  return std::move(answer.results.at(0));
}

/// The servers' ports: what stands behind the slash, or the endpoint itself.
std::vector<std::string> ports_of(const std::string& endpoint) {
  std::vector<std::string> ports;
  std::string_view rest(endpoint);
  rest.remove_prefix(rest.find('/') == std::string_view::npos ? 0 : rest.find('/') + 1);
  while (true) {
    const auto end = rest.find(',');
    ports.emplace_back(rest.substr(0, end));
    if (end == std::string_view::npos) return ports;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

MysqlRestorer::MysqlRestorer(Side& single) {
  for (const Row& row : checked(*single.connection, base_tables).rows) {
    tables_.insert(row.at(0).value());
    if (row.at(1) == "1") counting_.insert(row.at(0).value());
  }
  server(single.endpoint);
}

std::vector<std::string> MysqlRestorer::tables() const {
  return {tables_.begin(), tables_.end()};
}

MysqlConnection& MysqlRestorer::server(const std::string& port) {
  auto& known = servers_[port];
  if (known) return *known;
  known = std::make_unique<MysqlConnection>(port);
  // A transaction that a case has left open must not hold the run up for long.
  for (const char* sql : {"SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", "SET foreign_key_checks = 0",
                          "SET lock_wait_timeout = 5, innodb_lock_wait_timeout = 5",
                          "CREATE DATABASE IF NOT EXISTS kept"}) {
    checked(*known, sql);
  }
  for (const Row& row : checked(*known, base_tables).rows) {
    const std::string& table = row.at(0).value();
    checked(*known, fmt::format("CREATE TABLE IF NOT EXISTS kept.`{0}` LIKE shop.`{0}`", table));
    checked(*known, fmt::format("DELETE FROM kept.`{0}`", table));
    checked(*known, fmt::format("INSERT INTO kept.`{0}` SELECT * FROM shop.`{0}`", table));
  }
  return *known;
}

void MysqlRestorer::begin(Side& side) {
  for (const std::string& port : ports_of(side.endpoint)) server(port);
}

void MysqlRestorer::put_back(MysqlConnection& server, const std::string& table) const {
  checked(server, fmt::format("{1} `{0}`", table, counting_.contains(table) ? "TRUNCATE" : "DELETE FROM"));
  checked(server, fmt::format("INSERT INTO `{0}` SELECT * FROM kept.`{0}`", table));
}

void MysqlRestorer::restore(Side& side, const std::vector<std::string>& tables) {
  for (const std::string& table : tables) {
    const bool known = tables_.contains(table);
    // The proxy has to hear of it.
    if (!known) side.connection->simple(fmt::format("DROP TABLE IF EXISTS `{}`", table));
    for (const std::string& port : ports_of(side.endpoint)) {
      MysqlConnection& at = server(port);
      if (known) {
        put_back(at, table);
      } else {
        checked(at, fmt::format("DROP TABLE IF EXISTS `{}`", table));
      }
    }
  }
}

}  // namespace anabranch::differential
