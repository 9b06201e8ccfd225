#pragma once

#include "proxy/mysql/state.h"

/// What the session knows of the statement before: its warnings and errors, its counts of rows.
namespace anabranch::proxy::mysql {

/// SHOW WARNINGS, and whatever else must find a server's session as the statement before has left it.
bool looks_back(const rewriter::Plan& plan);

/// Servers forget the warnings and errors of the statement before when they carry this one out, or prepare it.
bool forgets_diagnostics(const rewriter::Plan& plan);

/// The connection whose session has the warnings and errors of the statement before. What the proxy itself has
/// refused, a server is told first. Throws where several shards have them.
net::Task<backends::Transaction::Enlisted*> last_connection(State& state);

/// Throws 1305 where the default shard has no such procedure. `sql`: SHOW CREATE PROCEDURE.
net::Task<void> check_procedure(State& state, std::string sql);

}  // namespace anabranch::proxy::mysql
