#include "proxy/mysql/warnings.h"

#include <algorithm>
#include <utility>

#include "backends/exchange.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/replies.h"
#include "rewriter/mysql/lexer.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

/// max_error_count, which is each server's own bound, as it is where nobody has changed it.
constexpr std::size_t most_rows = 64;

void add_numbers(Row& sum, const Row& other) {
  sum.front() = std::to_string(leading_number(sum.front().value_or("")) + leading_number(other.front().value_or("")));
}

std::uint64_t row_named_by(const Row& row) { return row.size() > 2 && row[2] ? row_of_message(*row[2]) : 0; }

/// Behind those before it, or, where their rows' numbers are known, behind those of rows before its own.
void add(const State& state, std::uint32_t shard, Row row, std::vector<Row>& rows) {
  auto place = rows.end();
  if (state.row_numbers && row.size() > 2 && row[2]) {
    row[2] = state.row_numbers->renumbered(std::move(*row[2]), shard);
    place = std::ranges::upper_bound(rows, row_named_by(row), {}, row_named_by);
  }
  rows.insert(place, std::move(row));
}

void check_limit(const std::string& text, const rewriter::mysql::Mode& mode) {
  rewriter::mysql::Lexer lexer(text, mode);
  for (rewriter::Token token = lexer.next(); token.kind != rewriter::Token::Kind::end; token = lexer.next()) {
    if (token.kind == rewriter::Token::Kind::bad) return;
    if (!rewriter::same_word(std::string_view(text).substr(token.offset, token.length), "limit")) continue;
    throw values::make_error(values::ErrorId::unsupported_clause, "LIMIT", "the warnings are on several shards",
                             "Leave LIMIT out.");
  }
}

}  // namespace

net::Task<void> show_all_warnings(State& state, std::string text) {
  check_limit(text, state.planning.mysql);
  std::vector<std::string> columns;
  std::vector<Row> rows;
  for (const std::uint32_t shard : state.warned) {
    auto* member = co_await state.attach(shard);
    auto answer = co_await backends::run_command(member->lease, text, state.token());
    if (!answer) throw backends::ServerError(answer.error(), shard, member->lease.shard_name());
    columns = std::move(answer->columns);
    const bool counts = columns.size() == 1;
    for (Row& row : answer->rows) {
      if (counts && !rows.empty()) {
        add_numbers(rows.front(), row);
      } else {
        add(state, shard, std::move(row), rows);
      }
    }
  }
  if (rows.size() > most_rows) rows.resize(most_rows);
  state.counts = State::Counts{-1, std::nullopt};
  send_rows(state, columns, rows);
}

}  // namespace anabranch::proxy::mysql
