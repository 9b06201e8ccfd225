#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// CHECK TABLE, ANALYZE TABLE, CHECKSUM TABLE… of tables of several shards: each is asked, and what they say of a
/// table is told once.
net::Task<void> maintain(State& state, const Request& request);

}  // namespace anabranch::proxy::mysql
