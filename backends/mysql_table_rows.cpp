#include <fmt/format.h>

#include <algorithm>

#include "backends/mysql_catalog_reader.h"
#include "backends/table_rows.h"
#include "values/ascii.h"
#include "values/mysql_quote.h"
#include "values/mysql_type.h"

namespace anabranch::backends {

namespace {

std::string quoted(const conf::TableName& table) {
  return values::quote_mysql_identifier(table.schema) + "." + values::quote_mysql_identifier(table.name);
}

/// A result that the server sends as it is read: one statement's view of the table.
class MysqlRows : public TableRows {
 public:
  explicit MysqlRows(MysqlControlConnection connection) : connection_(std::move(connection)) {}

  std::expected<void, std::string> prepare() {
    // Moments are compared as text; and whoever reads slowly, by a rate, is not to be thrown out.
    return connection_.run("SET SESSION time_zone = '+00:00', net_write_timeout = 86400");
  }

  std::expected<std::vector<std::string>, std::string> columns(const conf::TableName& table) override {
    auto read = read_mysql_columns(connection_, table.schema, table.name);
    if (!read) return std::unexpected(read.error());
    columns_ = std::move(*read);
    std::vector<std::string> names;
    for (const router::Column& column : columns_) names.push_back(column.name);
    return names;
  }

  std::expected<std::vector<StoredColumn>, std::string> read(const conf::TableName& table,
                                                             const std::vector<std::string>& columns) override {
    std::string list;
    std::vector<StoredColumn> stored;
    for (const std::string& name : columns) {
      const auto found = std::ranges::find(columns_, values::lower_case(name), &router::Column::name);
      if (found == columns_.end()) return std::unexpected(fmt::format("column {} does not exist", name));
      stored.push_back({found->type.oid, found->type.typmod});
      list += (list.empty() ? "" : ", ") + values::quote_mysql_identifier(name);
    }
    const auto begun = connection_.begin_rows(
        fmt::format("SELECT {} FROM {}", list.empty() ? "1" : list, quoted(table)));
    if (!begun) return std::unexpected(begun.error());
    return stored;
  }

  std::expected<void, std::string> read_digests(const conf::TableName& table,
                                                const std::vector<std::string>& columns) override {
    // Column by column: a row's text may be longer than the server makes one.
    std::string parts;
    for (const std::string& name : columns) {
      const auto column = std::ranges::find(columns_, name, &router::Column::name);
      const bool is_float = column != columns_.end() && column->type.oid == values::mysql_type(values::MysqlCode::float_);
      // A FLOAT's own text has six digits.
      const std::string value = values::quote_mysql_identifier(name) + (is_float ? " + 0e0" : "");
      parts += fmt::format("{}IFNULL(MD5(CAST({} AS BINARY)), '-')", parts.empty() ? "" : ", ", value);
    }
    return connection_.begin_rows(fmt::format("SELECT MD5(CONCAT({})) FROM {}", parts, quoted(table)));
  }

  std::expected<std::vector<Row>, std::string> next() override { return connection_.next_rows(rows_at_once); }

 private:
  MysqlControlConnection connection_;
  std::vector<router::Column> columns_;
};

}  // namespace

std::expected<std::unique_ptr<TableRows>, std::string> open_mysql_rows(const Server& server) {
  auto connection = MysqlControlConnection::open(server);
  if (!connection) return std::unexpected(connection.error());
  auto rows = std::make_unique<MysqlRows>(std::move(*connection));
  if (const auto prepared = rows->prepare(); !prepared) return std::unexpected(prepared.error());
  return rows;
}

std::expected<std::unique_ptr<TableRows>, std::string> TableRows::open(const Server& server) {
  return server.kind == conf::Kind::mysql ? open_mysql_rows(server) : open_postgres_rows(server);
}

}  // namespace anabranch::backends
