#pragma once

#include <string_view>

/// The dialect's words, by what they mean to the parser and the printer. All lower case.
namespace anabranch::rewriter::mysql {

/// A name only in backticks (or after a dot). Words that one of the two servers alone reserves are
/// here only where the grammar needs them.
bool is_reserved(std::string_view word);
/// Reserved, and called like a function all the same: IF(…), LEFT(…).
bool is_reserved_function(std::string_view word);
/// A call only without a space before its parenthesis, unless sql_mode has IGNORE_SPACE.
bool is_adjacent_function(std::string_view word);
bool is_charset(std::string_view word);
/// DAY, MINUTE_SECOND …
bool is_interval_unit(std::string_view word);
/// CURRENT_DATE and the like, callable without parentheses.
bool is_value_function(std::string_view word);

}  // namespace anabranch::rewriter::mysql
