#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// Statements that concern the session itself: transactions, settings, USE, SHOW WARNINGS. Writes their answer.
/// False: an error was passed on.
net::Task<bool> run_session_command(State& state, Request& request);

/// USE, COM_INIT_DB: of the session's own database, which the default shard says what there is to say about.
net::Task<void> use_database(State& state, std::string_view name);

/// A statement may have set the user variable on that shard: no other has its value.
void forget_variable(State& state, backends::Transaction::Enlisted& member, std::string_view lower_case_name);

/// What the session's first connection says of its server; throws where the session cannot be served.
net::Task<void> begin_session(State& state);

}  // namespace anabranch::proxy::mysql
