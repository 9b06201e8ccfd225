#include "mysql_connection.h"

#include <fmt/format.h>
#include <mysql.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "mysql_values.h"

namespace anabranch::differential {
namespace {

constexpr unsigned answer_timeout_s = 20;
constexpr unsigned cursor_rows = 3;
constexpr std::size_t most_warnings = 64;  // max_error_count
constexpr unsigned first_client_error = 2000;
constexpr unsigned last_client_error = 2999;

/// Of a refusal of the proxy's own; servers use the number with another SQLSTATE.
constexpr unsigned not_supported = 1235;

/// Which of these a server tells of a column depends on whether its plan has a temporary table.
constexpr unsigned open_flags =
    PRI_KEY_FLAG | UNIQUE_KEY_FLAG | MULTIPLE_KEY_FLAG | PART_KEY_FLAG | GROUP_FLAG | BINARY_FLAG;

/// Of text they are 39 or 0, which depends on the same.
unsigned decimals_of(const MYSQL_FIELD& field) {
  const bool is_text = field.type == MYSQL_TYPE_VAR_STRING || field.type == MYSQL_TYPE_STRING ||
                       (field.type >= MYSQL_TYPE_TINY_BLOB && field.type <= MYSQL_TYPE_BLOB);
  return is_text ? 0 : field.decimals;
}

Result failure(unsigned number, const char* state, const char* message) {
  Result result;
  result.kind = Result::Kind::error;
  const bool refused = number == not_supported && std::string_view(state) == "0A000";
  const bool lost = number >= first_client_error && number <= last_client_error;
  result.sqlstate = refused ? "0A000" : lost ? "LOST" : fmt::format("{}", number);
  result.message = message;
  result.context = fmt::format("{} {}", state, message);
  return result;
}

std::vector<Column> columns_of(MYSQL_RES* result) {
  std::vector<Column> columns;
  const MYSQL_FIELD* fields = mysql_fetch_fields(result);
  for (unsigned i = 0; i < mysql_num_fields(result); ++i) {
    const MYSQL_FIELD& field = fields[i];
    Column column{.name = field.name, .type = fmt::format("{}", static_cast<int>(field.type))};
    column.play = mysql_play(field);
    column.table = field.table;
    column.told = fmt::format(", decimals {}, charset {}{}", decimals_of(field), field.charsetnr,
                              (field.flags & UNSIGNED_FLAG) != 0 ? ", unsigned" : "");
    column.told_of_origin = fmt::format(", which is {}.{}.{}, flags {:#x}, length {}", field.db, field.org_table, field.org_name,
                                        field.flags & ~open_flags, field.length);
    columns.push_back(std::move(column));
  }
  return columns;
}

std::string command_tag(uint64_t affected, uint64_t id, const char* info) {
  return fmt::format("affected {}, id {}, info {}", static_cast<int64_t>(affected), id, info == nullptr ? "-" : info);
}

std::vector<Row> text_rows(MYSQL_RES* result) {
  std::vector<Row> rows;
  while (const MYSQL_ROW row = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    Row& out = rows.emplace_back();
    for (unsigned i = 0; i < mysql_num_fields(result); ++i) {
      out.push_back(row[i] == nullptr ? Value{} : Value(std::string(row[i], lengths[i])));
    }
  }
  return rows;
}

bool asks_for_diagnostics(std::string_view sql) {
  return sql.starts_with("SHOW WARNINGS") || sql.starts_with("SHOW ERRORS") || sql.starts_with("GET DIAGNOSTICS");
}

/// What LOAD DATA LOCAL reads: the case's data, whatever file the statement names.
struct Infile {
  std::string_view rest;
};

void serve_infile(MYSQL* connection, std::string& data) {
  mysql_set_local_infile_handler(
      connection,
      [](void** state, const char*, void* text) {
        *state = new Infile{*static_cast<std::string*>(text)};
        return 0;
      },
      [](void* state, char* buffer, unsigned room) {
        auto& infile = *static_cast<Infile*>(state);
        const std::size_t bytes = std::min<std::size_t>(room, infile.rest.size());
        std::memcpy(buffer, infile.rest.data(), bytes);
        infile.rest.remove_prefix(bytes);
        return static_cast<int>(bytes);
      },
      [](void* state) { delete static_cast<Infile*>(state); },
      [](void*, char* message, unsigned room) {
        std::strncpy(message, "no data", room);
        return 2;
      },
      &data);
}

}  // namespace

void MysqlConnection::Close::operator()(st_mysql* connection) const {
  mysql_close(connection);
}

void MysqlConnection::CloseStatement::operator()(st_mysql_stmt* statement) const {
  mysql_stmt_close(statement);
}

MysqlConnection::MysqlConnection(const std::string& endpoint)
    : port_(static_cast<unsigned>(std::stoul(endpoint.substr(0, endpoint.find('/'))))) {
  open();
}

MysqlConnection::~MysqlConnection() {
  statements_.clear();
}

void MysqlConnection::open() {
  statements_.clear();
  connection_.reset(mysql_init(nullptr));
  const unsigned connect_timeout_s = 10;
  const my_bool no = 0;
  mysql_options(connection_.get(), MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout_s);
  mysql_options(connection_.get(), MYSQL_OPT_READ_TIMEOUT, &answer_timeout_s);
  mysql_options(connection_.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
  mysql_options(connection_.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  serve_infile(connection_.get(), infile_);
  constexpr unsigned long flags = CLIENT_MULTI_STATEMENTS | CLIENT_MULTI_RESULTS | CLIENT_LOCAL_FILES;
  if (mysql_real_connect(connection_.get(), "127.0.0.1", "app", "app-secret", "shop", port_, nullptr, flags) ==
      nullptr) {
    throw std::runtime_error(fmt::format("port {}: {}", port_, mysql_error(connection_.get())));
  }
}

void MysqlConnection::reset() {
  open();
}

Answer MysqlConnection::run(const Step& step, Form form, bool as_single) {
  const std::string& sql = as_single ? step.sql_for_single() : step.sql;
  infile_ = step.copy_data.value_or("");
  if (step.kind == Step::Kind::prepare) return prepare(step, sql);
  if (step.kind == Step::Kind::query && form == Form::simple) {
    return in_text(with_mysql_literals(sql, step.parameters));
  }
  const bool by_cursor = form == Form::cursor;
  if (step.kind == Step::Kind::query) return prepared_once(step, sql, by_cursor);
  const auto found = statements_.find(step.statement);
  if (found == statements_.end()) return finished({{failure(1243, "HY000", "no such statement")}}, 0);
  return execute(found->second.get(), step, by_cursor);
}

Answer MysqlConnection::simple(const std::string& sql) {
  return in_text(sql);
}

std::vector<Answer> MysqlConnection::pipeline(const std::vector<Step>&, bool, bool) {
  throw std::runtime_error("MySQL's protocol has no pipelines");
}

Answer MysqlConnection::explain(const Step& step) {
  return in_text("EXPLAIN " + with_mysql_literals(step.sql, step.parameters));
}

Answer MysqlConnection::in_text(const std::string& sql) {
  MYSQL* const connection = connection_.get();
  Answer answer;
  int more = mysql_real_query(connection, sql.data(), sql.size());
  while (more == 0) {
    Result& result = answer.results.emplace_back();
    if (MYSQL_RES* rows = mysql_use_result(connection)) {
      result.kind = Result::Kind::rows;
      result.columns = columns_of(rows);
      result.rows = text_rows(rows);
      mysql_free_result(rows);
    } else {
      result.tag = command_tag(mysql_affected_rows(connection), mysql_insert_id(connection), mysql_info(connection));
    }
    if (mysql_errno(connection) != 0) {
      answer.results.pop_back();  // which rows come before an error is open
      break;
    }
    result.tag += fmt::format(", {} warnings", mysql_warning_count(connection));
    more = mysql_next_result(connection);
  }
  if (mysql_errno(connection) != 0) {
    answer.results.push_back(failure(mysql_errno(connection), mysql_sqlstate(connection), mysql_error(connection)));
  }
  return finished(std::move(answer), asks_for_diagnostics(sql) ? 0 : mysql_warning_count(connection));
}

Answer MysqlConnection::prepare(const Step& step, const std::string& sql) {
  Statement statement(mysql_stmt_init(connection_.get()));
  Answer answer;
  if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) != 0) {
    answer.results.push_back(failure(mysql_stmt_errno(statement.get()), mysql_stmt_sqlstate(statement.get()),
                                     mysql_stmt_error(statement.get())));
    return finished(std::move(answer), 0);
  }
  Result& result = answer.results.emplace_back();
  result.tag = fmt::format("{} parameters", mysql_stmt_param_count(statement.get()));
  if (MYSQL_RES* columns = mysql_stmt_result_metadata(statement.get())) {
    result.columns = columns_of(columns);
    mysql_free_result(columns);
  }
  statements_[step.statement] = std::move(statement);
  return finished(std::move(answer), 0);
}

Answer MysqlConnection::prepared_once(const Step& step, const std::string& sql, bool by_cursor) {
  Statement statement(mysql_stmt_init(connection_.get()));
  if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()) != 0) {
    return finished({{failure(mysql_stmt_errno(statement.get()), mysql_stmt_sqlstate(statement.get()),
                              mysql_stmt_error(statement.get()))}},
                    0);
  }
  return execute(statement.get(), step, by_cursor);
}

