#pragma once

#include <string>
#include <vector>

#include "proxy/client_login.h"
#include "proxy/worker.h"

namespace anabranch::proxy::mysql {

/// The plan of a statement in a database of MySQL's, for a session without a client. The lines that EXPLAIN would
/// show of it. Throws SqlError, a refusal too.
net::Task<std::vector<std::string>> explain_offline(Worker& worker, Login login, std::string sql);

}  // namespace anabranch::proxy::mysql
