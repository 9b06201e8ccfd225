#include <fmt/format.h>

#include <utility>

#include "backends/context.h"
#include "backends/control_connection.h"
#include "backends/table_rows.h"

namespace anabranch::backends {

namespace {

std::string quoted(const conf::TableName& table) {
  return quote_identifier(table.schema) + "." + quote_identifier(table.name);
}

std::string list_of(const std::vector<std::string>& columns) {
  std::string list;
  for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + quote_identifier(column);
  return list;
}

/// A cursor of a read-only transaction: one moment of the table.
class PostgresRows : public TableRows {
 public:
  explicit PostgresRows(ControlConnection connection) : connection_(std::move(connection)) {}

  std::expected<void, std::string> prepare() {
    // As the proxy reads constants, and texts are compared, whatever the server's defaults are. Rows that a policy
    // hides would be missed: with row_security off that is an error.
    return execute(
        "SET datestyle TO 'ISO'; SET timezone TO 'UTC'; SET bytea_output TO 'hex'; SET intervalstyle TO 'postgres';"
        " SET extra_float_digits TO 3; SET search_path TO ''; SET row_security TO off; SET statement_timeout TO 0;"
        " SET idle_in_transaction_session_timeout TO 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }

  std::expected<std::vector<std::string>, std::string> columns(const conf::TableName& table) override {
    const auto found = connection_.run(fmt::format(
        "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass({}) AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum",
        quote_literal(quoted(table))));
    if (!found) return std::unexpected(found.error());
    std::vector<std::string> names;
    for (int row = 0; row < found->back().rows(); ++row) names.emplace_back(found->back().text(row, 0));
    return names;
  }

  std::expected<std::vector<StoredColumn>, std::string> read(const conf::TableName& table,
                                                             const std::vector<std::string>& columns) override {
    return declare(fmt::format("SELECT {} FROM {}", list_of(columns), quoted(table)));
  }

  std::expected<void, std::string> read_digests(const conf::TableName& table,
                                                const std::vector<std::string>& columns) override {
    const auto declared = declare(
        fmt::format("SELECT pg_catalog.md5(ROW({})::pg_catalog.text) FROM {}", list_of(columns), quoted(table)));
    if (!declared) return std::unexpected(declared.error());
    return {};
  }

  std::expected<std::vector<Row>, std::string> next() override {
    const auto fetched = connection_.run(fmt::format("FETCH {} FROM rows", rows_at_once));
    if (!fetched) return std::unexpected(fetched.error());
    const ControlResult& result = fetched->back();
    std::vector<Row> rows(static_cast<std::size_t>(result.rows()), Row(static_cast<std::size_t>(result.columns())));
    for (int row = 0; row < result.rows(); ++row) {
      for (int column = 0; column < result.columns(); ++column) {
        if (result.null(row, column)) continue;
        rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] = result.text(row, column);
      }
    }
    return rows;
  }

 private:
  std::expected<void, std::string> execute(const std::string& sql) {
    const auto done = connection_.run(sql);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  std::expected<std::vector<StoredColumn>, std::string> declare(const std::string& select) {
    const std::string close = std::exchange(declared_, true) ? "CLOSE rows; " : "";
    const auto declared = connection_.run(close + "DECLARE rows NO SCROLL CURSOR FOR " + select + "; FETCH 0 FROM rows");
    if (!declared) return std::unexpected(declared.error());
    const ControlResult& result = declared->back();
    std::vector<StoredColumn> columns;
    for (int column = 0; column < result.columns(); ++column) {
      columns.push_back({result.type(column), result.modifier(column)});
    }
    return columns;
  }

  ControlConnection connection_;
  bool declared_ = false;  ///< something has been read
};

}  // namespace

std::expected<std::unique_ptr<TableRows>, std::string> open_postgres_rows(const Server& server) {
  auto connection = ControlConnection::open(server);
  if (!connection) return std::unexpected(connection.error());
  auto rows = std::make_unique<PostgresRows>(std::move(*connection));
  if (const auto prepared = rows->prepare(); !prepared) return std::unexpected(prepared.error());
  return rows;
}

}  // namespace anabranch::backends
