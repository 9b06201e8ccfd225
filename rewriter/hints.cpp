#include "rewriter/hints.h"

namespace anabranch::rewriter {

Hints parse_hints(std::string_view comment) {
  Hints hints;
  if (const std::size_t colon = comment.find("anabranch:"); colon != std::string_view::npos) {
    comment.remove_prefix(colon + 10);
  }
  if (const std::size_t end = comment.find("*/"); end != std::string_view::npos) {
    comment = comment.substr(0, end);
  }
  constexpr std::string_view separators = " \t\r\n,;";
  while (!comment.empty()) {
    const std::size_t begin = comment.find_first_not_of(separators);
    if (begin == std::string_view::npos) break;
    comment.remove_prefix(begin);
    const std::string_view word = comment.substr(0, comment.find_first_of(separators));
    comment.remove_prefix(word.size());
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    std::string value(word.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'') {
      value = value.substr(1, value.size() - 2);
    }
    if (word.substr(0, equals) == "shard") hints.shard = std::move(value);
    if (word.substr(0, equals) == "key") hints.key = std::move(value);
  }
  return hints;
}

}  // namespace anabranch::rewriter
