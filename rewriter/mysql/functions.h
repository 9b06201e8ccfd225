#pragma once

#include "rewriter/functions.h"

/// MySQL's and MariaDB's own functions, by name: what a call may depend on. A name that is not among them is a
/// stored function's, which may read tables.
namespace anabranch::rewriter::mysql {

FunctionInfo classify(const tree::FunctionCall& call, const FunctionContext& context);

}  // namespace anabranch::rewriter::mysql
