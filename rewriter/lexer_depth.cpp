#include "rewriter/lexer_depth.h"

namespace anabranch::rewriter {

void DepthGauge::open(bool is_case) {
  if (top_ >= nesting_) {
    exceeded_ = true;
    return;
  }
  levels_[static_cast<std::size_t>(++top_)] = {
      .chain = 0, .below = 0, .best = 0, .structure = 0, .is_case = is_case};
}

void DepthGauge::close() {
  if (top_ == 0) return;
  const int depth = total(here()) + 1;
  --top_;
  here().below = std::max(here().below, depth);
}

void DepthGauge::count_word(std::string_view text) {
  const auto is = [&](std::string_view word) { return same_word(text, word); };
  switch (text.size()) {
    case 2:
      if (is("or")) return restart();
      if (is("is") || is("at") || is("in")) ++here().chain;
      return;
    case 3:
      if (is("and")) return restart();
      if (is("not")) ++here().chain;
      if (is("end") && here().is_case) close();
      return;
    case 4:
      if (is("case")) return open(true);
      if (is("like")) ++here().chain;
      if (is("join")) ++here().structure;
      return;
    case 5:
      if (is("ilike")) ++here().chain;
      if (is("union")) ++here().structure;
      return;
    case 6:
      if (is("isnull")) ++here().chain;
      if (is("except")) ++here().structure;
      return;
    case 7:
      if (is("collate") || is("notnull") || is("similar") || is("between")) ++here().chain;
      return;
    case 8:
      if (is("operator")) ++here().chain;
      return;
    case 9:
      if (is("intersect")) ++here().structure;
      return;
    default:
      return;
  }
}

bool DepthGauge::word(std::string_view text) {
  count_word(text);
  return within();
}

bool DepthGauge::operators(std::string_view text) {
  ++here().chain;
  for (char c : text.substr(1)) here().chain += c == '-' || c == '+' ? 1 : 0;
  return within();
}

bool DepthGauge::punctuation(char mark, char last) {
  last_ = mark;
  switch (mark) {
    case '(':
    case '[':
      open(false);
      break;
    case ')':
    case ']':
      // A CASE that was never ended cannot outlive its parenthesis.
      while (top_ > 0 && here().is_case) close();
      close();
      break;
    case ',':
      restart();
      break;
    case ':':
      here().chain += last == ':' ? 1 : 0;
      break;
    default:
      break;
  }
  return within();
}

}  // namespace anabranch::rewriter
