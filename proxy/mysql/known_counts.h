#pragma once

#include "proxy/mysql/state.h"

/// FOUND_ROWS() and ROW_COUNT(), as the proxy knows them (State::counts): no server's session says them of a statement
/// on several shards, or once its connection has gone home.
namespace anabranch::proxy::mysql {

/// Whether the statement means the same with numbers in the calls' places, and is no query.
bool takes_counts(const State& state, const Request& request);
/// The statement's text with the numbers. Throws where these are not known.
std::string with_counts(const State& state, const Request& request);

/// Whether answer_counts() is for this: a query of no table, which the proxy answers itself.
bool asks_for_counts(const State& state, const Request& request);
net::Task<void> answer_counts(State& state, const Request& request);

}  // namespace anabranch::proxy::mysql
