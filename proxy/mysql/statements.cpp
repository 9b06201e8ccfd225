#include "proxy/mysql/statements.h"

#include <algorithm>
#include <array>

#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/parse.h"
#include "rewriter/mysql/quote.h"

namespace anabranch::proxy::mysql {

namespace {

constexpr auto programs = std::to_array<std::string_view>({"event", "function", "package", "procedure", "trigger"});

/// Reads one statement's tokens.
class Cutter {
 public:
  Cutter(std::string_view text, const rewriter::mysql::Mode& mode) : text_(text), lexer_(text, mode) {}

  /// The next statement; false: there is none.
  bool next(std::string_view& statement) {
    using Kind = rewriter::Token::Kind;
    const std::size_t begin = at_;
    bool any = false, defines = false, of_program = false;
    while (true) {
      const rewriter::Token token = lexer_.next();
      const std::string_view word = text_.substr(token.offset, token.length);
      if (token.kind == Kind::end || token.kind == Kind::bad) {
        at_ = text_.size();
        statement = text_.substr(begin);
        // A comment alone is a statement, too.
        return begin > 0 ? statement.find_first_not_of(" \t\n\r\f\v") != std::string_view::npos
                         : any || token.kind == Kind::bad;
      }
      if (token.kind == Kind::punctuation && word == ";" && !of_program) {
        at_ = token.offset + token.length;
        statement = text_.substr(begin, token.offset - begin);
        return true;
      }
      const bool is_word = token.kind == Kind::identifier;
      if (!any) defines = is_word && rewriter::same_word(word, "create");
      of_program |= defines && is_word &&
                    std::ranges::any_of(programs, [&](std::string_view one) { return rewriter::same_word(word, one); });
      any = true;
    }
  }

 private:
  std::string_view text_;
  rewriter::mysql::Lexer lexer_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<std::string_view> split_statements(std::string_view text, const rewriter::mysql::Mode& mode) {
  std::vector<std::string_view> statements;
  Cutter cutter(text, mode);
  for (std::string_view statement; cutter.next(statement);) statements.push_back(statement);
  return statements;
}

std::string with_values(std::string_view text, std::span<const rewriter::BoundValue> values,
                        const rewriter::mysql::Mode& mode) {
  using Kind = rewriter::Token::Kind;
  rewriter::mysql::Lexer lexer(text, mode);
  std::string filled;
  std::size_t copied = 0;
  std::size_t next = 0;
  for (auto token = lexer.next(); token.kind != Kind::end && token.kind != Kind::bad; token = lexer.next()) {
    if (token.kind != Kind::parameter || next == values.size()) continue;
    const rewriter::BoundValue& value = values[next++];
    // Apart from a minus before it.
    filled.append(text.substr(copied, token.offset - copied)).append(" ");
    filled += rewriter::mysql::literal_of(value.type, value.format, value.bytes);
    copied = token.offset + token.length;
  }
  return filled.append(text.substr(copied));
}

void set_text(Statement& statement, std::string_view text, const rewriter::mysql::Mode& mode) {
  statement.text.assign(text);
  statement.plan = nullptr;
  rewriter::mysql::shape(statement.text, mode, {}, statement.shape, rewriter::Rows::folded);
}

}  // namespace anabranch::proxy::mysql
