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
extern const std::array<std::uint8_t, 256> classes;
}  // namespace lexer_detail

/// One pass over a text of less than 4 GiB; allocates nothing.
class Lexer {
 public:
  Lexer(std::string_view text, bool standard_conforming_strings)
      : text_(text), standard_strings_(standard_conforming_strings) {}

  Token next();
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
  bool skip_space();  ///< false: unterminated comment
  bool skip_block_comment();
  void skip_line_comment();
  bool continues_string();
  bool skip_quoted(char quote, bool backslashes);
  Token::Kind string(bool backslashes);
  Token::Kind number();
  Token::Kind word();
  Token::Kind dollar();
  Token::Kind operators();
  void skip_name();

  std::string_view text_;
  std::size_t at_ = 0;
  bool standard_strings_;
  bool space_ = false;
};

/// The value of a literal token as the server's lexer reads it. Used by Shape::value. An escape
/// that the server would reject gives the characters as they stand.
std::string literal_value(std::string_view token, bool standard_conforming_strings);

bool same_word(std::string_view token, std::string_view lower_case_word);

}  // namespace anabranch::rewriter
