#include "transcript.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace transcript {

namespace {

/// Control characters and what is not ASCII, as hexadecimal; long values by length and sum.
std::string printable(std::string_view bytes) {
  if (bytes.size() > 300) {
    std::uint64_t sum = 14695981039346656037ULL;  // FNV-1a
    for (const unsigned char byte : bytes) sum = (sum ^ byte) * 1099511628211ULL;
    return fmt::format("<{} bytes, sum {:x}>", bytes.size(), sum);
  }
  std::string out;
  for (const unsigned char byte : bytes) {
    out += byte >= ' ' && byte < 127 ? std::string(1, static_cast<char>(byte)) : fmt::format("\\{:02x}", byte);
  }
  return out;
}

void say_columns(MYSQL_RES* result) {
  const MYSQL_FIELD* fields = mysql_fetch_fields(result);
  for (unsigned i = 0; i < mysql_num_fields(result); ++i) {
    const MYSQL_FIELD& field = fields[i];
    say(fmt::format("  column {}.{}.{} of {}.{}: type {} flags {:#x} length {} decimals {} charset {}", field.db,
                    field.table, field.name, field.org_table, field.org_name, static_cast<int>(field.type), field.flags,
                    field.length, field.decimals, field.charsetnr));
  }
}

/// The bits that a session's own conduct decides.
unsigned status_of(MYSQL* connection) {
  constexpr unsigned told = SERVER_STATUS_IN_TRANS | SERVER_STATUS_AUTOCOMMIT | SERVER_MORE_RESULTS_EXIST |
                            SERVER_STATUS_CURSOR_EXISTS | SERVER_STATUS_LAST_ROW_SENT | SERVER_PS_OUT_PARAMS |
                            SERVER_STATUS_IN_TRANS_READONLY | SERVER_SESSION_STATE_CHANGED;
  unsigned status = 0;
  mariadb_get_infov(connection, MARIADB_CONNECTION_SERVER_STATUS, &status);
  return status & told;
}

void say_changes(MYSQL* connection) {
  for (int type = SESSION_TRACK_BEGIN; type <= SESSION_TRACK_END; ++type) {
    std::vector<std::string> changes;
    const char* data = nullptr;
    std::size_t length = 0;
    const auto kind = static_cast<enum enum_session_state_type>(type);
    bool is_value = false;
    for (int rc = mysql_session_track_get_first(connection, kind, &data, &length); rc == 0;
         rc = mysql_session_track_get_next(connection, kind, &data, &length)) {
      const std::string shown = printable({data, length});
      if (is_value) {
        changes.back() += " = " + shown;
      } else {
        changes.push_back(shown);
      }
      is_value = type == SESSION_TRACK_SYSTEM_VARIABLES && !is_value;
    }
    // Servers tell of variables in the order of their memory.
    std::ranges::sort(changes);
    for (const std::string& change : changes) say(fmt::format("  session change {}: {}", type, change));
  }
}

void say_end(MYSQL* connection) {
  const char* info = mysql_info(connection);
  say(fmt::format("  affected {} id {} warnings {} status {:#x} info {}",
                  static_cast<std::int64_t>(mysql_affected_rows(connection)), mysql_insert_id(connection),
                  mysql_warning_count(connection), status_of(connection), info == nullptr ? "-" : info));
  say_changes(connection);
}

void say_rows(MYSQL_RES* result) {
  while (const MYSQL_ROW row = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    std::string line = "  row";
    for (unsigned i = 0; i < mysql_num_fields(result); ++i) {
      line += row[i] == nullptr ? " NULL" : " '" + printable({row[i], lengths[i]}) + "'";
    }
    say(line);
  }
}

}  // namespace

void say(std::string_view line) { fmt::print("{}\n", line); }

void say_error(MYSQL* connection) {
  say(fmt::format("  error {} ({}) {}", mysql_errno(connection), mysql_sqlstate(connection), mysql_error(connection)));
}

void say_error(MYSQL_STMT* statement) {
  say(fmt::format("  error {} ({}) {}", mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
                  mysql_stmt_error(statement)));
}

