#include <cstdlib>

#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/parse.h"
#include "rewriter/print.h"
#include "values/sql_error.h"

using namespace anabranch::rewriter;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<tree::StatementPtr> parsed(std::string_view text, const mysql::Mode& mode,
                                       Shape& made) {
  mysql::shape(text, mode,
               LexLimits{.bytes = 1 << 16, .tokens = 10'000, .nesting = 60, .operator_chain = 200},
               made);
  std::size_t end = 0;
  for (std::size_t i = 0; i < made.literals().size(); ++i) {
    const auto& literal = made.literals()[i];
    require(literal.length > 0 && literal.offset >= end &&
            literal.offset + literal.length <= text.size());
    end = literal.offset + literal.length;
    mysql::literal_value(made.spelling(static_cast<int>(i)), mode);
  }
  ParseResult result = mysql::parse(text, made, mode);
  if (auto* trees = std::get_if<0>(&result)) return std::move(*trees);
  const auto& error = std::get<1>(result);
  require(error.position > 0 && static_cast<std::size_t>(error.position) <= text.size() + 1);
  return {};
}

}  // namespace

// What parses, prints; what is printed parses to the same tree. The first byte is the mode.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned bits = data[0];
  const mysql::Mode mode{.ansi_quotes = (bits & 1) != 0,
                         .no_backslash_escapes = (bits & 2) != 0,
                         .pipes_as_concat = (bits & 4) != 0,
                         .high_not_precedence = (bits & 8) != 0,
                         .ignore_space = (bits & 16) != 0,
                         .mariadb = (bits & 32) == 0};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    Shape made, again_made;
    for (const auto& statement : parsed(text, mode, made)) {
      require(tree::equal(*statement, *tree::clone(*statement)));
      if (statement->as<tree::Utility>()) continue;
      const std::string printed = to_text(*statement, made, Dialect::mysql);
      const auto again = parsed(printed, mode, again_made);
      require(again.size() == 1 && tree::equal(*statement, *again[0], tree::LiteralMatch::value));
    }
  } catch (const anabranch::values::SqlError&) {
  }
  return 0;
}
