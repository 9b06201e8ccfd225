#include "rewriter/mysql/counts.h"

#include "rewriter/mysql/lexer.h"

namespace anabranch::rewriter::mysql {

std::vector<CountCall> count_calls(std::string_view text, const Mode& mode) {
  using Kind = Token::Kind;
  std::vector<CountCall> calls;
  Lexer lexer(text, mode);
  CountCall call;
  std::size_t read = 0;     // of a call: its name, "("
  bool qualified = false;   // a stored function's name follows
  for (Token token = lexer.next(); token.kind != Kind::end && token.kind != Kind::bad; token = lexer.next()) {
    const std::string_view word = text.substr(token.offset, token.length);
    if (read == 2 && word == ")") {
      call.length = token.offset + token.length - call.offset;
      calls.push_back(call);
    }
    const bool found = same_word(word, "found_rows");
    const bool names = token.kind == Kind::identifier && !qualified && (found || same_word(word, "row_count"));
    if (names) call = {found, token.offset, 0};
    read = names ? 1 : read == 1 && word == "(" ? 2 : 0;
    qualified = word == ".";
  }
  return calls;
}

}  // namespace anabranch::rewriter::mysql