Answer MysqlConnection::execute(st_mysql_stmt* statement, const Step& step, bool by_cursor) {
  const unsigned long type = by_cursor ? CURSOR_TYPE_READ_ONLY : CURSOR_TYPE_NO_CURSOR;
  const unsigned long prefetch = cursor_rows;
  mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &type);
  if (by_cursor) mysql_stmt_attr_set(statement, STMT_ATTR_PREFETCH_ROWS, &prefetch);
  Answer answer;
  const MysqlParameters parameters(step.parameters);
  if (mysql_stmt_param_count(statement) != parameters.count()) {
    answer.results.push_back(failure(2031, "HY000", "another number of parameters"));
    return finished(std::move(answer), 0);
  }
  if (parameters.count() > 0) mysql_stmt_bind_param(statement, parameters.binds());
  unsigned warnings = 0;
  int more = mysql_stmt_execute(statement);
  while (more == 0) {
    Result& result = answer.results.emplace_back();
    if (MYSQL_RES* columns = mysql_stmt_result_metadata(statement)) {
      result.kind = Result::Kind::rows;
      result.columns = columns_of(columns);
      // libmariadb learns of warnings where it keeps the rows, and forgets them where it does not.
      if (by_cursor || mysql_stmt_store_result(statement) == 0) result.rows = binary_rows(statement, columns);
      mysql_free_result(columns);
    } else {
      result.tag = command_tag(mysql_stmt_affected_rows(statement), mysql_stmt_insert_id(statement),
                               mysql_info(connection_.get()));
    }
    if (mysql_stmt_errno(statement) != 0) {
      answer.results.pop_back();
      break;
    }
    warnings = mysql_stmt_warning_count(statement);
    result.tag += fmt::format(", {} warnings", warnings);
    mysql_stmt_free_result(statement);
    more = mysql_stmt_next_result(statement);
  }
  const unsigned number = mysql_stmt_errno(statement);
  if (number != 0) {
    answer.results.push_back(failure(number, mysql_stmt_sqlstate(statement), mysql_stmt_error(statement)));
  }
  return finished(std::move(answer), asks_for_diagnostics(step.sql) ? 0 : warnings);
}

