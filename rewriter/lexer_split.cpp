#include <pg_query.h>

#include "rewriter/lexer.h"

namespace anabranch::rewriter {
namespace {

std::vector<StatementSpan> split_by_parser(std::string_view text) {
  const std::string copy(text);
  std::vector<StatementSpan> spans;
  PgQuerySplitResult result = pg_query_split_with_parser(copy.c_str());
  if (result.error) {
    pg_query_free_split_result(result);
    result = pg_query_split_with_scanner(copy.c_str());
  }
  if (!result.error)
    for (int i = 0; i < result.n_stmts; ++i)
      spans.push_back({static_cast<std::size_t>(result.stmts[i]->stmt_location),
                       static_cast<std::size_t>(result.stmts[i]->stmt_len)});
  pg_query_free_split_result(result);
  if (spans.empty()) spans.push_back({0, text.size()});
  return spans;
}

}  // namespace

std::vector<StatementSpan> split_statements(std::string_view text,
                                            bool standard_conforming_strings) {
  std::vector<StatementSpan> spans;
  Lexer lexer(text, standard_conforming_strings);
  std::size_t start = 0, last_end = 0, tokens = 0;
  int depth = 0;
  bool after_begin = false;
  const auto finish = [&] {
    if (tokens > 0) spans.push_back({start, last_end - start});
    tokens = 0;
  };
  for (Token token = lexer.next();; token = lexer.next()) {
    if (token.kind == Token::Kind::bad) return {{0, text.size()}};
    if (token.kind == Token::Kind::end) break;
    const char c = token.kind == Token::Kind::punctuation ? text[token.offset] : '\0';
    depth += c == '(' ? 1 : c == ')' && depth > 0 ? -1 : 0;
    if (c == ';' && depth == 0) {
      finish();
      start = lexer.position();
      continue;
    }
    // The body of CREATE FUNCTION … BEGIN ATOMIC … END holds semicolons of its own.
    const std::string_view word = text.substr(token.offset, token.length);
    if (after_begin && same_word(word, "atomic")) return split_by_parser(text);
    after_begin = same_word(word, "begin");
    ++tokens;
    last_end = lexer.position();
  }
  finish();
  return spans;
}

std::optional<std::string_view> only_statement(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  if (semicolon == std::string_view::npos) return text;
  if (text.find_first_not_of(" \t\n\r\f;", semicolon) != std::string_view::npos) return std::nullopt;
  return text.substr(0, semicolon);
}

}  // namespace anabranch::rewriter
