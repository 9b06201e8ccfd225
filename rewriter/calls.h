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

/// The settings that calls of set_config() name, in lower case; those for the transaction only are left
/// out. `complete`: all of them are named by constants.
struct NamedSettings {
  std::vector<std::string> names;
  bool complete = true;
};
NamedSettings settings_set_by_calls(std::string_view text, bool standard_conforming_strings);

/// A function of pg_catalog that leaves nothing in the session that calls it.
bool is_plain_builtin(std::string_view name);

}  // namespace anabranch::rewriter
