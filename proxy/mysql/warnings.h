#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// SHOW WARNINGS, SHOW ERRORS and SHOW COUNT(*) of either (`text`), of a statement that has left warnings on several
/// shards (State::warned): those of one shard after those of another, or in the order of the rows that they
/// name (State::row_numbers); no more than a server keeps; numbers are added.
net::Task<void> show_all_warnings(State& state, std::string text);

}  // namespace anabranch::proxy::mysql
