#pragma once

#include <cstdint>

#include "proxy/mysql/state.h"

/// When a session's connections go back to their pools: at the end of each command outside a transaction. What is left
/// there that the next command may ask for is noted first (LAST_INSERT_ID()), or lingers with its connection until
/// that has come, or until somebody else needs the connection (warnings, FOUND_ROWS()).
namespace anabranch::proxy::mysql {

/// At a command's end. False: something must be asked first, call rest().
bool rest_at_once(State& state);
net::Task<void> rest(State& state);
/// At a command's begin: what lingers is safe until its end.
void wake(State& state);
/// Connections that somebody waits for, and that would be home but for what lingers there. Nothing may use them, as while
/// no command runs. False: there are none.
bool let_go_of_wanted(State& state);

/// Warnings of the statement before are known to this connection's session alone: it stays until nobody can ask for
/// them any more, or somebody else needs it.
void keep_aside(State& state, backends::Lease lease);

/// Before a statement that looks back. Throws 55000 where what it looks for is gone.
void check_not_lost(const State& state, const rewriter::Plan& plan);

/// The statement that the shard has carried out may have set LAST_INSERT_ID(); `surely`: it has.
net::Task<void> note_insert(State& state, std::uint32_t shard, bool surely);
/// Before a statement that asks for LAST_INSERT_ID() is carried out there. Throws 55000 where that is gone.
net::Task<void> bring_last_insert(State& state, backends::Transaction::Enlisted& member);

}  // namespace anabranch::proxy::mysql
