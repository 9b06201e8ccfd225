#include "proxy/cli_explain.h"

#include <fmt/format.h>

#include <future>
#include <ostream>

#include "conf/load.h"
#include "proxy/cli_check.h"
#include "proxy/explain_lines.h"
#include "proxy/instance.h"
#include "proxy/log.h"
#include "proxy/planning.h"
#include "rewriter/parse.h"
#include "rewriter/print.h"

namespace anabranch::proxy {

namespace {

struct Answer {
  std::vector<std::string> lines;
  std::optional<values::SqlError> error;
};

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

net::Task<void> answer(Worker& worker, Login login, const ExplainOptions& options,
                       std::promise<Answer>& promise) {
  Answer answer;
  SessionState state(worker, net::Socket(), std::move(login));
  try {
    Statement statement;
    if (options.stages) {
      set_text(state, statement, options.sql);
      co_await ensure_plan(state, statement);
      answer.lines = stages_of(state, statement);
    }
    set_text(state, statement, "EXPLAIN " + options.sql);
    co_await ensure_plan(state, statement);
    if (statement.plan->plan->refusal) co_await throw_refusal(state, statement, statement.plan);
    Execution execution;
    execution.statement = &statement;
    execution.plan = statement.plan;
    for (auto& line : co_await explain_lines(state, execution, false)) answer.lines.push_back(std::move(line));
  } catch (const values::SqlError& error) {
    answer.error = error;
  }
  state.end_leases();
  promise.set_value(std::move(answer));
}

const conf::User* any_user(const conf::Config& config, const std::string& database) {
  for (const conf::User& user : config.users) {
    if (user.may_use(database)) return &user;
  }
  return nullptr;
}

}  // namespace

int explain(const ExplainOptions& options, std::ostream& out, std::ostream& err) {
  const conf::Loaded loaded = conf::load_file(options.config);
  print(loaded.diagnostics, err);
  if (loaded.config == nullptr) return exit_refused;
  spdlog::set_level(spdlog::level::off);
  Instance instance;
  if (const auto installed = instance.install(loaded.config); !installed) {
    for (const std::string& reason : installed.error()) err << reason << "\n";
    return exit_refused;
  }
  Login login;
  login.state = instance.snapshot()->find(options.database);
  login.account = any_user(*loaded.config, options.database);
  if (login.state == nullptr || login.account == nullptr) {
    err << fmt::format("{}: no {} \"{}\"\n", options.config,
                       login.state == nullptr ? "database" : "user may use database", options.database);
    return exit_refused;
  }
  login.user = login.account->name;
  login.database = options.database;
  if (login.account->password.kind == conf::PasswordKind::plain) login.password = login.account->password.text;

  instance.start_loops(1);
  std::promise<Answer> promise;
  instance.post(0, [&](Worker& worker) { net::spawn(answer(worker, std::move(login), options, promise)); });
  const Answer answered = promise.get_future().get();
  for (const std::string& line : answered.lines) out << line << "\n";
  if (!answered.error) return exit_fine;
  err << fmt::format("ERROR: {} ({})\n", answered.error->message, answered.error->sqlstate);
  if (!answered.error->hint.empty()) err << "HINT: " << answered.error->hint << "\n";
  return exit_refused;
}

}  // namespace anabranch::proxy
