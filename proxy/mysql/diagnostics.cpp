#include "proxy/mysql/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/context.h"
#include "backends/exchange.h"
#include "proxy/mysql/replies.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

/// What a condition's text may have, in bytes.
constexpr std::size_t longest_text = 128;

/// Has a server's session hold the error as if it were its own.
std::string signal_sql(const values::SqlError& error) {
  std::string text = error_text(error);
  if (text.size() > longest_text) {
    std::size_t end = longest_text;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
  }
  // Backslashes mean something under most sql_modes.
  std::ranges::replace(text, '\\', '/');
  return fmt::format("SIGNAL SQLSTATE '{}' SET MYSQL_ERRNO = {}, MESSAGE_TEXT = {}", error_state(error), error_number(error),
                     backends::quote_literal(text));
}

}  // namespace

bool looks_back(const rewriter::Plan& plan) {
  return plan.previous != rewriter::Plan::Previous::none ||
         (plan.session && plan.session->action == rewriter::SessionAction::warnings);
}

bool forgets_diagnostics(const rewriter::Plan& plan) { return plan.uses_tables && !plan.session; }

net::Task<backends::Transaction::Enlisted*> last_connection(State& state) {
  if (!state.warned.empty()) {
    throw values::make_error(values::ErrorId::unsupported_statement, "this of warnings that several shards have given",
                             "SHOW WARNINGS shows them all.");
  }
  if (state.aside) {
    throw values::make_error(values::ErrorId::unsupported_statement, "this of a statement whose rows were gathered",
                             "SHOW WARNINGS shows its warnings.");
  }
  auto* member = co_await state.attach(state.last.value_or(state.default_shard()));
  if (state.last) co_return member;
  // There are no warnings: a statement that reads a table forgets those of whoever had the connection before.
  const std::string sql =
      state.own_failure ? signal_sql(*state.own_failure) : std::string("SELECT 1 FROM (SELECT 1) AS anabranch_nothing");
  (void)co_await backends::run_command(member->lease, sql, state.token());
  state.note_diagnostics(member->shard);
  co_return member;
}

net::Task<void> check_procedure(State& state, std::string sql) {
  constexpr std::uint16_t not_there = 1305;
  auto* member = co_await state.attach(state.default_shard());
  auto answer = co_await backends::run_command(member->lease, std::move(sql), state.token());
  if (answer) co_return;
  const backends::ServerError error(answer.error(), member->shard, member->lease.shard_name());
  if (error.mysql_code != not_there) co_return;
  // CALL names its database, too.
  std::string message = error.message;
  constexpr std::string_view kind = "PROCEDURE ";
  const std::string database = state.planning.search_path.front() + ".";
  if (message.starts_with(kind) && !message.substr(0, message.find(' ', kind.size())).contains('.')) {
    message.insert(kind.size(), database);
  }
  throw server_error(not_there, "42000", message);
}

}  // namespace anabranch::proxy::mysql
