#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "rewriter/planner.h"

/// PostgreSQL's lexical structure (documentation chapter 4.1, version 15), as far as it decides
/// where tokens begin and end. No keywords, no values.
namespace anabranch::rewriter {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    identifier,         ///< keywords too
    quoted_identifier,  ///< "…", U&"…"
    integer,
    real,
    string,  ///< '…', E'…', $tag$…$tag$, U&'…'; the N of N'…' is an identifier of its own
    bit_string,
    parameter,
    operators,    ///< a run of operator characters; the parser may see several operators in it
    punctuation,  ///< one of , ; ( ) [ ] . : and ..
    variable,     ///< MySQL: @name, @'…'; @@ is an operator
    hint,         ///< MySQL: /*+ … */ after SELECT and the like
    bad           ///< unterminated, control characters, junk after a number: no valid statement
  };
  Kind kind = Kind::end;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  bool space_before = false;  ///< white space or a comment
};

namespace lexer_detail {
enum CharClass : std::uint8_t {
  other,
  space,
  letter,
  digit,
  op,
  punct,
  quote,
  double_quote,
  dollar
};
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
inline constexpr std::array<std::uint8_t, 256> classes = make_classes();
constexpr std::array<bool, 256> make_in_name() {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 256; ++i)
    table[i] = classes[i] == letter || classes[i] == digit || classes[i] == dollar;
  return table;
}
inline constexpr std::array<bool, 256> in_name = make_in_name();

/// From an opening quote past the closing one; doubled quotes stand for themselves. False: there is none.
bool skip_quoted(std::string_view text, std::size_t& at, bool backslashes);
}  // namespace lexer_detail

/// One pass over a text of less than 4 GiB; allocates nothing. What a plain statement is made of is
/// read inline.
class Lexer {
 public:
  Lexer(std::string_view text, bool standard_conforming_strings)
      : text_(text), standard_strings_(standard_conforming_strings) {}

  Token next();
  /// Goes past plain words, each behind one blank, as long as `passes` takes them; answers how many.
  template <class Passes>
  std::size_t skip_words(Passes passes);
  std::size_t position() const { return at_; }

 private:
  using Class = lexer_detail::CharClass;
  unsigned char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? static_cast<unsigned char>(text_[at_ + ahead]) : 0;
  }
  std::uint8_t class_at(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? lexer_detail::classes[peek(ahead)]
                                      : static_cast<std::uint8_t>(lexer_detail::other);
  }
  bool comment_ahead() const {
    return (peek() == '-' && peek(1) == '-') || (peek() == '/' && peek(1) == '*');
  }
  bool skip_blanks() {
    const std::size_t start = at_;
    std::size_t at = start;
    while (at < text_.size() && lexer_detail::classes[static_cast<unsigned char>(text_[at])] == lexer_detail::space) ++at;
    at_ = at;
    return at != start;
  }
  bool skip_comments();  ///< and blanks around them; false: unterminated comment
  bool skip_block_comment();
  void skip_line_comment();
  bool continues_string();
  Token::Kind string(bool backslashes);
  Token::Kind number();
  Token::Kind word() {
    const unsigned char second = peek(1);
    if (second == '\'' || second == '&') return prefixed_word();
    return name();
  }
  Token::Kind name() {
    const char* at = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    while (at < end && lexer_detail::in_name[static_cast<unsigned char>(*at)]) ++at;
    at_ = static_cast<std::size_t>(at - text_.data());
    return Token::Kind::identifier;
  }
  Token::Kind prefixed_word();
  Token::Kind dollar();
  Token::Kind operators();
  Token::Kind other();

  std::string_view text_;
  std::size_t at_ = 0;
  bool standard_strings_;
};

template <class Passes>
std::size_t Lexer::skip_words(Passes passes) {
  const auto in = [](const auto& table, char c) { return table[static_cast<unsigned char>(c)]; };
  const char* const last = text_.data() + text_.size();
  const char* at = text_.data() + at_;
  std::size_t count = 0;
  while (last - at > 2 && *at == ' ' && in(lexer_detail::classes, at[1]) == lexer_detail::letter) {
    const char* end = at + 2;
    if (*end == '\'' || *end == '&') break;  // it may be a string's prefix
    while (end < last && in(lexer_detail::in_name, *end)) ++end;
    if (!passes(std::string_view(at + 1, end))) break;
    at = end;
    ++count;
  }
  at_ = static_cast<std::size_t>(at - text_.data());
  return count;
}

inline Token Lexer::next() {
  Token token;
  token.space_before = skip_blanks();
  bool whole = true;
  if (comment_ahead()) {
    token.space_before = true;
    whole = skip_comments();
  }
  token.offset = static_cast<std::uint32_t>(at_);
  if (!whole) {
    token.kind = Token::Kind::bad;
  } else if (at_ < text_.size()) {
    token.kind = class_at() == lexer_detail::letter ? word() : other();
  }
  if (token.kind == Token::Kind::bad) at_ = text_.size();
  token.length = static_cast<std::uint32_t>(at_ - token.offset);
  return token;
}

/// The value of a literal token as the server's lexer reads it. Used by Shape::value. An escape
/// that the server would reject gives the characters as they stand.
std::string literal_value(std::string_view token, bool standard_conforming_strings);

bool same_word(std::string_view token, std::string_view lower_case_word);

}  // namespace anabranch::rewriter
