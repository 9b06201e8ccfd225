#pragma once

#include <cstddef>
#include <string_view>

namespace anabranch::rewriter {

/// Steps over the words that stand before a statement inside another one (EXPLAIN, PREPARE,
/// DECLARE), in a text that the parser has taken already. Each skip that finds something else stays
/// where it is and answers false.
class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }
  bool done() const { return at_ >= text_.size(); }
  /// White space and comments.
  void skip_blanks();
  /// A keyword, given in lower case; then blanks.
  bool skip_word(std::string_view word);
  /// A name, quoted or not; then blanks.
  bool skip_name();
  /// From an opening parenthesis to the one that closes it; then blanks.
  bool skip_parentheses();

 private:
  bool skip_comment();

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace anabranch::rewriter
