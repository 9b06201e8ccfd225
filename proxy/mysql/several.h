#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// Writes and definitions on several shards: all of them, or none; answers one OK. Definitions go from shard to
/// shard, each of which commits for itself.
net::Task<void> run_on_several(State& state, Request& request);

/// EXPLAIN of what several shards would carry out: the proxy's plan, a line a row.
void explain(State& state, const Request& request);

rewriter::BindRequest bind_request(State& state, const Request& request);
/// Has every key that binding the request's plan, or the one that it explains, will want looked up.
net::Task<void> look_up_keys(State& state, const Request& request);

}  // namespace anabranch::proxy::mysql
