#pragma once

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "rewriter/lexer_depth.h"
#include "rewriter/row_reader.h"
#include "values/sql_error.h"

/// How every dialect's shape() is made. Internal to rewriter/.
namespace anabranch::rewriter {

/// The comment hint before a statement, empty if there is none.
std::string_view find_hint(std::string_view text);

/// Fills a Shape, for one dialect: Lexing makes its lexer, says whether white space stays as it is
/// written, whether its lexer can skip words that DepthGauge does not count, how a literal is tagged, and
/// which words deepen the tree beyond DepthGauge's.
/// Control bytes cannot stand outside quotes in a valid statement: a placeholder is
/// `?` and one of them, rows that are taken out and a text that does not lex are marked by others, so no two can be
/// mixed up.
template <class Lexing>
class Shaper {
 public:
  Shaper(std::string_view text, const Lexing& lexing, const LexLimits& limits, Rows rows, Shape& out)
      : text_(text), lexing_(lexing), limits_(limits), out_(out), folds_(rows == Rows::folded) {}

  void run() {
    if (text_.size() > limits_.bytes)
      throw values::SqlError(
          "54000", "statement is longer than " + std::to_string(limits_.bytes) + " bytes");
    out_.source_ = text_;
    out_.hint_ = find_hint(text_);
    out_.literals_.clear();
    out_.equal_to_.clear();
    out_.rows_.width = 0;
    const std::size_t room = 2 * text_.size() + out_.hint_.size() + 8;
    bool lexed = true;
    out_.text_.resize_and_overwrite(room, [&](char* buffer, std::size_t) {
      char* end = write_hint(buffer);
      char* const start = end;
      lexed = write_tokens(end);
      if (!lexed) end = write_raw(start);
      return static_cast<std::size_t>(end - buffer);
    });
    if (tokens_ > limits_.tokens)
      throw values::SqlError(
          "54000", "statement has more than " + std::to_string(limits_.tokens) + " tokens");
    if (depth_.exceeded())
      throw values::SqlError(
          "54001", "statement is nested too deeply",
          "Write long chains of operators with fewer terms, or in parenthesised halves.");
    out_.lexed_ = lexed;
    out_.blank_ = lexed && tokens_ == 0;
    if (!lexed) out_.literals_.clear(), out_.rows_.width = 0;
    mark_equal();
    out_.hash_ = XXH3_64bits(out_.text_.data(), out_.text_.size());
  }

 private:
  static constexpr char raw_mark = '\x07';
  static constexpr char hint_mark = '\x06';
  static constexpr char rows_mark = '\x05';
  static constexpr std::string_view blanks = " \t\r\n";

  char* write_hint(char* to) const {
    if (out_.hint_.empty()) return to;
    *to++ = hint_mark;
    to = std::copy(out_.hint_.begin(), out_.hint_.end(), to);
    *to++ = hint_mark;
    return to;
  }

  char* write_raw(char* to) const {
    *to++ = raw_mark;
    return std::copy(text_.begin(), text_.end(), to);
  }

  /// `out`: what has been written ends there.
  bool write_tokens(char*& out) {
    const std::string_view text = text_;
    auto lexer = lexing_.lexer(text);
    char* to = out;
    // The stretch of the text that is in the shape as it stands, and has not been copied yet.
    std::size_t begin = 0;
    std::size_t end = 0;
    const auto copy = [&] {
      std::memcpy(to, text.data() + begin, end - begin);
      to += end - begin;
    };
    auto row_lexer = lexer;    // behind the first row's parenthesis
    char* row_shape = nullptr;  // where that stands in the shape
    while (true) {
      const Token token = lexer.next();
      if (token.kind == Token::Kind::end) break;
      if (token.kind == Token::Kind::bad) return false;
      const std::string_view spelling(text.data() + token.offset, token.length);
      if (++tokens_ > limits_.tokens || !depth_.add(token, spelling)) return true;
      Lexing::gauge(depth_, token, spelling);
      if (tokens_ == 1) begin = end = token.offset;
      if (Lexing::keeps_space || (token.offset == end + 1 && text[end] == ' ')) end = token.offset;
      if (token.offset != end) {
        copy();
        *to++ = ' ';
        begin = end = token.offset;
      }
      if (is_literal(token.kind)) {
        copy();
        const auto kind = literal_kind(token.kind, spelling);
        out_.literals_.push_back({kind, token.offset, token.length});
        *to++ = '?';
        *to++ = Lexing::tag(kind, spelling);
        begin = token.offset + token.length;
      }
      end = token.offset + token.length;
      if (tokens_ == 1) folds_ = folds_ && inserts(token, spelling);
      if (folds_ && token.kind == Token::Kind::punctuation) {
        const Place place = place_of(token.offset, spelling);
        if (place == Place::row) {
          end = token.offset;
          copy();
          begin = end++;
          row_lexer = lexer;
          row_shape = to;
        } else if (place == Place::behind_row && fold_rows(row_lexer)) {
          lexer = row_lexer;
          to = write_rows(row_shape);
          begin = end = lexer.position();
        }
      }
      // Most of what follows are words that mean nothing here.
      if constexpr (Lexing::skips_words) {
        if (const std::size_t words = lexer.skip_words([](auto word) { return !DepthGauge::may_count(word); })) {
          tokens_ += words;
          depth_.pass_words();
          end = lexer.position();
        }
      }
    }
    copy();
    out = to;
    depth_.finish();
    return true;
  }

