#include "rewriter/mysql/lexer.h"

#include <array>

namespace anabranch::rewriter::mysql {
namespace {

constexpr bool is_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_space(unsigned char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
constexpr std::array<bool, 256> make_name_characters() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 256; ++c)
    table[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '$' || c >= 128;
  return table;
}
constexpr auto name_characters = make_name_characters();
constexpr bool is_name(unsigned char c) {
  return name_characters[c];
}

}  // namespace

Token Lexer::next() {
  Token token;
  space_ = false;
  const bool whole = skip_space();
  token.space_before = space_;
  token.offset = static_cast<std::uint32_t>(at_);
  const bool named = name_follows_;
  name_follows_ = false;
  if (!whole || (at_ >= text_.size() && versioned_ > 0)) {
    token.kind = Token::Kind::bad;
  } else if (at_ < text_.size()) {
    const unsigned char c = peek();
    if (after_verb_ && c == '/' && peek(1) == '*' && peek(2) == '+')
      token.kind = skip_comment(false) ? Token::Kind::hint : Token::Kind::bad;
    else if (is_digit(c) && !named)
      token.kind = number();
    else if (is_name(c))
      token.kind = named ? (skip_name(), Token::Kind::identifier) : word();
    else if (c == '`' || (c == '"' && mode_->ansi_quotes))
      token.kind =
          skip_quoted() ? Token::Kind::quoted_identifier : Token::Kind::bad;
    else if (at_string())
      token.kind = string();
    else if (c == '.')
      token.kind = dot();
    else if (c == '@')
      token.kind = variable();
    else if (c == '?')
      ++at_, token.kind = Token::Kind::parameter;
    else
      token.kind = operators();
  }
  if (token.kind == Token::Kind::bad) at_ = text_.size();
  token.length = static_cast<std::uint32_t>(at_ - token.offset);
  after_name_ =
      token.kind == Token::Kind::identifier || token.kind == Token::Kind::quoted_identifier;
  if (after_verb_ || token.kind == Token::Kind::identifier) {
    const std::string_view spelling = text_.substr(token.offset, token.length);
    after_verb_ = token.kind == Token::Kind::identifier && !named &&
                  (same_word(spelling, "select") || same_word(spelling, "insert") ||
                   same_word(spelling, "update") || same_word(spelling, "delete") ||
                   same_word(spelling, "replace"));
  }
  return token;
}

bool Lexer::skip_space() {
  for (;;) {
    const std::size_t start = at_;
    while (is_space(peek())) ++at_;
    const unsigned char c = peek(), second = peek(1);
    if (c == '#' || (c == '-' && second == '-' &&
                     (at_ + 2 >= text_.size() || is_space(peek(2)) || peek(2) < ' '))) {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == '/' && second == '*') {
      if (after_verb_ && peek(2) == '+') return true;
      if (!(enter_versioned() || skip_comment(false))) return false;
    } else if (c == '*' && second == '/' && versioned_ > 0) {
      --versioned_;
      at_ += 2;
    }
    if (at_ == start) return true;
    space_ = true;
  }
}

// Of a comment that is left out, nested comments are too.
bool Lexer::skip_comment(bool nested) {
  at_ += 2;
  while (at_ + 1 < text_.size()) {
    if (nested && peek() == '/' && peek(1) == '*') {
      if (!skip_comment(false)) return false;
      continue;
    }
    if (peek() == '*' && peek(1) == '/') {
      at_ += 2;
      return true;
    }
    ++at_;
  }
  at_ = text_.size();
  return false;
}

VersionMark version_mark(std::string_view text, const Mode& mode) {
  const bool marked = mode.mariadb && text.starts_with("/*M!");
  if (!marked && !text.starts_with("/*!")) return {};
  const std::size_t length = marked ? 4 : 3;
  int version = 0;
  std::size_t count = 0;
  for (; count < 6 && length + count < text.size(); ++count) {
    const auto c = static_cast<unsigned char>(text[length + count]);
    if (!is_digit(c)) break;
    version = 10 * version + (c - '0');
  }
  if (count < 5) return {length, true};
  // What MySQL 5.7 and later brought, MariaDB does not claim to know.
  const bool foreign = mode.mariadb && !marked && version >= 50700 && version <= 99999;
  return {length + count, version <= mode.version && !foreign};
}

// False: an ordinary comment; a versioned one that is not read is skipped here.
bool Lexer::enter_versioned() {
  const VersionMark mark = version_mark(text_.substr(at_), *mode_);
  if (mark.length == 0) return false;
  if (!mark.read) return skip_comment(true);
  at_ += mark.length;
  ++versioned_;
  return true;
}

bool Lexer::skip_quoted() {
  const char quote = text_[at_];
  const bool backslashes = quote != '`' && !mode_->no_backslash_escapes && !(quote == '"' && mode_->ansi_quotes);
  return lexer_detail::skip_quoted(text_, at_, backslashes);
}

bool Lexer::continues_string() {
  const std::size_t start = at_;
  const int versioned = versioned_;
  const bool space = space_;
  bool more = skip_space() && at_string() && versioned_ == versioned;
  space_ = space;
  const std::string_view gap = text_.substr(start, at_ - start);
  more = more && gap.find("/*!") == gap.npos && gap.find("/*M!") == gap.npos;
  if (more) return true;
  at_ = start;
  versioned_ = versioned;
  return false;
}

Token::Kind Lexer::string() {
  do {
    if (!skip_quoted()) return Token::Kind::bad;
  } while (continues_string());
  return Token::Kind::string;
}

void Lexer::skip_name() {
  while (at_ < text_.size() && is_name(static_cast<unsigned char>(text_[at_]))) ++at_;
}

// 0x1F, 0b01: a name where something else follows.
Token::Kind Lexer::digits(std::size_t prefix, std::string_view allowed) {
  std::size_t end = prefix;
  while (peek(end) != 0 && allowed.find(static_cast<char>(peek(end))) != std::string_view::npos)
    ++end;
  if (end == prefix || is_name(peek(end))) return Token::Kind::bad;
  at_ += end;
  return Token::Kind::bit_string;
}

Token::Kind Lexer::quoted_digits(std::string_view allowed, std::size_t multiple) {
  std::size_t end = 2;
  while (peek(end) != 0 && allowed.find(static_cast<char>(peek(end))) != std::string_view::npos)
    ++end;
  if (peek(end) != '\'' || (end - 2) % multiple != 0) return Token::Kind::bad;
  at_ += end + 1;
  return Token::Kind::bit_string;
}

namespace {
constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";
constexpr std::string_view binary_digits = "01";
}  // namespace

// A name may begin with digits: 1a, 0xyz, 1e.
Token::Kind Lexer::number() {
  if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'b')) {
    const bool hex = peek(1) == 'x';
    if (digits(2, hex ? hex_digits : binary_digits) == Token::Kind::bit_string)
      return Token::Kind::bit_string;
  }
  std::size_t end = 0;
  while (is_digit(peek(end))) ++end;
  bool real = false;
  if (peek(end) == '.') {
    real = true;
    ++end;
    while (is_digit(peek(end))) ++end;
  }
  if ((peek(end) | 0x20) == 'e') {
    const std::size_t sign = peek(end + 1) == '+' || peek(end + 1) == '-' ? 1 : 0;
    std::size_t exponent = end + 1 + sign;
    const std::size_t first = exponent;
    while (is_digit(peek(exponent))) ++exponent;
    // 1e10x is a name, 1.5e10x a number and a name.
    if (exponent > first && (real || sign == 1 || !is_name(peek(exponent)))) {
      at_ += exponent;
      return Token::Kind::real;
    }
    if (real) return Token::Kind::bad;
  }
  if (!real && is_name(peek(end))) {
    skip_name();
    return Token::Kind::identifier;
  }
  at_ += end;
  return real ? Token::Kind::real : Token::Kind::integer;
}

