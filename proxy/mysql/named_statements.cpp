#include "proxy/mysql/named_statements.h"

#include <fmt/format.h>

#include <utility>

#include "backends/exchange.h"
#include "proxy/mysql/commands.h"
#include "proxy/mysql/description.h"
#include "proxy/mysql/replies.h"
#include "rewriter/mysql/lexer.h"
#include "values/ascii.h"
#include "values/mysql_quote.h"
#include "values/mysql_type.h"

namespace anabranch::proxy::mysql {

namespace {

using Argument = rewriter::SessionPlan::Argument;
using backends::Transaction;

/// As the server reads it under this sql_mode.
std::string quoted(std::string_view text, const rewriter::mysql::Mode& mode) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += c;
    if (c == '\\' && !mode.no_backslash_escapes) out += c;
    out += c;
  }
  return out + "'";
}

/// Answers one row of the values.
net::Task<backends::CommandResult> compute_values(State& state, const rewriter::Plan& plan,
                                                  std::vector<std::string> expressions) {
  Transaction::Enlisted* member = co_await first_connection(state, plan);
  std::string sql = "SELECT ";
  for (const std::string& expression : expressions) sql += (sql.size() > 7 ? ", " : "") + expression;
  auto answer = co_await backends::run_command(member->lease, std::move(sql), state.token());
  if (!answer) throw backends::ServerError(answer.error(), member->shard, member->lease.shard_name());
  co_return std::move(*answer);
}

/// A variable's string is told as a BLOB of its character set.
values::Oid type_of(const rewriter::ResultColumn& column) {
  const values::MysqlCode code = values::mysql_code(column.type);
  const bool blob = code >= values::MysqlCode::tiny_blob && code <= values::MysqlCode::blob;
  const bool bytes = values::has_mysql_flag(column.type);
  return blob && !bytes ? values::mysql_type(values::MysqlCode::var_string) : column.type;
}

}  // namespace

NamedStatement& find_named(NamedStatements& statements, std::string_view name, std::string_view command) {
  const auto found = statements.find(values::lower_case(name));
  if (found != statements.end()) return found->second;
  throw server_error(1243, "HY000", fmt::format("Unknown prepared statement handler ({}) given to {}", name, command));
}

bool is_named_command(rewriter::SessionAction action) {
  using enum rewriter::SessionAction;
  return action == prepare || action == execute || action == execute_immediate || action == deallocate;
}

std::size_t count_parameters(std::string_view text, const rewriter::mysql::Mode& mode) {
  using Kind = rewriter::Token::Kind;
  std::size_t count = 0;
  rewriter::mysql::Lexer lexer(text, mode);
  for (auto token = lexer.next(); token.kind != Kind::end && token.kind != Kind::bad; token = lexer.next()) {
    count += token.kind == Kind::parameter ? 1 : 0;
  }
  return count;
}

std::string prepare_sql(std::string_view name, std::string_view text, const rewriter::mysql::Mode& mode) {
  return fmt::format("PREPARE {} FROM {}", values::quote_mysql_identifier(name), quoted(text, mode));
}

void note_prepared(NamedStatement& named, Transaction::Enlisted& member) {
  member.untracked = member.kept = true;
  named.on.insert_or_assign(member.shard, member.lease->process());
}

net::Task<void> prepare_named_on(NamedStatement& named, std::string name, Transaction::Enlisted& member,
                                 const rewriter::mysql::Mode& mode) {
  backends::Lease& lease = member.lease;
  const auto on = named.on.find(member.shard);
  if (on != named.on.end() && on->second == lease->process()) co_return;
  auto answer = co_await backends::run_command(lease, prepare_sql(name, named.statement->text, mode));
  if (!answer) throw backends::ServerError(answer.error(), lease.shard(), lease.shard_name());
  note_prepared(named, member);
}

net::Task<std::string> deallocate_named_on_shards(State& state, const NamedStatement& named, std::string name) {
  std::string session_state;
  for (const auto& [shard, connection] : named.on) {
    auto* member = state.transaction.find(shard);
    if (member == nullptr || !member->lease || member->lease->process() != connection) continue;
    auto answer =
        co_await backends::run_command(member->lease, "DEALLOCATE PREPARE " + values::quote_mysql_identifier(name));
    if (answer) session_state = std::move(answer->session_state);
  }
  co_return session_state;
}

net::Task<void> ComputedArguments::compute(State& state, const rewriter::Plan& plan) {
  std::vector<std::string> expressions;
  for (const Argument& argument : plan.session->arguments) {
    const bool string = argument.kind == Argument::Kind::string;
    expressions.push_back(string ? quoted(argument.text, state.planning.mysql) : argument.text);
  }
  if (expressions.empty()) co_return;
  auto answer = co_await compute_values(state, plan, std::move(expressions));
  texts_ = std::move(answer.rows.at(0));
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    rewriter::BoundValue& value = values_.emplace_back();
    value.type = type_of(result_column(answer.columns.at(i), state.form.capabilities));
    if (texts_[i]) value.bytes = *texts_[i];
  }
}

net::Task<std::string> source_text(State& state, const rewriter::Plan& plan) {
  const Argument& source = plan.session->source;
  if (source.kind == Argument::Kind::string) co_return source.text;
  const auto answer = co_await compute_values(state, plan, {source.text});
  // The server reads NULL as that word.
  co_return answer.rows.at(0).at(0).value_or("NULL");
}

}  // namespace anabranch::proxy::mysql
