#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/server.h"
#include "backends/stored_key.h"

namespace anabranch::backends {

/// One shard's rows of one table, a chunk at a time, so that no table is ever in memory. By the control plane: blocks,
/// and stays on the thread that opened it. Errors are the server's own text.
class TableRows {
 public:
  /// All values as text; nothing: NULL.
  using Row = std::vector<std::optional<std::string>>;
  static constexpr std::size_t rows_at_once = 1000;

  static std::expected<std::unique_ptr<TableRows>, std::string> open(const Server& server);

  TableRows() = default;
  TableRows(const TableRows&) = delete;
  TableRows& operator=(const TableRows&) = delete;
  virtual ~TableRows() = default;

  /// The names of the table's columns; empty: it is not there.
  virtual std::expected<std::vector<std::string>, std::string> columns(const conf::TableName& table) = 0;
  /// Begins to read these columns of every row, and answers what they are. No columns: rows without values.
  virtual std::expected<std::vector<StoredColumn>, std::string> read(const conf::TableName& table,
                                                                     const std::vector<std::string>& columns) = 0;
  /// Begins to read, of every row, the MD5 of these columns in hexadecimal.
  virtual std::expected<void, std::string> read_digests(const conf::TableName& table,
                                                        const std::vector<std::string>& columns) = 0;
  /// The next rows, at most rows_at_once; none: there are no more.
  virtual std::expected<std::vector<Row>, std::string> next() = 0;
};

std::expected<std::unique_ptr<TableRows>, std::string> open_postgres_rows(const Server& server);
std::expected<std::unique_ptr<TableRows>, std::string> open_mysql_rows(const Server& server);

}  // namespace anabranch::backends
