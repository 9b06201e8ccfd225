#pragma once

#include <string>
#include <string_view>

namespace anabranch::values {

/// Always in backticks.
std::string quote_mysql_identifier(std::string_view name);

}  // namespace anabranch::values
