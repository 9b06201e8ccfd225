#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "values/type.h"

namespace anabranch::values {

/// A PostgreSQL array taken apart: its elements' wire values in storage order.
/// Elements point into the parsed bytes, or into `unescaped`.
struct ArrayValue {
  static constexpr size_t kMaxDimensions = 6;

  size_t dimensions = 0;  ///< 0 for an empty array
  std::array<int32_t, kMaxDimensions> sizes{};
  std::array<int32_t, kMaxDimensions> lower_bounds{};
  std::vector<std::optional<std::string_view>> elements;
  std::deque<std::string> unescaped;
};

/// array_send()'s bytes. `element_oid` 0: any. Throws invalid_binary naming `type_name`.
ArrayValue parse_array_binary(std::string_view bytes, Oid element_oid, std::string_view type_name);

/// array_out()'s text (delimiter ','). Throws invalid_text naming `type_name`.
ArrayValue parse_array_text(std::string_view text, std::string_view type_name);

}  // namespace anabranch::values
