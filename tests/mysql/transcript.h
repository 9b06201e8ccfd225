#pragma once

#include <mysql.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What a client sees, as text: of two endpoints it has to be the same.
namespace transcript {

struct Endpoint {
  std::string host;
  unsigned port = 0;
};

struct CloseConnection {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
};
using Connection = std::unique_ptr<MYSQL, CloseConnection>;

struct Login {
  std::string user = "app";
  std::string password = "app-secret";
  std::string database = "shop";
  unsigned long flags = CLIENT_MULTI_STATEMENTS | CLIENT_MULTI_RESULTS | CLIENT_LOCAL_FILES;
};

/// Null: it failed, and the transcript says how.
Connection open(const Endpoint& endpoint, const Login& login = {});

/// The last error of a connection or statement: number, SQLSTATE, text.
void say_error(MYSQL* connection);
void say_error(MYSQL_STMT* statement);
void say(std::string_view line);

/// Runs SQL and writes down everything that comes back: each result's columns with all that is told of
/// them, its rows, counts, warnings and status.
void query(MYSQL* connection, std::string_view sql);

/// A parameter of a prepared statement; type MYSQL_TYPE_NULL for NULL.
struct Value {
  enum_field_types type = MYSQL_TYPE_NULL;
  std::string bytes = {};  // as the type's C form, or a string's
  bool is_unsigned = false;
};
Value integer(std::int64_t value);
Value real(double value);
Value text(std::string value);
Value datetime(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second,
               unsigned long microseconds);

struct CloseStatement {
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
};
using Statement = std::unique_ptr<MYSQL_STMT, CloseStatement>;

/// Null: it failed, and the transcript says how.
Statement prepare(MYSQL* connection, std::string_view sql);
/// Executes and writes down all results. `cursor_rows` not 0: by a cursor, so many rows at a time.
void execute(MYSQL_STMT* statement, const std::vector<Value>& values, unsigned long cursor_rows = 0);

}  // namespace transcript
