#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// Statements that concern the session itself: transactions, settings, USE, SHOW WARNINGS. Writes their answer.
/// False: an error was passed on.
net::Task<bool> run_session_command(State& state, Request& request);

/// The connection that computes what a session's statement is given, or says whether it likes a setting: the one that
/// knows what is asked for, or one of the transaction, else the default shard's.
net::Task<backends::Transaction::Enlisted*> first_connection(State& state, const rewriter::Plan& plan);

/// USE, COM_INIT_DB: of the session's own database, which the default shard says what there is to say about.
net::Task<void> use_database(State& state, std::string_view name);

/// What the session's first connection says of its server; throws where the session cannot be served.
net::Task<void> begin_session(State& state);

}  // namespace anabranch::proxy::mysql
