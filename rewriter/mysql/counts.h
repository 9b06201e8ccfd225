#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "rewriter/mysql/mode.h"

/// What a text asks of the statement before it.
namespace anabranch::rewriter::mysql {

/// A call of FOUND_ROWS() or ROW_COUNT(): where it stands, to its closing parenthesis.
struct CountCall {
  bool found = false;  ///< FOUND_ROWS()
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

/// In the order of the text.
std::vector<CountCall> count_calls(std::string_view text, const Mode& mode);

}  // namespace anabranch::rewriter::mysql
