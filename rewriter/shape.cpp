#include "rewriter/lexer.h"
#include "rewriter/shaper.h"

namespace anabranch::rewriter {
namespace {

struct PostgresqlLexing {
  bool standard_strings;
  static constexpr bool keeps_space = false;
  static constexpr bool skips_words = true;
  Lexer lexer(std::string_view text) const { return {text, standard_strings}; }
  static char tag(LiteralToken::Kind kind, std::string_view) {
    return static_cast<char>(1 + static_cast<int>(kind));
  }
  static void gauge(DepthGauge&, const Token&, std::string_view) {}
};

}  // namespace

std::string_view find_hint(std::string_view text) {
  if (lexer_detail::classes[text.empty() ? 0 : static_cast<unsigned char>(text[0])] == lexer_detail::letter) return {};
  constexpr std::string_view mark = "anabranch:";
  std::size_t at = 0;
  for (;;) {
    at = text.find_first_not_of(" \t\r\n\f", at);
    if (at == std::string_view::npos || text.substr(at, 2) != "/*") return {};
    const std::size_t close = text.find("*/", at + 2);
    if (close == std::string_view::npos) return {};
    std::string_view body = text.substr(at + 2, close - at - 2);
    body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
    if (body.starts_with(mark)) {
      body.remove_prefix(mark.size());
      body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
      return body.substr(0, body.find_last_not_of(" \t\r\n") + 1);
    }
    at = close + 2;
  }
}

std::string_view Shape::spelling(int literal) const {
  const LiteralToken& token = literals_[static_cast<std::size_t>(literal)];
  return source_.substr(token.offset, token.length);
}

std::string Shape::value(int literal, bool standard_conforming_strings) const {
  return literal_value(spelling(literal), standard_conforming_strings);
}

std::string_view Shape::row_text(std::size_t row) const {
  const RowList::Value& first = rows_.values[row * rows_.width];
  const RowList::Value& last = rows_.values[(row + 1) * rows_.width - 1];
  return source_.substr(first.offset, last.offset + last.length - first.offset);
}

Shape Shape::of_first_row(std::string& text) const {
  text.assign(source_.substr(0, rows_.first_end)).append(source_.substr(rows_.end));
  Shape made;
  made.text_ = text;
  made.source_ = text;
  made.hint_ = find_hint(text);
  made.literals_ = literals_;
  made.equal_to_ = equal_to_;
  for (LiteralToken& literal : made.literals_) {
    if (literal.offset >= rows_.end) literal.offset -= rows_.end - rows_.first_end;
  }
  return made;
}

void shape(std::string_view statement, bool standard_conforming_strings, const LexLimits& limits, Shape& out,
           Rows rows) {
  const PostgresqlLexing lexing{standard_conforming_strings};
  Shaper<PostgresqlLexing>(statement, lexing, limits, rows, out).run();
}

}  // namespace anabranch::rewriter
