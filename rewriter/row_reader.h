#pragma once

#include "rewriter/literal_kind.h"

/// Reads the rows of INSERT … VALUES. Internal to rewriter/.
namespace anabranch::rewriter {

/// One list of rows, if it is as RowList says. Lexer: a dialect's, which can be copied.
template <class Lexer>
class RowReader {
 public:
  RowReader(std::string_view text, RowList& rows) : text_(text), rows_(rows) {}

  /// `lexer` is behind the first row's opening parenthesis, and behind the list afterwards. False: the list is not
  /// plain, or of one row.
  bool read(Lexer& lexer) {
    rows_.width = 0;
    rows_.kinds.clear();
    rows_.values.clear();
    end_ = lexer.position();
    while (read_row(lexer)) {
      rows_.end = static_cast<std::uint32_t>(end_);
      if (rows_.width == 0) {
        rows_.width = static_cast<std::uint32_t>(rows_.values.size());
        rows_.first_end = rows_.end;
      }
      Lexer ahead = lexer;
      if (!is_mark(ahead, ",")) return rows_.count() > 1;
      if (!is_mark(ahead, "(")) return false;
      lexer = ahead;
    }
    return false;
  }
  std::size_t tokens() const { return tokens_; }

 private:
  bool read_row(Lexer& lexer) {
    for (std::uint32_t column = 0;; ++column) {
      if (rows_.width != 0 && column == rows_.width) return false;
      if (!read_value(lexer)) return false;
      const RowList::Kind kind = rows_.values.back().kind;
      if (rows_.width == 0) rows_.kinds.push_back(0);
      rows_.kinds[column] |= RowList::bit(kind);
      const char mark = next_mark(lexer);
      if (mark == ')') return rows_.width == 0 || column + 1 == rows_.width;
      if (mark != ',') return false;
    }
  }

  bool read_value(Lexer& lexer) {
    Token token = next(lexer);
    RowList::Value value{token.offset, token.length, RowList::Kind::null};
    const bool negative = token.kind == Token::Kind::operators && spelling(token) == "-";
    if (negative) {
      token = next(lexer);
      if (token.offset != value.offset + 1) return false;
      if (token.kind != Token::Kind::integer && token.kind != Token::Kind::real) return false;
      value.length = token.length + 1;
    }
    if (is_literal(token.kind)) {
      value.kind = static_cast<RowList::Kind>(literal_kind(token.kind, spelling(token)));
    } else if (token.kind != Token::Kind::identifier) {
      return false;
    } else if (same_word(spelling(token), "true") || same_word(spelling(token), "false")) {
      value.kind = RowList::Kind::boolean;
    } else if (!same_word(spelling(token), "null")) {
      return false;
    }
    rows_.values.push_back(value);
    return gap_is_plain_;
  }

  /// Comments are not: what they mean may depend on what stands around the rows.
  Token next(Lexer& lexer) {
    const Token token = lexer.next();
    ++tokens_;
    for (std::size_t at = end_; at < token.offset; ++at) {
      const char c = text_[at];
      gap_is_plain_ &= c == ' ' || (c >= '\t' && c <= '\r');
    }
    end_ = token.offset + token.length;
    return token;
  }
  char next_mark(Lexer& lexer) {
    const Token token = next(lexer);
    return gap_is_plain_ && token.kind == Token::Kind::punctuation ? text_[token.offset] : '\0';
  }
  /// Looks ahead of a row.
  bool is_mark(Lexer& lexer, std::string_view mark) {
    const std::size_t end = end_;
    const Token token = next(lexer);
    if (token.kind == Token::Kind::punctuation && spelling(token) == mark && gap_is_plain_) return true;
    gap_is_plain_ = true;
    end_ = end;
    --tokens_;
    return false;
  }
  std::string_view spelling(const Token& token) const { return text_.substr(token.offset, token.length); }

  std::string_view text_;
  RowList& rows_;
  std::size_t end_ = 0;  ///< of the token before
  std::size_t tokens_ = 0;
  bool gap_is_plain_ = true;
};

}  // namespace anabranch::rewriter
