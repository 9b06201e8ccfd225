#include "rewriter/text_cursor.h"

#include <algorithm>

namespace anabranch::rewriter {
namespace {

bool in_name(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || byte == '$' || byte >= 0x80;
}

}  // namespace

bool TextCursor::skip_comment() {
  if (text_.substr(at_, 2) == "--") {
    at_ = std::min(text_.find('\n', at_), text_.size());
    return true;
  }
  if (text_.substr(at_, 2) != "/*") return false;
  int depth = 0;
  do {
    const bool opens = text_.substr(at_, 2) == "/*";
    const bool closes = text_.substr(at_, 2) == "*/";
    depth += opens ? 1 : closes ? -1 : 0;
    at_ += opens || closes ? 2 : 1;
  } while (depth > 0 && !done());
  return true;
}

void TextCursor::skip_blanks() {
  while (!done()) {
    if (std::string_view(" \t\r\n\f\v").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    } else if (!skip_comment()) {
      return;
    }
  }
}

bool TextCursor::skip_word(std::string_view word) {
  if (text_.size() - at_ < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if ((text_[at_ + i] | 0x20) != word[i]) return false;
  }
  const std::size_t end = at_ + word.size();
  if (end < text_.size() && in_name(text_[end])) return false;
  at_ = end;
  skip_blanks();
  return true;
}

bool TextCursor::skip_name() {
  const std::size_t begin = at_;
  if (text_.substr(at_, 2) == "U&" || text_.substr(at_, 2) == "u&") at_ += 2;
  if (!done() && text_[at_] == '"') {
    for (++at_; !done(); ++at_) {
      if (text_[at_] != '"') continue;
      if (text_.substr(at_, 2) != "\"\"") break;
      ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  } else {
    while (!done() && in_name(text_[at_])) ++at_;
  }
  const bool any = at_ > begin;
  skip_blanks();
  return any;
}

bool TextCursor::skip_parentheses() {
  if (done() || text_[at_] != '(') return false;
  int depth = 0;
  char quote = 0;
  for (; !done(); ++at_) {
    const char c = text_[at_];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      ++at_;
      break;
    }
  }
  skip_blanks();
  return true;
}

}  // namespace anabranch::rewriter