  // ---- rows

  static bool inserts(const Token& token, std::string_view spelling) {
    return token.kind == Token::Kind::identifier && (same_word(spelling, "insert") || same_word(spelling, "replace"));
  }

  enum class Place : std::uint8_t { elsewhere, row, behind_row };
  /// Only the first list of rows is looked at.
  Place place_of(std::size_t offset, std::string_view mark) {
    if (mark == "(") {
      const bool row = parentheses_++ == 0 && !in_rows_ && behind_values(offset);
      in_rows_ |= row;
      if (row) out_.rows_.first_literal = static_cast<int>(out_.literals_.size());
      return row ? Place::row : Place::elsewhere;
    }
    if (mark != ")" || --parentheses_ != 0 || !in_rows_) return Place::elsewhere;
    folds_ = false;
    const std::size_t next = text_.find_first_not_of(blanks, offset + 1);
    return next != std::string_view::npos && text_[next] == ',' ? Place::behind_row : Place::elsewhere;
  }

  bool behind_values(std::size_t at) const {
    const std::string_view before = text_.substr(0, text_.find_last_not_of(blanks, at - 1) + 1);
    const auto ends_in = [&](std::string_view word) {
      const std::size_t rest = before.size() - word.size();
      return before.size() > word.size() && same_word(before.substr(rest), word) &&
             !lexer_detail::in_name[static_cast<unsigned char>(before[rest - 1])];
    };
    return ends_in("values") || ends_in("value");
  }

  template <class Lexer>
  bool fold_rows(Lexer& lexer) {
    RowList& rows = out_.rows_;
    RowReader<Lexer> reader(text_, rows);
    const bool plain = reader.read(lexer) && tokens_ + reader.tokens() <= limits_.tokens;
    if (!plain) {
      rows.width = 0;
      return false;
    }
    tokens_ += reader.tokens();
    rows.literals = static_cast<int>(out_.literals_.size()) - rows.first_literal;
    return true;
  }

  /// The mark, and each column's kinds.
  char* write_rows(char* to) const {
    constexpr std::string_view digits = "0123456789abcdef";
    *to++ = rows_mark;
    for (const std::uint8_t kinds : out_.rows_.kinds) {
      *to++ = digits[kinds >> 4];
      *to++ = digits[kinds & 15];
    }
    *to++ = rows_mark;
    return to;
  }

  /// What one of the rows has in common with the rest says nothing of the others.
  bool of_row(int literal) const {
    const int at = literal - out_.rows_.first_literal;
    return out_.rows_.width != 0 && at >= 0 && at < out_.rows_.literals;
  }

  void mark_equal() {
    const int count = static_cast<int>(out_.literals_.size());
    out_.equal_to_.resize(static_cast<std::size_t>(count));
    if (count <= 16)
      mark_equal_by_pairs(count);
    else
      mark_equal_by_hash(count);
  }

  void mark_equal_by_pairs(int count) {
    for (int i = 0; i < count; ++i) {
      int first = of_row(i) ? i : 0;
      while (first < i && (of_row(first) || out_.spelling(first) != out_.spelling(i))) ++first;
      out_.equal_to_[static_cast<std::size_t>(i)] = first;
    }
  }

  void mark_equal_by_hash(int count) {
    std::size_t size = 64;
    while (size < 2 * static_cast<std::size_t>(count)) size *= 2;
    auto& table = out_.same_spelling_;
    table.assign(size, -1);
    for (int i = 0; i < count; ++i) {
      if (of_row(i)) {
        out_.equal_to_[static_cast<std::size_t>(i)] = i;
        continue;
      }
      const auto spelling = out_.spelling(i);
      std::size_t slot = XXH3_64bits(spelling.data(), spelling.size()) & (size - 1);
      while (table[slot] >= 0 && out_.spelling(table[slot]) != spelling)
        slot = (slot + 1) & (size - 1);
      if (table[slot] < 0) table[slot] = i;
      out_.equal_to_[static_cast<std::size_t>(i)] = table[slot];
    }
  }

  std::string_view text_;
  const Lexing& lexing_;
  const LexLimits& limits_;
  Shape& out_;
  DepthGauge depth_{limits_};
  std::size_t tokens_ = 0;
  bool folds_;
  bool in_rows_ = false;
  int parentheses_ = 0;
};

}  // namespace anabranch::rewriter
