#pragma once

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "rewriter/lexer_depth.h"
#include "rewriter/shape.h"
#include "values/sql_error.h"

/// How every dialect's shape() is made. Internal to rewriter/.
namespace anabranch::rewriter {

// The longest decimal texts (leading zeros aside) that still may be an int4, an int8.
inline LiteralToken::Kind integer_kind(std::string_view digits) {
  if (digits.size() < 10) return LiteralToken::Kind::integer;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  const auto within = [&](std::string_view largest) {
    return digits.size() < largest.size() || (digits.size() == largest.size() && digits <= largest);
  };
  if (within("2147483647")) return LiteralToken::Kind::integer;
  return within("9223372036854775807") ? LiteralToken::Kind::bigint : LiteralToken::Kind::numeric;
}

inline bool is_literal(Token::Kind kind) {
  return kind == Token::Kind::integer || kind == Token::Kind::real || kind == Token::Kind::string ||
         kind == Token::Kind::bit_string;
}

inline LiteralToken::Kind literal_kind(Token::Kind kind, std::string_view text) {
  switch (kind) {
    case Token::Kind::integer:
      return integer_kind(text);
    case Token::Kind::real:
      return LiteralToken::Kind::numeric;
    case Token::Kind::string:
      return LiteralToken::Kind::string;
    default:
      return LiteralToken::Kind::bit_string;
  }
}

/// The comment hint before a statement, empty if there is none.
std::string_view find_hint(std::string_view text);

/// Fills a Shape, for one dialect: Lexing makes its lexer, says whether white space stays as it is
/// written, whether its lexer can skip words that DepthGauge does not count, how a literal is tagged, and
/// which words deepen the tree beyond DepthGauge's.
/// Control bytes cannot stand outside quotes in a valid statement: a placeholder is
/// `?` and one of them, a text that does not lex is marked by another, so no two can be mixed up.
template <class Lexing>
class Shaper {
 public:
  Shaper(std::string_view text, const Lexing& lexing, const LexLimits& limits, Shape& out)
      : text_(text), lexing_(lexing), limits_(limits), out_(out) {}

  void run() {
    if (text_.size() > limits_.bytes)
      throw values::SqlError(
          "54000", "statement is longer than " + std::to_string(limits_.bytes) + " bytes");
    out_.source_ = text_;
    out_.hint_ = find_hint(text_);
    out_.literals_.clear();
    out_.equal_to_.clear();
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
    if (!lexed) out_.literals_.clear();
    mark_equal();
    out_.hash_ = XXH3_64bits(out_.text_.data(), out_.text_.size());
  }

 private:
  static constexpr char raw_mark = '\x07';
  static constexpr char hint_mark = '\x06';

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
      int first = 0;
      while (first < i && out_.spelling(first) != out_.spelling(i)) ++first;
      out_.equal_to_[static_cast<std::size_t>(i)] = first;
    }
  }

  void mark_equal_by_hash(int count) {
    std::size_t size = 64;
    while (size < 2 * static_cast<std::size_t>(count)) size *= 2;
    auto& table = out_.same_spelling_;
    table.assign(size, -1);
    for (int i = 0; i < count; ++i) {
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
};

}  // namespace anabranch::rewriter
