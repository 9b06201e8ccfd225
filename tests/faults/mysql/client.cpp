#include "client.h"

#include <fmt/format.h>

namespace faults::mysql {

namespace {

Answer failure_of(MYSQL* connection) {
  Answer answer;
  answer.error = mysql_errno(connection);
  answer.sqlstate = mysql_sqlstate(connection);
  answer.message = mysql_error(connection);
  return answer;
}

}  // namespace

std::string Answer::value() const {
  if (!ok()) return fmt::format("{} {} {}", error, sqlstate, message);
  return rows.empty() || rows[0].empty() ? "" : rows[0][0];
}

Client::Client(int port, const std::string& user, const std::string& password)
    : connection_(mysql_init(nullptr), mysql_close) {
  // Nothing may take for ever.
  const unsigned seconds = 60;
  const unsigned local_files = 1;
  mysql_options(connection_.get(), MYSQL_OPT_READ_TIMEOUT, &seconds);
  mysql_options(connection_.get(), MYSQL_OPT_LOCAL_INFILE, &local_files);
  connected_ = mysql_real_connect(connection_.get(), "127.0.0.1", user.c_str(), password.c_str(), "shop",
                                  static_cast<unsigned>(port), nullptr, CLIENT_LOCAL_FILES) != nullptr;
  if (!connected_) problem_ = fmt::format("{} {}", mysql_errno(connection_.get()), mysql_error(connection_.get()));
}

Answer Client::run(const std::string& sql) {
  MYSQL* connection = connection_.get();
  if (mysql_real_query(connection, sql.data(), sql.size()) != 0) return failure_of(connection);
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(connection),
                                                                       mysql_free_result);
  if (mysql_errno(connection) != 0) return failure_of(connection);
  Answer answer;
  answer.affected = mysql_affected_rows(connection);
  if (result == nullptr) return answer;
  const unsigned columns = mysql_num_fields(result.get());
  while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
    const unsigned long* lengths = mysql_fetch_lengths(result.get());
    auto& values = answer.rows.emplace_back();
    for (unsigned i = 0; i < columns; ++i) {
      values.push_back(row[i] == nullptr ? "\\N" : std::string(row[i], lengths[i]));
    }
  }
  return answer;
}

Reading::Reading(Client& client, const std::string& sql) : client_(client), result_(nullptr, mysql_free_result) {
  if (mysql_real_query(client.get(), sql.data(), sql.size()) == 0) result_.reset(mysql_use_result(client.get()));
  if (result_ == nullptr) failure_ = failure_of(client.get());
}

bool Reading::read(std::size_t rows) {
  for (std::size_t i = 0; result_ != nullptr && i < rows; ++i, ++seen_) {
    if (mysql_fetch_row(result_.get()) != nullptr) continue;
    failure_ = failure_of(client_.get());
    return false;
  }
  return result_ != nullptr;
}

Answer Reading::end() {
  while (failure_.ok() && read(1000)) {
  }
  return failure_;
}

Prepared::Prepared(Client& client, const std::string& sql, bool cursor)
    : statement_(mysql_stmt_init(client.get()), mysql_stmt_close) {
  if (cursor) {
    const unsigned long type = CURSOR_TYPE_READ_ONLY;
    const unsigned long ahead = 10;
    mysql_stmt_attr_set(statement_.get(), STMT_ATTR_CURSOR_TYPE, &type);
    mysql_stmt_attr_set(statement_.get(), STMT_ATTR_PREFETCH_ROWS, &ahead);
  }
  if (mysql_stmt_prepare(statement_.get(), sql.data(), sql.size()) != 0) prepared_ = failure();
}

Answer Prepared::failure() const {
  Answer answer;
  answer.error = mysql_stmt_errno(statement_.get());
  answer.sqlstate = mysql_stmt_sqlstate(statement_.get());
  answer.message = mysql_stmt_error(statement_.get());
  return answer;
}

Answer Prepared::execute(std::vector<std::int64_t> parameters, std::size_t rows) {
  std::vector<MYSQL_BIND> binds(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    binds[i] = {};
    binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
    binds[i].buffer = &parameters[i];
  }
  mysql_stmt_free_result(statement_.get());
  if (!binds.empty() && mysql_stmt_bind_param(statement_.get(), binds.data())) return failure();
  if (mysql_stmt_execute(statement_.get()) != 0) return failure();
  return fetch(rows);
}

Answer Prepared::fetch(std::size_t rows) {
  Answer answer;
  const unsigned columns = mysql_stmt_field_count(statement_.get());
  answer.affected = mysql_stmt_affected_rows(statement_.get());
  if (columns == 0) return answer;
  std::vector<std::string> texts(columns, std::string(20'000, '\0'));
  std::vector<unsigned long> lengths(columns);
  std::vector<MYSQL_BIND> binds(columns);
  for (unsigned i = 0; i < columns; ++i) {
    binds[i] = {};
    binds[i].buffer_type = MYSQL_TYPE_STRING;
    binds[i].buffer = texts[i].data();
    binds[i].buffer_length = texts[i].size();
    binds[i].length = &lengths[i];
  }
  if (mysql_stmt_bind_result(statement_.get(), binds.data())) return failure();
  while (answer.rows.size() < rows) {
    const int status = mysql_stmt_fetch(statement_.get());
    if (status == MYSQL_NO_DATA) break;
    if (status == 1) {
      Answer failed = failure();
      failed.rows = std::move(answer.rows);
      return failed;
    }
    auto& values = answer.rows.emplace_back();
    for (unsigned i = 0; i < columns; ++i) values.emplace_back(texts[i].data(), std::min(lengths[i], binds[i].buffer_length));
  }
  return answer;
}

}  // namespace faults::mysql
