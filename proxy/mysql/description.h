#pragma once

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// What the default shard says of a statement's columns, by preparing it. Throws its error.
net::Task<rewriter::Description> describe(State& state, rewriter::NeedDescribe::Ask ask);

/// A column as the payload of its definition tells it. Throws 08P01 where that is malformed.
rewriter::ResultColumn result_column(std::string definition, net::mysql::Capabilities capabilities);

}  // namespace anabranch::proxy::mysql
