#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rewriter/shape.h"

/// The functions that a statement calls, found in its text alone: for where there is no catalog.
namespace anabranch::rewriter {

struct Called {
  std::string schema;  ///< as written; empty: none
  std::string name;
};

/// All that stand anywhere in the text, as the server's parser reads it; none where it does not parse.
std::vector<Called> called_functions(std::string_view text, bool standard_conforming_strings);

/// A function of pg_catalog that leaves nothing in the session that calls it.
bool is_plain_builtin(std::string_view name);

}  // namespace anabranch::rewriter
