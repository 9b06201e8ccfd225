#include "proxy/cli_explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ostream>

#include "proxy/cli_check.h"
#include "proxy/explain_lines.h"
#include "proxy/mysql/offline.h"
#include "proxy/offline.h"
#include "proxy/planning.h"
#include "rewriter/parse.h"
#include "rewriter/print.h"

namespace anabranch::proxy {

namespace {

std::vector<std::string> stages_of(const SessionState& state, const Statement& statement) {
  std::vector<std::string> lines{"shape: " + std::string(statement.shape.text())};
  for (std::size_t i = 0; i < statement.shape.literals().size(); ++i) {
    lines.push_back(fmt::format("  literal {}: {}", i + 1, statement.shape.spelling(static_cast<int>(i))));
  }
  const auto parsed =
      rewriter::parse(statement.text, statement.shape, state.planning.standard_conforming_strings);
  if (const auto* trees = std::get_if<std::vector<rewriter::tree::StatementPtr>>(&parsed)) {
    for (const auto& tree : *trees) lines.push_back("tree, printed: " + rewriter::to_text(*tree, statement.shape));
  }
  std::string pinned;
  for (const int literal : statement.plan->plan->pinned) pinned += fmt::format(" {}", literal + 1);
  lines.push_back("literals read while planning:" + (pinned.empty() ? " none" : pinned));
  for (const std::string& reason : statement.plan->plan->reasons) lines.push_back("reason: " + reason);
  return lines;
}

struct Answer {
  std::vector<std::string> lines;
  std::optional<values::SqlError> error;
};

net::Task<void> explain_one(SessionState& state, const std::string& sql, bool stages, Answer& answer) {
  try {
    Statement statement;
    if (stages) {
      set_text(state, statement, sql);
      co_await ensure_plan(state, statement);
      answer.lines = stages_of(state, statement);
    }
    set_text(state, statement, "EXPLAIN " + sql);
    co_await ensure_plan(state, statement);
    if (statement.plan->plan->refusal) co_await throw_refusal(state, statement, statement.plan);
    Execution execution;
    execution.statement = &statement;
    execution.plan = statement.plan;
    for (auto& line : co_await explain_lines(state, execution, false)) answer.lines.push_back(std::move(line));
  } catch (const values::SqlError& error) {
    answer.error = error;
  }
}

net::Task<void> explain_mysql(Worker& worker, Login login, const std::string& sql, Answer& answer) {
  try {
    answer.lines = co_await mysql::explain_offline(worker, std::move(login), sql);
  } catch (const values::SqlError& error) {
    answer.error = error;
  }
}

/// A statement of a query log, with the line it begins on.
struct LoggedQuery {
  std::size_t line = 0;
  std::string sql;
};

std::vector<LoggedQuery> read_log(const std::string& text) {
  std::vector<LoggedQuery> queries;
  std::size_t line = 1;
  std::size_t counted = 0;
  for (const auto& span : rewriter::split_statements(text)) {
    line += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                                text.begin() + static_cast<std::ptrdiff_t>(span.offset), '\n'));
    counted = span.offset;
    queries.push_back({line, text.substr(span.offset, span.length)});
  }
  return queries;
}

/// `Anabranch Scatter` as `scatter`.
std::string kind_of(const Answer& answer) {
  if (answer.error) return answer.error->sqlstate == "0A000" ? "refused" : "error";
  std::string kind = answer.lines.empty() ? "" : answer.lines.front();
  kind.erase(0, kind.rfind(' ') + 1);
  for (char& letter : kind) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return kind == "refuse" ? "refused" : kind;
}

}  // namespace

int explain(const ExplainOptions& options, std::ostream& out, std::ostream& err) {
  Answer answer;
  const OfflineJob job{
      .postgres = [&](SessionState& state) { return explain_one(state, options.sql, options.stages, answer); },
      .mysql = [&](Worker& worker, Login login) { return explain_mysql(worker, std::move(login), options.sql, answer); }};
  const int status = run_offline(options.config, options.database, err, job);
  if (status != exit_fine) return status;
  for (const std::string& line : answer.lines) out << line << "\n";
  if (!answer.error) return exit_fine;
  err << fmt::format("ERROR: {} ({})\n", answer.error->message, answer.error->sqlstate);
  if (!answer.error->hint.empty()) err << "HINT: " << answer.error->hint << "\n";
  return exit_refused;
}

namespace {

net::Task<void> explain_all(SessionState& state, const std::vector<LoggedQuery>& queries,
                            const std::string& file, std::ostream& out) {
  for (const LoggedQuery& query : queries) {
    Answer answer;
    co_await explain_one(state, query.sql, false, answer);
    std::string why;
    if (answer.error) {
      why = answer.error->message;
    } else if (answer.lines.size() > 1) {
      why = answer.lines[1];
      why.erase(0, why.find_first_not_of(' '));
    }
    out << fmt::format("{}:{}: {}: {}\n", file, query.line, kind_of(answer), why);
  }
}

}  // namespace

int check_queries(const CheckQueriesOptions& options, const std::string& log, std::ostream& out,
                  std::ostream& err) {
  const std::vector<LoggedQuery> queries = read_log(log);
  const OfflineJob job{
      .postgres = [&](SessionState& state) { return explain_all(state, queries, options.file, out); }};
  return run_offline(options.config, options.database, err, job);
}

}  // namespace anabranch::proxy
