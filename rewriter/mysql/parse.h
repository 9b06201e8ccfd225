#pragma once

#include <string_view>

#include "rewriter/mysql/mode.h"
#include "rewriter/parse.h"
#include "rewriter/shape.h"

/// The MySQL and MariaDB dialect. Both are read by one grammar: where they read the same text
/// differently, Mode::mariadb decides; what only one of them has is read for both.
namespace anabranch::rewriter::mysql {

/// As rewriter::shape, except that white space and comments between tokens stay as written: a
/// column without an alias is named by its text. The literals of such a text are in
/// Statement::baked.
void shape(std::string_view statement, const Mode& mode, const LexLimits& limits, Shape& out,
           Rows rows = Rows::as_written);

/// Into the tree of every dialect. `text` is what `shape` was made of: one statement, or several
/// between semicolons. A stored program's definition is one statement, kept whole. A statement with
/// a clause that the tree has no place for is a Utility "VerbatimStmt" with every name that could
/// be a relation's. What cannot be read is a SyntaxError 42000 with the byte where reading ended
/// (from 1). Pure, any thread. Throws SqlError 54001 for statements too deep to handle.
ParseResult parse(std::string_view text, const Shape& shape, const Mode& mode);

}  // namespace anabranch::rewriter::mysql
