#pragma once

#include "proxy/mysql/state.h"

/// LOCK TABLES over shards: each is told of the tables that it has.
namespace anabranch::proxy::mysql {

/// Ends the transaction, and the locks before it.
net::Task<void> lock_tables(State& state, const rewriter::Plan& plan);
/// Of every shard that the session has touched; FLUSH TABLES … WITH READ LOCK's, too.
net::Task<void> unlock_tables(State& state);
/// START TRANSACTION releases LOCK TABLES' locks, on shards that it never reaches, too.
net::Task<void> unlock_for_transaction(State& state);

}  // namespace anabranch::proxy::mysql
