#pragma once

#include <optional>
#include <string>
#include <string_view>

/// How traces of either protocol write values down.
namespace anabranch::net {

/// Appends a blank and the text in quotes; what is not printable as hexadecimal.
void put(std::string& line, std::string_view text);
/// Nothing: NULL.
void put(std::string& line, const std::optional<std::string_view>& field);

}  // namespace anabranch::net
