#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace anabranch::differential {

/// A value as it came over the wire, in the column's format; nullopt is NULL.
using Value = std::optional<std::string>;
using Row = std::vector<Value>;

/// How values of a column are compared where a case's rules allow for some play.
enum class Play { none, float4, float8, decimal, text };

struct Column {
  std::string name;
  /// PostgreSQL: the OID's decimal digits for built-in types, the type's name for others: their OIDs
  /// may differ between servers. MySQL: the type's number.
  std::string type;
  uint32_t oid = 0;
  int typmod = -1;
  int format = 0;
  /// The table it comes from, by name, and its number there.
  std::string table = {};
  uint32_t table_oid = 0;
  int attribute = 0;
  Play play = Play::none;
  /// MySQL: decimals, character set, and whether a number is unsigned.
  std::string told = {};
  /// MySQL: other flags, the length and where the column comes from.
  std::string told_of_origin = {};
};

/// What one statement of a query string answered.
struct Result {
  enum class Kind { rows, command, error, empty, copy_in, copy_out };
  Kind kind = Kind::command;
  std::string tag;
  std::string sqlstate;  // MySQL: the error's number, or 0A000 where the proxy refuses
  /// For errors: primary message, detail and hint, a line each. Shown, and searched for clauses.
  std::string message;
  /// What else of an error is compared. PostgreSQL: of a COPY's data `COPY table, line n`, and which
  /// column, as far as the server says so. MySQL: SQLSTATE and message.
  std::string context = {};
  /// MySQL: what SHOW WARNINGS says afterwards.
  std::vector<std::string> warnings = {};
  std::vector<Column> columns;
  std::vector<Row> rows;
};

/// What one step answered, and the transaction status after it (I, T, E as in ReadyForQuery).
struct Answer {
  std::vector<Result> results;
  char transaction = 'I';

  const Result* error() const;
};

/// The ways in which statements are asked. MySQL: simple is COM_QUERY, extended_binary a prepared
/// statement, cursor one whose rows are fetched a few at a time.
enum class Form { simple, extended_text, extended_binary, cursor };
const char* name_of(Form form);

/// A row for people: values parted by ` | `, control bytes and binary values in hexadecimal.
std::string printed(const Row& row);

}  // namespace anabranch::differential
