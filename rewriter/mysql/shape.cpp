#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/parse.h"
#include "rewriter/shaper.h"

namespace anabranch::rewriter::mysql {
namespace {

struct MysqlLexing {
  const Mode& mode;
  // A column without an alias is named by its text, white space and comments included.
  static constexpr bool keeps_space = true;
  static constexpr bool skips_words = false;
  Lexer lexer(std::string_view text) const { return {text, mode}; }

  // A double is another type than a decimal, and so is an unsigned bigint.
  static char tag(LiteralToken::Kind kind, std::string_view spelling) {
    if (kind != LiteralToken::Kind::numeric) return static_cast<char>(1 + static_cast<int>(kind));
    if (is_floating(spelling)) return '\x08';
    return spelling.find('.') == std::string_view::npos ? '\x0e' : '\x0f';
  }

  static void gauge(DepthGauge& depth, const Token& token, std::string_view text) {
    if (token.kind == Token::Kind::punctuation && text == "{") return depth.link();
    if (token.kind != Token::Kind::identifier) return;
    switch (text.size()) {
      case 3:
        if (same_word(text, "xor") || same_word(text, "div") || same_word(text, "mod"))
          depth.link();
        return;
      case 5:
        if (same_word(text, "rlike")) depth.link();
        return;
      case 6:
        if (same_word(text, "regexp") || same_word(text, "binary") || same_word(text, "sounds") ||
            same_word(text, "member"))
          depth.link();
        return;
      case 8:
        if (same_word(text, "interval")) depth.link();
        return;
      case 13:
        if (same_word(text, "straight_join")) depth.join();
        return;
      default:
        return;
    }
  }
};

}  // namespace

void shape(std::string_view statement, const Mode& mode, const LexLimits& limits, Shape& out, Rows rows) {
  const MysqlLexing lexing{mode};
  Shaper<MysqlLexing>(statement, lexing, limits, rows, out).run();
}

}  // namespace anabranch::rewriter::mysql
