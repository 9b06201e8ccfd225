#include "rewriter/parse.h"

#include "rewriter/lower.h"
#include "rewriter/parsed_tree.h"
#include "values/sql_error.h"

namespace anabranch::rewriter {
namespace {

SyntaxError syntax_error(const PgQueryError& error) {
  SyntaxError out;
  out.message = text_or_empty(error.message);
  out.position = error.cursorpos;
  return out;
}

// A text that our lexer gave up on has not had its depth measured.
constexpr std::size_t longest_unmeasured = 4096;
bool measured(const Shape& shape) {
  return shape.lexed();
}

}  // namespace

ParseResult parse(std::string_view text, const Shape& shape, bool standard_conforming_strings) {
  if (!measured(shape) && text.size() > longest_unmeasured)
    return SyntaxError{"42601", "syntax error", 0};
  const ParsedBytes bytes(std::string(text), standard_conforming_strings);
  if (bytes.error()) return syntax_error(*bytes.error());
  const auto tree = bytes.unpack();
  if (!tree) throw values::SqlError("54001", "statement is too complex");
  std::vector<tree::StatementPtr> out;
  Lowering lowering(text, shape);
  for (std::size_t i = 0; i < tree->n_stmts; ++i)
    out.push_back(lowering.raw_statement(*tree->stmts[i]));
  return out;
}

}  // namespace anabranch::rewriter
