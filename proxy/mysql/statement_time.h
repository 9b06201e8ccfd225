#pragma once

#include <string>

#include "proxy/mysql/ask_all.h"

namespace anabranch::proxy::mysql {

/// A statement over several shards that asks for its own moment (Plan::one_moment): all are told the first one's.
class StatementTime {
 public:
  /// May be called again for shards that take part later: the moment stays the first one's. Nothing where each session
  /// has been told a moment by its client (SET timestamp). Throws SqlError 08006 and ServerError.
  net::Task<void> set(State& state, Members members);
  /// What they were told; empty: nothing.
  const std::string& moment() const { return moment_; }
  /// Their own clocks count again. What cannot be told so is closed.
  net::Task<void> reset(Members members);

 private:
  std::string moment_;  ///< seconds since 1970
};

}  // namespace anabranch::proxy::mysql
