#include "rewriter/lexer.h"

#include <cstring>

namespace anabranch::rewriter {

namespace lexer_detail {
namespace {
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[c] = letter;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = letter;
  for (int c = 128; c < 256; ++c) table[c] = letter;
  table['_'] = letter;
  for (int c = '0'; c <= '9'; ++c) table[c] = digit;
  for (char c : {' ', '\t', '\n', '\r', '\f'}) table[static_cast<unsigned char>(c)] = space;
  for (char c :
       {'~', '!', '@', '#', '^', '&', '|', '`', '?', '+', '-', '*', '/', '%', '<', '>', '='})
    table[static_cast<unsigned char>(c)] = op;
  for (char c : {',', ';', '(', ')', '[', ']', '.', ':'})
    table[static_cast<unsigned char>(c)] = punct;
  table['\''] = quote;
  table['"'] = double_quote;
  table['$'] = dollar;
  return table;
}
constexpr std::array<bool, 256> make_name_characters() {
  constexpr auto table = make_classes();
  std::array<bool, 256> out{};
  for (std::size_t i = 0; i < 256; ++i)
    out[i] = table[i] == letter || table[i] == digit || table[i] == dollar;
  return out;
}
constexpr std::array<bool, 256> name_character = make_name_characters();
}  // namespace
constexpr std::array<std::uint8_t, 256> classes = make_classes();
}  // namespace lexer_detail

using namespace lexer_detail;

Token Lexer::next() {
  Token token;
  space_ = false;
  const bool whole = skip_space();
  token.space_before = space_;
  token.offset = static_cast<std::uint32_t>(at_);
  if (!whole) {
    token.kind = Token::Kind::bad;
  } else if (at_ < text_.size()) {
    switch (class_at()) {
      case letter:
        token.kind = word();
        break;
      case digit:
        token.kind = number();
        break;
      case op:
        token.kind = operators();
        break;
      case punct:
        if (peek() == '.' && class_at(1) == digit) {
          token.kind = number();
        } else {
          at_ += peek() == '.' && peek(1) == '.' ? 2 : 1;  // 1..2 is two integers
          token.kind = Token::Kind::punctuation;
        }
        break;
      case quote:
        token.kind = string(!standard_strings_);
        break;
      case double_quote:
        token.kind = skip_quoted('"', false) ? Token::Kind::quoted_identifier : Token::Kind::bad;
        break;
      case Class::dollar:
        token.kind = dollar();
        break;
      default:
        token.kind = Token::Kind::bad;
    }
  }
  if (token.kind == Token::Kind::bad) at_ = text_.size();
  token.length = static_cast<std::uint32_t>(at_ - token.offset);
  return token;
}

bool Lexer::skip_space() {
  for (;;) {
    const char* const data = text_.data();
    const std::size_t size = text_.size();
    std::size_t at = at_;
    while (at < size && classes[static_cast<unsigned char>(data[at])] == space) ++at;
    space_ = space_ || at != at_;
    at_ = at;
    if (at + 1 >= size || data[at] != (data[at + 1] == '-' ? '-' : '/')) return true;
    if (data[at] == '-') {
      skip_line_comment();
    } else if (data[at + 1] == '*') {
      if (!skip_block_comment()) return false;
    } else {
      return true;
    }
    space_ = true;
  }
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

// Past the closing quote; doubled quotes stand for themselves.
bool Lexer::skip_quoted(char quote_char, bool backslashes) {
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\\' && backslashes) {
      at_ += 2;
      continue;
    }
    ++at_;
    if (c != quote_char) continue;
    if (peek() != static_cast<unsigned char>(quote_char)) return true;
    ++at_;
  }
  at_ = text_.size();
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
    if (!skip_quoted('\'', backslashes)) return Token::Kind::bad;
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

void Lexer::skip_name() {
  const char* at = text_.data() + at_;
  const char* const end = text_.data() + text_.size();
  while (at < end && name_character[static_cast<unsigned char>(*at)]) ++at;
  at_ = static_cast<std::size_t>(at - text_.data());
}

Token::Kind Lexer::word() {
  const unsigned char second = peek(1);
  if (second != '\'' && second != '&') {
    skip_name();
    return Token::Kind::identifier;
  }
  const unsigned char first = peek() | 0x20;
  if (second == '\'') {
    if (first == 'e') return ++at_, string(true);
    if (first == 'b' || first == 'x') {
      ++at_;
      return string(false) == Token::Kind::string ? Token::Kind::bit_string : Token::Kind::bad;
    }
  } else if (first == 'u' && (peek(2) == '\'' || peek(2) == '"')) {
    const bool identifier = peek(2) == '"';
    at_ += 2;
    if (!identifier) return standard_strings_ ? string(false) : Token::Kind::bad;
    return skip_quoted('"', false) ? Token::Kind::quoted_identifier : Token::Kind::bad;
  }
  skip_name();
  return Token::Kind::identifier;
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
    const char c = token[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != word[i]) return false;
  }
  return true;
}

}  // namespace anabranch::rewriter
