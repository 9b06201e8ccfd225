#pragma once

#include "backends/mysql_rows.h"
#include "backends/streams.h"
#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// Several shards' subqueries, and their rows made into one answer, which goes to the client. Throws the first
/// shard's error, once nothing of the statement runs any more (an ERR packet may follow rows); SessionLost where the
/// client is lost.
net::Task<void> run_scatter(State& state, Request& request);

/// A statement has failed: cancels what of its rows still comes, so that nothing of it runs on when its error is told.
net::Task<void> stop_rows(backends::Streams<backends::MysqlRowStream>& streams);

/// sql_select_limit would cut what each shard gives. Throws 0A000 where it is set.
void check_select_limit(const State& state);

}  // namespace anabranch::proxy::mysql
