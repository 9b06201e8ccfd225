#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rewriter/mysql/mode.h"

namespace anabranch::proxy::mysql {

/// The user variables that a statement names, in lower case, and whether it may set them (`:=`, INTO).
struct VariableUse {
  std::vector<std::string> names;
  bool assigns = false;
};
/// Nothing to do where the text has no `@`.
VariableUse variables_of(std::string_view text, const rewriter::mysql::Mode& mode);

}  // namespace anabranch::proxy::mysql
