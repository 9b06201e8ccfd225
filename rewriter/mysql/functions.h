#pragma once

#include "rewriter/functions.h"

/// MySQL's and MariaDB's own functions, by name: what a call may depend on. A name that is not among them is a
/// stored function's, which may read tables.
namespace anabranch::rewriter::mysql {

/// What `functions:` of the configuration says of a stored function or procedure; null: nothing.
const conf::Function* find_declared(std::string_view name, const FunctionContext& context);

/// NOW() and its like: what they answer is the same wherever `timestamp` is set.
bool is_moment(std::string_view name);
FunctionInfo classify(const tree::FunctionCall& call, const FunctionContext& context);

}  // namespace anabranch::rewriter::mysql
