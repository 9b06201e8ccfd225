#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// What the default shard says of a statement's columns, by preparing it. Throws its error.
net::Task<rewriter::Description> describe(State& state, rewriter::NeedDescribe::Ask ask);

}  // namespace anabranch::proxy::mysql
