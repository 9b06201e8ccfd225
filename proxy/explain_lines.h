#pragma once

#include <string>
#include <vector>

#include "proxy/session_state.h"
#include "proxy/statement.h"

namespace anabranch::proxy {

/// The text of an EXPLAIN whose plan is in `execution`: what would run where and why, and, where
/// `with_shard_plan`, the first asked shard's own plan of its subquery; with ANALYZE every shard's, which has
/// then carried it out. Throws 0A000 for what ANALYZE cannot carry out so.
net::Task<std::vector<std::string>> explain_lines(SessionState& state, Execution& execution,
                                                  bool with_shard_plan);

}  // namespace anabranch::proxy
