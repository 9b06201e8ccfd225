#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// Several shards' subqueries, and their rows made into one answer, which goes to the client. Throws the first
/// shard's error, once nothing of the statement runs any more (an ERR packet may follow rows); SessionLost where the
/// client is lost.
net::Task<void> run_scatter(State& state, Request& request);

}  // namespace anabranch::proxy::mysql
