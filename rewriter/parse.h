#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rewriter/shape.h"
#include "rewriter/tree.h"

namespace anabranch::rewriter {

/// The server's own words about a statement that it would not parse.
struct SyntaxError {
  std::string sqlstate = "42601";
  std::string message;
  int position = 0;  ///< from 1, in characters (MySQL: bytes); 0: none
};

using ParseResult = std::variant<std::vector<tree::StatementPtr>, SyntaxError>;

/// PostgreSQL's grammar (version 15) by libpg_query, lowered into our tree. `text` is what `shape`
/// was made of, usually one statement. Locations are byte offsets in `text`. Pure, any thread,
/// needs a few MiB of stack. Throws SqlError 54001 for statements too deep to handle.
ParseResult parse(std::string_view text, const Shape& shape,
                  bool standard_conforming_strings = true);

}  // namespace anabranch::rewriter
