#include "proxy/mysql/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "backends/context.h"
#include "backends/exchange.h"
#include "net/mysql/rows.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/replies.h"
#include "proxy/mysql/rest.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using Count = rewriter::Plan::Count;

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

/// Of an unsigned number.
std::int64_t bits_of_number(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return static_cast<std::int64_t>(number);
}

std::int64_t value_of(const State::Counts& counts, Count count) {
  const bool known = count == Count::rows_changed ? counts.changed.has_value() : counts.found.has_value();
  if (!known) {
    throw values::make_error(values::ErrorId::unsupported_statement,
                             count == Count::rows_changed ? "ROW_COUNT() here" : "FOUND_ROWS() here",
                             "Ask for it right behind the statement.");
  }
  return count == Count::rows_changed ? *counts.changed : static_cast<std::int64_t>(*counts.found);
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

net::Task<void> answer_counts(State& state, const Request& request) {
  const rewriter::Plan& plan = *request.plan->plan;
  std::vector<std::int64_t> values;
  for (const Count count : plan.counts) values.push_back(count == Count::last_insert ? 0 : value_of(*state.counts, count));
  // The server tells the columns.
  auto* member = co_await state.attach(state.default_shard());
  if (plan.asks_sequences) co_await bring_last_insert(state, *member);
  auto answer = co_await backends::run_command(member->lease, request.statement->text, state.token());
  if (!answer) throw backends::ServerError(answer.error(), member->shard, member->lease.shard_name());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (plan.counts[i] == Count::last_insert) values[i] = bits_of_number(answer->rows.at(0).at(i).value_or(""));
  }
  state.counts = State::Counts{-1, 1};
  begin_rows(state, answer->columns);
  if (request.prepared != nullptr) {
    net::mysql::BinaryRowWriter writer(state.out(), state.sequence, values.size());
    for (const std::int64_t value : values) {
      char bytes[sizeof value];
      std::memcpy(bytes, &value, sizeof value);
      writer.add(net::mysql::FieldType::big_int, std::string_view(bytes, sizeof bytes));
    }
  } else {
    net::mysql::PacketWriter writer(state.out(), state.sequence);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool is_unsigned = plan.counts[i] == Count::last_insert;
      writer.field(is_unsigned ? std::to_string(static_cast<std::uint64_t>(values[i])) : std::to_string(values[i]));
    }
  }
  end_rows(state);
}

}  // namespace anabranch::proxy::mysql
