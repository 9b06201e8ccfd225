#include "rewriter/parse.h"

#include <pg_query.h>

#include <memory>

#include "rewriter/lower.h"
#include "values/sql_error.h"

// libpg_query's own setting of the lexer, one a thread; the build keeps it visible under this name.
extern "C" __thread bool pg_query_standard_conforming_strings;

namespace anabranch::rewriter {
namespace {

struct FreeTree {
  void operator()(PgQuery__ParseResult* tree) const {
    pg_query__parse_result__free_unpacked(tree, nullptr);
  }
};

class ParsedBytes {
 public:
  ParsedBytes(const std::string& text, bool standard_strings) {
    pg_query_standard_conforming_strings = standard_strings;
    result_ = pg_query_parse_protobuf(text.c_str());
    pg_query_standard_conforming_strings = true;
  }
  ~ParsedBytes() { pg_query_free_protobuf_parse_result(result_); }
  ParsedBytes(const ParsedBytes&) = delete;
  ParsedBytes& operator=(const ParsedBytes&) = delete;

  const PgQueryError* error() const { return result_.error; }
  std::unique_ptr<PgQuery__ParseResult, FreeTree> unpack() const {
    return std::unique_ptr<PgQuery__ParseResult, FreeTree>(pg_query__parse_result__unpack(
        nullptr, result_.parse_tree.len,
        reinterpret_cast<const std::uint8_t*>(result_.parse_tree.data)));
  }

 private:
  PgQueryProtobufParseResult result_;
};

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
