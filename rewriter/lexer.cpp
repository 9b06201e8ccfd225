#include "rewriter/lexer.h"

#include <cstring>

#include "values/ascii.h"

namespace anabranch::rewriter {

using namespace lexer_detail;

// What begins with no letter.
Token::Kind Lexer::other() {
  switch (class_at()) {
    case digit:
      return number();
    case op:
      return operators();
    case punct:
      if (peek() == '.' && class_at(1) == digit) return number();
      at_ += peek() == '.' && peek(1) == '.' ? 2 : 1;  // 1..2 is two integers
      return Token::Kind::punctuation;
    case quote:
      return string(!standard_strings_);
    case double_quote:
      return skip_quoted(text_, at_, false) ? Token::Kind::quoted_identifier : Token::Kind::bad;
    case Class::dollar:
      return dollar();
    default:
      return Token::Kind::bad;
  }
}

bool Lexer::skip_comments() {
  while (comment_ahead()) {
    if (peek() == '-') {
      skip_line_comment();
    } else if (!skip_block_comment()) {
      return false;
    }
    skip_blanks();
  }
  return true;
}

void Lexer::skip_line_comment() {
  while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
}

bool Lexer::skip_block_comment() {
  int depth = 0;
  do {
    if (at_ + 1 >= text_.size()) return false;
    if (peek() == '/' && peek(1) == '*') {
      ++depth;
      at_ += 2;
    } else if (peek() == '*' && peek(1) == '/') {
      --depth;
      at_ += 2;
    } else {
      ++at_;
    }
  } while (depth > 0);
  return true;
}

bool lexer_detail::skip_quoted(std::string_view text, std::size_t& at, bool backslashes) {
  const char quote_char = text[at++];
  while (at < text.size()) {
    const char c = text[at];
    if (c == '\\' && backslashes) {
      at += 2;
      continue;
    }
    ++at;
    if (c != quote_char) continue;
    if (at >= text.size() || text[at] != quote_char) return true;
    ++at;
  }
  at = text.size();
  return false;
}

// After a closing quote: white space holding a line break and another quote continue the string.
// Line comments count as white space here, block comments do not.
bool Lexer::continues_string() {
  const std::size_t start = at_;
  bool line_break = false;
  for (;;) {
    if (class_at() == space) {
      line_break = line_break || peek() == '\n' || peek() == '\r';
      ++at_;
    } else if (peek() == '-' && peek(1) == '-') {
      skip_line_comment();
    } else {
      break;
    }
  }
  if (line_break && peek() == '\'') return true;
  at_ = start;
  return false;
}

Token::Kind Lexer::string(bool backslashes) {
  do {
    if (!skip_quoted(text_, at_, backslashes)) return Token::Kind::bad;
  } while (continues_string());
  return Token::Kind::string;
}

Token::Kind Lexer::number() {
  bool real = false;
  while (class_at() == digit) ++at_;
  if (peek() == '.' && peek(1) != '.') {
    real = true;
    ++at_;
    while (class_at() == digit) ++at_;
  }
  if ((peek() | 0x20) == 'e') {
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if (class_at(1 + sign) != digit) return Token::Kind::bad;
    real = true;
    at_ += 1 + sign;
    while (class_at() == digit) ++at_;
  }
  if (class_at() == letter) return Token::Kind::bad;
  return real ? Token::Kind::real : Token::Kind::integer;
}

// A name, or a string with a letter before its quotes.
Token::Kind Lexer::prefixed_word() {
  const unsigned char first = peek() | 0x20;
  if (peek(1) == '\'') {
    if (first == 'e') return ++at_, string(true);
    if (first == 'b' || first == 'x') {
      ++at_;
      return string(false) == Token::Kind::string ? Token::Kind::bit_string : Token::Kind::bad;
    }
  } else if (first == 'u' && (peek(2) == '\'' || peek(2) == '"')) {
    const bool identifier = peek(2) == '"';
    at_ += 2;
    if (!identifier) return standard_strings_ ? string(false) : Token::Kind::bad;
    return skip_quoted(text_, at_, false) ? Token::Kind::quoted_identifier : Token::Kind::bad;
  }
  return name();
}

Token::Kind Lexer::dollar() {
  if (class_at(1) == digit) {
    ++at_;
    while (class_at() == digit) ++at_;
    return class_at() == letter ? Token::Kind::bad : Token::Kind::parameter;
  }
  std::size_t end = at_ + 1;
  while (end < text_.size() && (classes[static_cast<unsigned char>(text_[end])] == letter ||
                                classes[static_cast<unsigned char>(text_[end])] == digit))
    ++end;
  if (end >= text_.size() || text_[end] != '$') return Token::Kind::bad;
  const std::string_view tag = text_.substr(at_, end + 1 - at_);
  const std::size_t close = text_.find(tag, end + 1);
  if (close == std::string_view::npos) return Token::Kind::bad;
  at_ = close + tag.size();
  return Token::Kind::string;
}

Token::Kind Lexer::operators() {
  do {
    ++at_;
    if (peek() == '-' && peek(1) == '-') break;
    if (peek() == '/' && peek(1) == '*') break;
  } while (class_at() == op);
  return Token::Kind::operators;
}

bool same_word(std::string_view token, std::string_view word) {
  if (token.size() != word.size()) return false;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (values::lower_case(token[i]) != word[i]) return false;
  }
  return true;
}

}  // namespace anabranch::rewriter