Token::Kind Lexer::word() {
  if (peek(1) == '\'') {
    const unsigned char first = peek() | 0x20;
    if (first == 'x') return quoted_digits(hex_digits, 2);
    if (first == 'b') return quoted_digits(binary_digits, 1);
  }
  skip_name();
  return Token::Kind::identifier;
}

Token::Kind Lexer::dot() {
  if (after_name_ && !space_) {
    ++at_;
    name_follows_ = is_name(peek());
    return Token::Kind::punctuation;
  }
  if (is_digit(peek(1))) return number();
  ++at_;
  return Token::Kind::punctuation;
}

// @name (dots belong to it), @'…', @`…`; @@ alone, its name follows.
Token::Kind Lexer::variable() {
  ++at_;
  if (peek() == '@') {
    ++at_;
    return Token::Kind::operators;
  }
  if (peek() == '\'' || peek() == '"' || peek() == '`')
    return skip_quoted() ? Token::Kind::variable : Token::Kind::bad;
  while (is_name(peek()) || peek() == '.') ++at_;
  return Token::Kind::variable;
}

Token::Kind Lexer::operators() {
  // By far the most.
  if (const char c = text_[at_]; c == ',' || c == '(' || c == ')') return ++at_, Token::Kind::punctuation;
  static constexpr std::string_view several[] = {
      "<=>", "->>", "<=", ">=", "<>", "!=", "<<", ">>", ":=", "||", "&&", "->"};
  for (const std::string_view op : several) {
    if (text_.substr(at_, op.size()) != op) continue;
    at_ += op.size();
    return Token::Kind::operators;
  }
  const char c = text_[at_];
  if (std::string_view("+-*/%^&|~!<>=").find(c) != std::string_view::npos)
    return ++at_, Token::Kind::operators;
  if (std::string_view(";{}:").find(c) != std::string_view::npos)
    return ++at_, Token::Kind::punctuation;
  return Token::Kind::bad;
}

}  // namespace anabranch::rewriter::mysql
