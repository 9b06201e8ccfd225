#pragma once

#include <span>

#include "proxy/mysql/state.h"

namespace anabranch::proxy::mysql {

/// A statement over several shards that asks for its own moment (Plan::one_moment): all are told the first one's.
class StatementTime {
 public:
  using Members = std::span<backends::Transaction::Enlisted* const>;

  /// Nothing where each session has been told a moment by its client (SET timestamp). Throws SqlError 08006 and
  /// ServerError.
  net::Task<void> set(State& state, Members members);
  /// The same for shards that take part one after the other: the first one gives the moment.
  net::Task<void> set_next(State& state, backends::Transaction::Enlisted& member);
  /// Their own clocks count again. What cannot be told so is closed.
  net::Task<void> reset(Members members);

 private:
  std::string moment_;  ///< seconds since 1970
};

}  // namespace anabranch::proxy::mysql
