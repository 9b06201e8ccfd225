#pragma once

#include <span>
#include <string>
#include <vector>

#include "proxy/mysql/state.h"

/// Small conversations with several shards at once.
namespace anabranch::proxy::mysql {

using Members = std::span<backends::Transaction::Enlisted* const>;

/// Has each member carry out its own text, and answers their results in the members' order. A cancel of the statement
/// reaches them. Throws the first member's failure once all have answered. `members` must outlive this.
net::Task<std::vector<backends::CommandResult>> ask_all(State& state, Members members, std::vector<std::string> texts);
/// The same text.
net::Task<std::vector<backends::CommandResult>> ask_all(State& state, Members members, std::string text);

}  // namespace anabranch::proxy::mysql
