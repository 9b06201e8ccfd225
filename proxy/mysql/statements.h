#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/statement.h"
#include "rewriter/mysql/mode.h"

namespace anabranch::proxy::mysql {

/// The statements of a text, as a server that takes several would cut it: at semicolons, but for those within a
/// stored program's definition, which reaches to the text's end. Empty ones at the end are left out.
std::vector<std::string_view> split_statements(std::string_view text, const rewriter::mysql::Mode& mode);

/// The text with values in the places of its parameters.
std::string with_values(std::string_view text, std::span<const rewriter::BoundValue> values,
                        const rewriter::mysql::Mode& mode);

/// Sets the statement's text, and computes its shape. Throws 54000/54001 past the bounds.
void set_text(Statement& statement, std::string_view text, const rewriter::mysql::Mode& mode);

}  // namespace anabranch::proxy::mysql
