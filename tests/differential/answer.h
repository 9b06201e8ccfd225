#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace anabranch::differential {

/// A value as it came over the wire, in the column's format; nullopt is NULL.
using Value = std::optional<std::string>;
using Row = std::vector<Value>;

struct Column {
  std::string name;
  /// The OID's decimal digits for built-in types, the type's name for others: their OIDs may differ
  /// between servers.
  std::string type;
  uint32_t oid = 0;
  int typmod = -1;
  int format = 0;
  /// The table it comes from, by name, and its number there.
  std::string table = {};
  uint32_t table_oid = 0;
  int attribute = 0;
};

/// What one statement of a query string answered.
struct Result {
  enum class Kind { rows, command, error, empty, copy_in, copy_out };
  Kind kind = Kind::command;
  std::string tag;
  std::string sqlstate;
  /// For errors: primary message, detail and hint, a line each. Shown, and searched for clauses.
  std::string message;
  /// For errors of a COPY's data: `COPY table, line n`, and which column, as far as the server says so.
  std::string copy_line = {};
  std::vector<Column> columns;
  std::vector<Row> rows;
};

/// What one step answered, and the transaction status after it (I, T, E as in ReadyForQuery).
struct Answer {
  std::vector<Result> results;
  char transaction = 'I';

  const Result* error() const;
};

/// The three ways each statement is asked.
enum class Form { simple, extended_text, extended_binary };
constexpr Form all_forms[] = {Form::simple, Form::extended_text, Form::extended_binary};
const char* name_of(Form form);

/// A row for people: values parted by ` | `, control bytes and binary values in hexadecimal.
std::string printed(const Row& row);

}  // namespace anabranch::differential
