#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "proxy/session_state.h"

namespace anabranch::proxy {

/// Loads the file, connects to the shards for the catalog, and runs `job` in a session of its own
/// without a client, as the first user who may use the database. `database` may be empty where the
/// file has only one. Answers an exit status; what is wrong goes to `err`. The job must not throw.
int run_offline(const std::string& config, std::string database, std::ostream& err,
                const std::function<net::Task<void>(SessionState&)>& job);

}  // namespace anabranch::proxy
