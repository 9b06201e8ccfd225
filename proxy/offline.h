#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "proxy/session_state.h"

namespace anabranch::proxy {

/// What is done in a session of each kind's. Neither may throw.
struct OfflineJob {
  std::function<net::Task<void>(SessionState&)> postgres;
  std::function<net::Task<void>(Worker&, Login)> mysql = nullptr;  ///< null: databases of that kind are turned down
};

/// Loads the file, connects to the shards for the catalog, and runs `job` in a session of its own
/// without a client, as the first user who may use the database. `database` may be empty where the
/// file has only one. Answers an exit status; what is wrong goes to `err`.
int run_offline(const std::string& config, std::string database, std::ostream& err,
                const OfflineJob& job);

}  // namespace anabranch::proxy
