#pragma once

#include <string>
#include <string_view>

#include "rewriter/lexer.h"
#include "rewriter/mysql/mode.h"

/// MySQL's and MariaDB's lexical structure, as far as it decides where tokens begin and end.
namespace anabranch::rewriter::mysql {

/// One pass over a text of less than 4 GiB; allocates nothing. Every operator is a token of its own
/// ("@@" is one); adjacent strings are one token. A versioned comment's content is read as if the
/// comment were not there, or skipped, as Mode::version says.
class Lexer {
 public:
  Lexer(std::string_view text, const Mode& mode) : text_(text), mode_(&mode) {}

  Token next();
  std::size_t position() const { return at_; }

 private:
  unsigned char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? static_cast<unsigned char>(text_[at_ + ahead]) : 0;
  }
  bool skip_space();  ///< false: unterminated comment
  bool skip_comment(bool nested);
  bool enter_versioned();
  bool hint_may_stand() const;
  bool continues_string();
  bool skip_quoted();
  bool at_string() const { return peek() == '\'' || (peek() == '"' && !mode_->ansi_quotes); }
  Token::Kind string();
  Token::Kind number();
  Token::Kind word();
  Token::Kind digits(std::size_t prefix, std::string_view allowed);
  Token::Kind quoted_digits(std::string_view allowed, std::size_t multiple);
  Token::Kind variable();
  Token::Kind dot();
  Token::Kind operators();
  void skip_name();

  std::string_view text_;
  const Mode* mode_;
  std::size_t at_ = 0;
  int versioned_ = 0;  ///< versioned comments that are open
  bool space_ = false;
  bool after_name_ = false;    ///< the last token was a name: `.` and what follows belong to it
  bool name_follows_ = false;  ///< the last token was the dot after a name
  bool after_verb_ = false;    ///< the last token was SELECT, INSERT …: a hint may follow
};

/// Of `/*!`, `/*!50100`, MariaDB's `/*M!` at the text's beginning: how long that mark is; 0: it is
/// an ordinary comment. `read`: what is in it counts.
struct VersionMark {
  std::size_t length = 0;
  bool read = false;
};
VersionMark version_mark(std::string_view text, const Mode& mode);
/// White space and comments between two tokens, as they are part of a column's name: without
/// versioned comments that are skipped, and without the marks of those that are read.
std::string named_gap(std::string_view gap, const Mode& mode);
/// The value of a literal token: numbers as written, strings with quotes and escapes undone and
/// adjacent ones joined, "x1F" and "b01" for the two bit spellings.
std::string literal_value(std::string_view token, const Mode& mode);
/// The value of the first of adjacent strings: it names their column.
std::string first_string(std::string_view token, const Mode& mode);
/// Of `name` and "name": without the quotes. Anything else as it is.
std::string identifier_value(std::string_view token);
/// A number with an exponent: a double, where 1.5 is a decimal.
bool is_floating(std::string_view number);

}  // namespace anabranch::rewriter::mysql
