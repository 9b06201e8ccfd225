#include "proxy/mysql/variables.h"

#include <algorithm>

#include "rewriter/mysql/lexer.h"
#include "values/ascii.h"

namespace anabranch::proxy::mysql {

namespace {

/// `@name`, "@`name`", "@'name'".
std::string name_of(std::string_view token) {
  token.remove_prefix(1);
  const bool quoted = token.size() >= 2 && (token.front() == '`' || token.front() == '\'' || token.front() == '"');
  if (quoted) token = token.substr(1, token.size() - 2);
  return values::lower_case(token);
}

}  // namespace

VariableUse variables_of(std::string_view text, const rewriter::mysql::Mode& mode) {
  VariableUse use;
  if (!text.contains('@')) return use;
  using Kind = rewriter::Token::Kind;
  rewriter::mysql::Lexer lexer(text, mode);
  for (auto token = lexer.next(); token.kind != Kind::end && token.kind != Kind::bad; token = lexer.next()) {
    const std::string_view word = text.substr(token.offset, token.length);
    if (token.kind == Kind::variable) {
      std::string name = name_of(word);
      if (std::ranges::find(use.names, name) == use.names.end()) use.names.push_back(std::move(name));
    }
    use.assigns |= word == ":=" || (token.kind == Kind::identifier && rewriter::same_word(word, "into"));
  }
  use.assigns &= !use.names.empty();
  return use;
}

}  // namespace anabranch::proxy::mysql
