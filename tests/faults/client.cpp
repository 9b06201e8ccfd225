#include "client.h"

#include <doctest/doctest.h>

namespace faults {

std::string Answer::value() const {
  if (!ok()) return sqlstate + " " + message;
  return rows.empty() ? "no row" : rows[0].empty() ? "no column" : rows[0][0];
}

Answer take(PGconn* connection, PGresult* result) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> owned(result, PQclear);
  Answer answer;
  const ExecStatusType status = PQresultStatus(result);
  if (result == nullptr || status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    answer.sqlstate = state ? state : "lost";
    answer.message = result ? PQresultErrorMessage(result) : PQerrorMessage(connection);
    return answer;
  }
  answer.tag = PQcmdStatus(result);
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& values = answer.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      values.emplace_back(PQgetisnull(result, row, column)
                              ? std::string("\\N")
                              : std::string(PQgetvalue(result, row, column),
                                            static_cast<std::size_t>(PQgetlength(result, row, column))));
    }
  }
  return answer;
}

Client::Client(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str()), PQfinish) {
  PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
}

Answer Client::run(const std::string& sql) { return take(get(), PQexec(get(), sql.c_str())); }

Answer Client::run(const std::string& sql, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  return take(get(), PQexecParams(get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                                  nullptr, nullptr, 0));
}

void Client::cancel() const {
  char reason[256];
  PGcancel* handle = PQgetCancel(get());
  CHECK(PQcancel(handle, reason, sizeof reason) == 1);
  PQfreeCancel(handle);
}

Answer Client::copy_in(const std::string& sql, const std::string& data, const char* end_error) {
  PGresult* begun = PQexec(get(), sql.c_str());
  if (PQresultStatus(begun) != PGRES_COPY_IN) return take(get(), begun);
  PQclear(begun);
  for (std::size_t at = 0; at < data.size(); at += 8192) {
    const std::size_t length = std::min<std::size_t>(8192, data.size() - at);
    if (PQputCopyData(get(), data.data() + at, static_cast<int>(length)) != 1) break;
  }
  PQputCopyEnd(get(), end_error);
  Answer answer = take(get(), PQgetResult(get()));
  while (PGresult* more = PQgetResult(get())) PQclear(more);
  return answer;
}

Answer Client::copy_out(const std::string& sql) {
  PGresult* begun = PQexec(get(), sql.c_str());
  if (PQresultStatus(begun) != PGRES_COPY_OUT) return take(get(), begun);
  PQclear(begun);
  std::vector<std::vector<std::string>> rows;
  char* line = nullptr;
  for (int length; (length = PQgetCopyData(get(), &line, 0)) > 0; PQfreemem(line)) {
    rows.push_back({std::string(line, static_cast<std::size_t>(length))});
  }
  Answer answer = take(get(), PQgetResult(get()));
  while (PGresult* more = PQgetResult(get())) PQclear(more);
  answer.rows = std::move(rows);
  return answer;
}

}  // namespace faults
