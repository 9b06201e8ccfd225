#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "rewriter/lexer.h"
#include "rewriter/shape.h"

namespace anabranch::rewriter {

/// An upper bound, from tokens alone, of how deep the parse tree of a statement is: what recurses
/// over it must not be started on a tree that is too deep for the stack. A chain of n operators
/// nests n deep; AND and OR do not nest (the grammar flattens them); joins and set operations nest
/// to the left.
class DepthGauge {
 public:
  explicit DepthGauge(const LexLimits& limits)
      : nesting_(std::min(limits.nesting, static_cast<int>(levels_.size()) - 1)),
        chain_(limits.operator_chain) {
    levels_[0] = {};
  }

  /// False when a limit is passed: that was the last token to be added.
  bool add(const Token& token, std::string_view text) {
    const char last = std::exchange(last_, '\0');
    if (token.kind == Token::Kind::identifier) return last == '.' || !may_count(text) || word(text);
    if (token.kind == Token::Kind::operators) return operators(text);
    return token.kind != Token::Kind::punctuation || punctuation(text[0], last);
  }
  /// By length and first letter: add() is for this word, too.
  static bool may_count(std::string_view text) {
    constexpr auto initials = [] {
      std::array<std::uint32_t, 10> bits{};
      constexpr std::array<std::string_view, 10> letters = {"",   "",   "oia", "ane", "clj",
                                                            "iu", "ie", "cnsb", "o",  "i"};
      for (std::size_t length = 0; length < bits.size(); ++length) {
        for (const char c : letters[length]) bits[length] |= 1U << (c - 'a');
      }
      return bits;
    }();
    const unsigned letter = static_cast<unsigned char>(text[0] | 0x20) - unsigned{'a'};
    return text.size() < initials.size() && letter <= 25 && (initials[text.size()] >> letter & 1) != 0;
  }
  /// Instead of add(), for words that count for nothing.
  void pass_words() { last_ = 0; }
  void finish() {
    while (top_ > 0) close();
    exceeded_ = exceeded_ || total(levels_[0]) > chain_;
  }
  bool exceeded() const { return exceeded_; }
  /// A dialect's own word that nests the tree: an operator, a join.
  void link() { ++here().chain; }
  void join() { ++here().structure; }

 private:
  struct Level {
    int chain;      ///< operators since the last comma, AND, OR
    int below;      ///< deepest parenthesis since then
    int best;       ///< of what came before
    int structure;  ///< JOIN, UNION …
    bool is_case;
  };
  static int total(const Level& level) {
    return std::max(level.best, level.below + level.chain) + level.structure;
  }
  bool word(std::string_view text);
  bool operators(std::string_view text);
  bool punctuation(char mark, char last);
  void count_word(std::string_view text);
  /// Chains that are still open are bounded too: the parser may reduce them before an error ends it.
  bool within() {
    exceeded_ = exceeded_ || total(here()) > chain_;
    return !exceeded_;
  }
  void open(bool is_case);
  void close();
  Level& here() { return levels_[static_cast<std::size_t>(top_)]; }
  void restart() {
    Level& level = here();
    level.best = std::max(level.best, level.below + level.chain);
    level.below = level.chain = 0;
  }

  std::array<Level, 1001>
      levels_;  // set when opened: clearing 20 KB a statement would cost a microsecond
  int top_ = 0;
  int nesting_;
  int chain_;
  bool exceeded_ = false;
  char last_ = 0;
};

}  // namespace anabranch::rewriter
