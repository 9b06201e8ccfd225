#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rewriter/plan.h"
#include "rewriter/tree.h"

/// COPY's options. Internal to rewriter/.
namespace anabranch::rewriter {

/// What the options say, as far as they can be read; what is wrong with them is the server's to say.
CopyFormat copy_format(const tree::Copy& copy);
/// The option's list (FORCE_QUOTE, FORCE_NULL …) names the column, or is `*`.
bool lists(const tree::Option& option, std::string_view column);
/// ` (format 'csv', force_quote (a, b))`; nothing for none.
std::string printed_options(const std::vector<tree::Option>& options);

}  // namespace anabranch::rewriter
