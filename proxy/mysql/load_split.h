#pragma once

#include "net/task.h"
#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// LOAD DATA LOCAL INFILE into a table of several shards (Plan::load): the client's file is cut into rows, each of which
/// goes to its own shard. Throws SqlError for what the client is to be told; all of its file has then been read.
net::Task<void> run_load_split(State& state, const Request& request);

}  // namespace anabranch::proxy::mysql
