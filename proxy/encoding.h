#pragma once

#include <string>
#include <string_view>

namespace anabranch::proxy {

/// An encoding's name as PostgreSQL compares them: letters and digits in lower case; `utf8` for all
/// names of UTF-8.
std::string plain_encoding(std::string_view name);
/// Whether a byte below 0x80 may be a part of a longer character there (true for names not known).
bool has_ascii_inside(std::string_view name);

}  // namespace anabranch::proxy
