#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rewriter/plan.h"

namespace anabranch::rewriter::mysql {

/// Adds the value as SQL of its column's type. Throws 22P02 where it cannot be one.
void append_literal(std::string& out, const Finish::Column& column, std::optional<std::string_view> value);

/// Adds a merged row to what fills a Finish's hole, which stands in VALUES' parentheses: rows after the first
/// begin with `), (`.
void append_merged_row(std::string& out, const Finish& finish, std::span<const std::optional<std::string_view>> values);
/// Fills the hole where there are none: a row that is not counted.
std::string no_merged_rows(const Finish& finish);

}  // namespace anabranch::rewriter::mysql