Answer MysqlConnection::finished(Answer answer, unsigned warnings) {
  MYSQL* const connection = connection_.get();
  const Result* const error = answer.error();
  const bool lost = error != nullptr && error->sqlstate == "LOST";
  // No client can ask the server which rows an error's warnings are of: only those of answers are read.
  unsigned status = 0;
  mariadb_get_infov(connection, MARIADB_CONNECTION_SERVER_STATUS, &status);
  if (warnings > 0 && error == nullptr && mysql_query(connection, "SHOW WARNINGS") == 0) {
    if (MYSQL_RES* rows = mysql_store_result(connection)) {
      for (const Row& row : text_rows(rows)) {
        answer.results.back().warnings.push_back(
            fmt::format("{} {} {}", row.at(0).value_or(""), row.at(1).value_or(""), row.at(2).value_or("")));
      }
      mysql_free_result(rows);
    }
    // In the order of rows, which nothing fixes; and servers keep the first 64 only.
    std::vector<std::string>& kept = answer.results.back().warnings;
    std::ranges::sort(kept);
    if (kept.size() >= most_warnings) kept.clear();
  }
  const bool in_transaction = (status & SERVER_STATUS_IN_TRANS) != 0;
  const bool read_only = (status & SERVER_STATUS_IN_TRANS_READONLY) != 0;
  answer.transaction = read_only ? 'R' : in_transaction ? 'T' : 'I';
  // Lower case: without autocommit.
  if ((status & SERVER_STATUS_AUTOCOMMIT) == 0) answer.transaction = static_cast<char>(answer.transaction + ('a' - 'A'));
  if (lost) open();
  return answer;
}

namespace {

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string literal(const Parameter& parameter) {
  if (!parameter.value) return "NULL";
  const bool number = parameter.type == "bigint" || parameter.type == "unsigned" || parameter.type == "double" ||
                      parameter.type == "integer";
  return number ? *parameter.value : in_quotes(*parameter.value);
}

}  // namespace

std::string with_mysql_literals(std::string_view sql, const std::vector<Parameter>& parameters) {
  std::string out;
  char quote = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
      if (c == '\\' && quote != '`' && i + 1 < sql.size()) out += sql[i++];
    } else if (c == '\'' || c == '"' || c == '`') {
      quote = c;
    } else if (c == '?' && next < parameters.size()) {
      out += literal(parameters[next++]);
      continue;
    }
    out += sql[i];
  }
  return out;
}

}  // namespace anabranch::differential
