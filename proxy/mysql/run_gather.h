#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// A query whose rows are gathered: shards' rows go to temporary tables of the default shard (the workspace), which
/// answers the client. False: the client has been told an error. Throws what a shard or the workspace says before, once
/// nothing of the statement runs any more; SessionLost where the client is lost.
net::Task<bool> run_gather(State& state, Request& request);

}  // namespace anabranch::proxy::mysql
