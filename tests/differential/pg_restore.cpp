#include "pg_restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace anabranch::differential {
namespace {

Result checked(Connection& connection, const std::string& sql) {
  Answer answer = connection.simple(sql);
  if (const Result* error = answer.error()) {
    throw std::runtime_error(fmt::format("{}: {}", sql.substr(0, 60), error->message));
  }
  if (answer.results.empty()) throw std::runtime_error("no answer to " + sql.substr(0, 60));
  return std::move(answer.results.front());
}

bool is_integer(const Column& column) {
  return column.oid == 20 || column.oid == 21 || column.oid == 23;
}

std::string literal(const Value& value, const Column& column) {
  if (!value) return "NULL";
  if (is_integer(column)) return *value;
  std::string out = "'";
  for (const char c : *value) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::vector<std::string> insert_statements(const std::string& table, const Result& rows) {
  constexpr std::size_t rows_a_statement = 200;
  std::string columns;
  for (const Column& column : rows.columns) {
    columns += (columns.empty() ? "" : ", ") + column.name;
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    if (i % rows_a_statement == 0) {
      out.push_back(fmt::format("INSERT INTO {} ({}) VALUES ", table, columns));
    } else {
      out.back() += ", ";
    }
    std::string values;
    for (std::size_t c = 0; c < rows.columns.size(); ++c) {
      values += (c == 0 ? "" : ", ") + literal(rows.rows[i][c], rows.columns[c]);
    }
    out.back() += "(" + values + ")";
  }
  return out;
}

}  // namespace

PgRestorer::PgRestorer(Connection& single) {
  const Result tables =
      checked(single, "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'");
  for (const Row& row : tables.rows) {
    const std::string& table = *row.at(0);
    Result rows = checked(single, "SELECT * FROM " + table);
    Statements& statements = statements_[table];
    statements.as_read = insert_statements(table, rows);
    std::ranges::reverse(rows.rows);
    statements.reversed = insert_statements(table, rows);
  }
}

std::vector<std::string> PgRestorer::tables() const {
  std::vector<std::string> names;
  for (const auto& [name, statements] : statements_) names.push_back(name);
  return names;
}

/// The other server's rows get an order of their own.
void PgRestorer::begin(Side& side) {
  if (side.order == Rows::reversed) restore(side, tables());
}

void PgRestorer::restore(Side& side, const std::vector<std::string>& tables) {
  Connection& connection = *side.connection;
  for (const std::string& table : tables) {
    const auto known = statements_.find(table);
    if (known == statements_.end()) {
      connection.simple("DROP TABLE IF EXISTS " + table);
      continue;
    }
    checked(connection, "TRUNCATE " + table);
    const auto& inserts = side.order == Rows::as_read ? known->second.as_read : known->second.reversed;
    for (const std::string& sql : inserts) checked(connection, sql);
  }
}

}  // namespace anabranch::differential
