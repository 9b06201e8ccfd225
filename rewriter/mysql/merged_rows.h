#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rewriter/plan.h"

namespace anabranch::rewriter::mysql {

/// Adds a merged row to what fills a Finish's hole, which stands in VALUES' parentheses: rows after the first
/// begin with `), (`.
void append_merged_row(std::string& out, const Finish& finish, std::span<const std::optional<std::string_view>> values);
/// Fills the hole where there are none: a row that is not counted.
std::string no_merged_rows(const Finish& finish);

}  // namespace anabranch::rewriter::mysql