Connection open(const Endpoint& endpoint, const Login& login) {
  Connection connection(mysql_init(nullptr));
  const unsigned seconds = 20;
  const my_bool no = 0;
  mysql_options(connection.get(), MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  mysql_options(connection.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
  mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options4(connection.get(), MYSQL_OPT_CONNECT_ATTR_ADD, "transcript", "yes");
  const char* database = login.database.empty() ? nullptr : login.database.c_str();
  if (mysql_real_connect(connection.get(), endpoint.host.c_str(), login.user.c_str(), login.password.c_str(), database,
                         endpoint.port, nullptr, login.flags) == nullptr) {
    say(fmt::format("  no login: {} ({})", mysql_errno(connection.get()), mysql_sqlstate(connection.get())));
    return nullptr;
  }
  return connection;
}

void query(MYSQL* connection, std::string_view sql) {
  say(fmt::format("> {}", printable(sql)));
  if (mysql_real_query(connection, sql.data(), static_cast<unsigned long>(sql.size())) != 0) {
    say_error(connection);
    return;
  }
  while (true) {
    if (MYSQL_RES* result = mysql_use_result(connection)) {
      say_columns(result);
      say_rows(result);
      mysql_free_result(result);
    }
    if (mysql_errno(connection) != 0) {
      say_error(connection);
    } else {
      say_end(connection);
    }
    const int more = mysql_next_result(connection);
    if (more < 0) return;
    if (more > 0) {
      say_error(connection);
      return;
    }
    say("  next result");
  }
}

// ------------------------------------------------------------------------------- prepared statements

Value integer(std::int64_t value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return {MYSQL_TYPE_LONGLONG, bytes, false};
}

Value real(double value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return {MYSQL_TYPE_DOUBLE, bytes, false};
}

Value text(std::string value) { return {MYSQL_TYPE_STRING, std::move(value), false}; }

Value datetime(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second,
               unsigned long microseconds) {
  MYSQL_TIME time{};
  time.year = year;
  time.month = month;
  time.day = day;
  time.hour = hour;
  time.minute = minute;
  time.second = second;
  time.second_part = microseconds;
  time.time_type = MYSQL_TIMESTAMP_DATETIME;
  std::string bytes(sizeof time, '\0');
  std::memcpy(bytes.data(), &time, sizeof time);
  return {MYSQL_TYPE_DATETIME, bytes, false};
}

Statement prepare(MYSQL* connection, std::string_view sql) {
  say(fmt::format("> prepare {}", printable(sql)));
  Statement statement(mysql_stmt_init(connection));
  if (mysql_stmt_prepare(statement.get(), sql.data(), static_cast<unsigned long>(sql.size())) != 0) {
    say_error(statement.get());
    return nullptr;
  }
  say(fmt::format("  parameters {} columns {}", mysql_stmt_param_count(statement.get()),
                  mysql_stmt_field_count(statement.get())));
  return statement;
}

namespace {

bool bind(MYSQL_STMT* statement, const std::vector<Value>& values, std::vector<MYSQL_BIND>& binds,
          std::vector<unsigned long>& lengths) {
  binds.assign(values.size(), MYSQL_BIND{});
  lengths.assign(values.size(), 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    binds[i].buffer_type = values[i].type;
    binds[i].buffer = const_cast<char*>(values[i].bytes.data());  // NOLINT: the library only reads it
    lengths[i] = static_cast<unsigned long>(values[i].bytes.size());
    binds[i].buffer_length = lengths[i];
    binds[i].length = &lengths[i];
    binds[i].is_unsigned = values[i].is_unsigned ? 1 : 0;
  }
  return values.empty() || mysql_stmt_bind_param(statement, binds.data()) == 0;
}

/// Every column as text, converted by the library from its binary form.
void say_binary_rows(MYSQL_STMT* statement, unsigned columns) {
  std::vector<std::string> buffers(columns, std::string(1000, '\0'));
  std::vector<unsigned long> lengths(columns);
  std::vector<my_bool> nulls(columns);
  std::vector<MYSQL_BIND> binds(columns);
  for (unsigned i = 0; i < columns; ++i) {
    binds[i].buffer_type = MYSQL_TYPE_STRING;
    binds[i].buffer = buffers[i].data();
    binds[i].buffer_length = static_cast<unsigned long>(buffers[i].size());
    binds[i].length = &lengths[i];
    binds[i].is_null = &nulls[i];
  }
  mysql_stmt_bind_result(statement, binds.data());
  int rc = 0;
  while ((rc = mysql_stmt_fetch(statement)) == 0 || rc == MYSQL_DATA_TRUNCATED) {
    std::string line = "  row";
    for (unsigned i = 0; i < columns; ++i) {
      const std::size_t shown = std::min<std::size_t>(lengths[i], buffers[i].size());
      line += nulls[i] != 0 ? " NULL" : fmt::format(" '{}' ({})", printable({buffers[i].data(), shown}), lengths[i]);
    }
    say(line);
  }
  if (rc == 1) say_error(statement);
}

}  // namespace

void execute(MYSQL_STMT* statement, const std::vector<Value>& values, unsigned long cursor_rows) {
  say(fmt::format("> execute, {} values{}", values.size(), cursor_rows > 0 ? ", by a cursor" : ""));
  unsigned long type = cursor_rows > 0 ? CURSOR_TYPE_READ_ONLY : CURSOR_TYPE_NO_CURSOR;
  mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &type);
  if (cursor_rows > 0) mysql_stmt_attr_set(statement, STMT_ATTR_PREFETCH_ROWS, &cursor_rows);
  std::vector<MYSQL_BIND> binds;
  std::vector<unsigned long> lengths;
  if (!bind(statement, values, binds, lengths) || mysql_stmt_execute(statement) != 0) {
    say_error(statement);
    return;
  }
  while (true) {
    if (MYSQL_RES* columns = mysql_stmt_result_metadata(statement)) {
      say_columns(columns);
      say_binary_rows(statement, mysql_num_fields(columns));
      mysql_free_result(columns);
    }
    say(fmt::format("  affected {} id {} warnings {}", static_cast<std::int64_t>(mysql_stmt_affected_rows(statement)),
                    mysql_stmt_insert_id(statement), mysql_stmt_warning_count(statement)));
    mysql_stmt_free_result(statement);
    const int more = mysql_stmt_next_result(statement);
    if (more < 0) return;
    if (more > 0) {
      say_error(statement);
      return;
    }
    say("  next result");
  }
}

}  // namespace transcript
