#include "link.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>

namespace interleave {

namespace {

/// Whoever waits longer has been forgotten.
constexpr std::chrono::seconds patience(150);

Answer answer_of(PGconn* connection, PGresult* result) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> owned(result, PQclear);
  Answer answer;
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_PIPELINE_ABORTED) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    answer.sqlstate = status == PGRES_PIPELINE_ABORTED ? "skipped" : state ? state : "lost";
    answer.message = state ? PQresultErrorMessage(result) : PQerrorMessage(connection);
    return answer;
  }
  answer.tag = PQcmdStatus(result);
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& values = answer.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      values.emplace_back(PQgetisnull(result, row, column) ? "\\N" : PQgetvalue(result, row, column));
    }
  }
  return answer;
}

std::vector<const char*> pointers(const std::vector<std::string>& values) {
  std::vector<const char*> made;
  for (const std::string& value : values) made.push_back(value.c_str());
  return made;
}

}  // namespace

std::string Answer::text() const {
  if (!ok()) return sqlstate + " " + message;
  std::vector<std::string> lines;
  for (const auto& row : rows) lines.push_back(fmt::format("{}", fmt::join(row, "|")));
  return rows.empty() ? tag : fmt::format("{}", fmt::join(lines, "\n"));
}

Task<std::string> Link::open(std::string conninfo) {
  connection_.reset(PQconnectStart(conninfo.c_str()));
  PQsetNoticeProcessor(get(), [](void*, const char*) {}, nullptr);
  PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
  while (wants != PGRES_POLLING_OK) {
    if (PQstatus(get()) == CONNECTION_BAD || wants == PGRES_POLLING_FAILED) co_return PQerrorMessage(get());
    const bool came = co_await loop_.ready(PQsocket(get()), wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, patience);
    if (!came) co_return "no answer to the start of a connection";
    wants = PQconnectPoll(get());
  }
  PQsetnonblocking(get(), 1);
  co_return "";
}

/// Sends what libpq holds; reads meanwhile, as the other side may be full of answers.
Task<void> Link::send_all() {
  while (PQflush(get()) == 1) {
    if (!co_await loop_.ready(PQsocket(get()), POLLIN | POLLOUT, patience)) throw std::runtime_error("nobody reads");
    if (PQconsumeInput(get()) == 0) co_return;
  }
}

Task<std::optional<Answer>> Link::next_answer() {
  while (PQisBusy(get())) {
    if (!co_await loop_.ready(PQsocket(get()), POLLIN, patience)) {
      co_return Answer{"hangs", "no answer", "", {}};
    }
    if (PQconsumeInput(get()) == 0) co_return Answer{"lost", PQerrorMessage(get()), "", {}};
  }
  PGresult* result = PQgetResult(get());
  if (result == nullptr) co_return std::nullopt;
  co_return answer_of(get(), result);
}

Task<bool> Link::answered(std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  while (PQisBusy(get())) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0 || !co_await loop_.ready(PQsocket(get()), POLLIN, left)) co_return false;
    if (PQconsumeInput(get()) == 0) co_return true;
  }
  co_return true;
}

Task<Answers> Link::finish() {
  Answers answers;
  while (auto answer = co_await next_answer()) {
    answers.push_back(std::move(*answer));
    if (answers.back().sqlstate == "hangs" || answers.back().sqlstate == "lost") break;
  }
  if (answers.empty()) answers.push_back({"lost", PQerrorMessage(get()), "", {}});
  co_return answers;
}

Task<void> Link::start(std::string sql) {
  PQsendQuery(get(), sql.c_str());
  co_await send_all();
}

Task<Answers> Link::query(std::string sql) {
  co_await start(std::move(sql));
  co_return co_await finish();
}

Task<Answers> Link::execute(std::string sql, std::vector<std::string> parameters) {
  const auto values = pointers(parameters);
  PQsendQueryParams(get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0);
  co_await send_all();
  co_return co_await finish();
}

Task<Answers> Link::prepare(std::string name, std::string sql) {
  PQsendPrepare(get(), name.c_str(), sql.c_str(), 0, nullptr);
  co_await send_all();
  co_return co_await finish();
}

Task<Answers> Link::execute_prepared(std::string name, std::vector<std::string> parameters) {
  const auto values = pointers(parameters);
  PQsendQueryPrepared(get(), name.c_str(), static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0);
  co_await send_all();
  co_return co_await finish();
}

Task<Answers> Link::pipeline(std::vector<Piece> pieces) {
  PQenterPipelineMode(get());
  for (const Piece& piece : pieces) {
    const auto values = pointers(piece.parameters);
    const int count = static_cast<int>(values.size());
    piece.prepared
        ? PQsendQueryPrepared(get(), piece.sql.c_str(), count, values.data(), nullptr, nullptr, 0)
        : PQsendQueryParams(get(), piece.sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0);
  }
  PQpipelineSync(get());
  co_await send_all();
  Answers answers;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto answer = co_await next_answer();
    answers.push_back(answer ? std::move(*answer) : Answer{"lost", "no result for a statement of a pipeline", "", {}});
    if (answers.back().sqlstate == "lost" || answers.back().sqlstate == "hangs") co_return answers;
    while (co_await next_answer()) {
    }
  }
  (void)co_await next_answer();  // of the Sync
  PQexitPipelineMode(get());
  co_return answers;
}

void Link::cancel() {
  PGcancel* cancel = PQgetCancel(get());
  char why[256];
  if (PQcancel(cancel, why, sizeof why) == 0) fmt::print(stderr, "a cancel was not sent: {}\n", why);
  PQfreeCancel(cancel);
}

void Link::cut() {
  if (connection_ && PQsocket(get()) >= 0) shutdown(PQsocket(get()), SHUT_RDWR);
  connection_.reset();
}

std::string Link::parameter(const char* name) const {
  const char* value = PQparameterStatus(get(), name);
  return value == nullptr ? "\\N" : value;
}

std::vector<std::string> Link::notifications() {
  std::vector<std::string> come;
  while (PGnotify* notify = PQnotifies(get())) {
    come.push_back(fmt::format("{} {}", notify->relname, notify->extra));
    PQfreemem(notify);
  }
  return come;
}

Task<bool> Link::listen(std::chrono::milliseconds limit) {
  if (!co_await loop_.ready(PQsocket(get()), POLLIN, limit)) co_return false;
  PQconsumeInput(get());
  co_return true;
}

}  // namespace interleave
