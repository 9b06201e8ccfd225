#include "proxy/mysql/into.h"

#include <fmt/format.h>

#include "backends/mysql_exchange.h"
#include "net/mysql/command_messages.h"
#include "proxy/mysql/relay.h"
#include "proxy/mysql/variables.h"
#include "rewriter/mysql/lexer.h"

namespace anabranch::proxy::mysql {

namespace {

/// INTO ahead of FROM.
bool stands_first(std::string_view text, const rewriter::mysql::Mode& mode) {
  using Kind = rewriter::Token::Kind;
  rewriter::mysql::Lexer lexer(text, mode);
  int depth = 0;
  for (auto token = lexer.next(); token.kind != Kind::end && token.kind != Kind::bad; token = lexer.next()) {
    const std::string_view word = text.substr(token.offset, token.length);
    depth += word == "(" ? 1 : word == ")" ? -1 : 0;
    if (depth > 0 || token.kind != Kind::identifier) continue;
    if (rewriter::same_word(word, "into")) return true;
    if (rewriter::same_word(word, "from")) return false;
  }
  return false;
}

}  // namespace

void IntoVariables::keep(const merge::Batch& rows) {
  if (count_ == 0 && rows.size() > 0) first_ = fmt::format("{}", fmt::join(output_.literals(rows.row(0)), ", "));
  count_ += rows.size();
}

net::Task<void> IntoVariables::finish() {
  auto* member = co_await state_.attach(state_.default_shard());
  for (const std::string& name : variables_of(plan_.into, state_.planning.mysql).names) {
    forget_variable(state_, *member, name);
  }
  std::string columns = first_;
  // How many there are, a server checks first.
  for (std::size_t i = 0; count_ == 0 && i < plan_.result->size(); ++i) columns += columns.empty() ? "0" : ", 0";
  const std::string_view rows = count_ == 0   ? "FROM DUAL WHERE FALSE"
                                : count_ == 1 ? "FROM DUAL"
                                              : "FROM (SELECT 1 UNION ALL SELECT 2) anabranch_rows";
  // Behind FROM servers advise against it, once a statement is read.
  const bool was_read_before = request_.prepared != nullptr || (request_.call != nullptr && request_.call->named != nullptr);
  const std::string sql = was_read_before || stands_first(request_.statement->text, state_.planning.mysql)
                              ? fmt::format("SELECT {} {} {}", columns, plan_.into, rows)
                              : fmt::format("SELECT {} {} {}", columns, rows, plan_.into);
  backends::write_command(member->lease, net::mysql::ComQuery{sql});
  (void)co_await pass_reply(state_, member->lease, net::mysql::ResultReader::Reply::text);
  state_.note_done(member->shard);
}

}  // namespace anabranch::proxy::mysql
