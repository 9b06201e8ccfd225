#pragma once

#include <string_view>

namespace anabranch::proxy {

inline constexpr std::string_view version = "0.1.0";  // as in CMakeLists.txt

}  // namespace anabranch::proxy
