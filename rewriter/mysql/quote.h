#pragma once

#include <string>
#include <string_view>

#include "rewriter/tree.h"

namespace anabranch::rewriter::mysql {

std::string quote_identifier(std::string_view name);  ///< always in backticks
std::string quote_name(const tree::Name& name);
/// The same value under every sql_mode: backslashes go as hexadecimal digits of utf8mb4.
std::string quote_literal(std::string_view value);

}  // namespace anabranch::rewriter::mysql
