#include "proxy/mysql/known_counts.h"

#include <fmt/format.h>

#include "backends/exchange.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/rows.h"
#include "net/mysql/text_to_binary.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/rest.h"
#include "proxy/mysql/statements.h"
#include "proxy/mysql/variables.h"
#include "rewriter/mysql/counts.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using net::mysql::FieldType;
using rewriter::Plan;

std::int64_t value_of(const State::Counts& counts, bool found) {
  const bool known = found ? counts.found.has_value() : counts.changed.has_value();
  if (!known) {
    throw values::make_error(values::ErrorId::unsupported_statement, found ? "FOUND_ROWS() here" : "ROW_COUNT() here",
                             "Ask for it right behind the statement.");
  }
  return found ? static_cast<std::int64_t>(*counts.found) : *counts.changed;
}

/// As long and of the same type as the functions: BIGINT(21).
std::string number(std::int64_t value) { return fmt::format("CAST('{:021d}' AS SIGNED)", value); }

std::string text_of(const State& state, const Request& request) {
  if (request.values.empty()) return request.statement->text;
  return with_values(request.statement->text, request.values, state.planning.mysql);
}

std::string with_numbers(const State& state, std::string_view text) {
  std::string filled;
  std::size_t copied = 0;
  for (const auto& call : rewriter::mysql::count_calls(text, state.planning.mysql)) {
    filled.append(text.substr(copied, call.offset - copied)).append(number(value_of(*state.counts, call.found)));
    copied = call.offset + call.length;
  }
  return filled.append(text.substr(copied));
}

std::vector<net::mysql::ColumnDefinition41> read(const State& state, std::span<const std::string> definitions) {
  std::vector<net::mysql::ColumnDefinition41> columns;
  for (const std::string& definition : definitions) {
    auto column = net::mysql::ColumnDefinition41::decode(definition, state.capabilities);
    if (!column) throw SessionLost{column.error().message};
    columns.push_back(std::move(*column));
  }
  return columns;
}

/// Some operators compute constants in types of their own.
void check_types(const State& state, std::span<const std::string> told, std::span<const std::string> computed) {
  const auto wanted = read(state, told);
  const auto got = read(state, computed);
  bool same = wanted.size() == got.size();
  for (std::size_t i = 0; same && i < got.size(); ++i) {
    same = wanted[i].type == got[i].type && wanted[i].decimals == got[i].decimals &&
           ((wanted[i].flags ^ got[i].flags) & net::mysql::column_flag::is_unsigned) == 0;
  }
  if (same) return;
  throw values::make_error(values::ErrorId::unsupported_statement, "FOUND_ROWS() or ROW_COUNT() in this expression",
                           "Ask for it alone.");
}

void write_binary(State& state, std::span<const std::string> definitions, const Row& row) {
  const auto columns = read(state, definitions);
  net::mysql::BinaryRowWriter writer(state.out(), state.sequence, row.size());
  net::mysql::BinaryScratch scratch;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const bool is_unsigned = (columns[i].flags & net::mysql::column_flag::is_unsigned) != 0;
    std::optional<std::string_view> value;
    if (row[i]) value = net::mysql::text_to_binary(columns[i].type, is_unsigned, *row[i], scratch);
    if (row[i] && !value) throw SessionLost{"a value that is not of its column's type"};
    writer.add(columns[i].type, value);
  }
}

net::Task<backends::CommandResult> run(State& state, backends::Transaction::Enlisted& member, std::string text) {
  auto answer = co_await backends::run_command(member.lease, std::move(text), state.token());
  if (!answer) throw backends::ServerError(answer.error(), member.shard, member.lease.shard_name());
  co_return std::move(*answer);
}

}  // namespace

bool takes_counts(const State& state, const Request& request) {
  return request.plan->plan->asks_counts == Plan::AsksCounts::in_place && state.counts;
}

std::string with_counts(const State& state, const Request& request) { return with_numbers(state, text_of(state, request)); }

bool asks_for_counts(const State& state, const Request& request) {
  return request.plan->plan->asks_counts == Plan::AsksCounts::as_rows && state.counts;
}

net::Task<void> answer_counts(State& state, const Request& request) {
  const Plan& plan = *request.plan->plan;
  const std::string text = text_of(state, request);
  std::string filled = with_numbers(state, text);
  const VariableUse variables = variables_of(state, request);
  co_await bring_variables(state, variables.names, state.default_shard());
  auto* member = co_await state.attach(state.default_shard());
  if (plan.asks_sequences) co_await bring_last_insert(state, *member);
  // The server tells the columns of the client's own text: they are named by it.
  const backends::CommandResult asked = co_await run(state, *member, text);
  const backends::CommandResult answer = co_await run(state, *member, std::move(filled));
  check_types(state, asked.columns, answer.columns);
  state.counts = State::Counts{-1, answer.rows.size()};
  if (answer.warnings > 0) state.note_diagnostics(member->shard);
  if (request.prepared == nullptr) co_return send_rows(state, asked.columns, answer.rows, answer.warnings);
  begin_rows(state, asked.columns);
  for (const Row& row : answer.rows) write_binary(state, asked.columns, row);
  end_rows(state, answer.warnings);
}

}  // namespace anabranch::proxy::mysql
