#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "loop.h"
#include "model.h"

namespace interleave {

/// A session has seen what it should not have seen. The message is the report.
struct Difference : std::runtime_error {
  using runtime_error::runtime_error;
};

/// What all sessions share.
struct World {
  World(Loop& on, std::string where) : loop(on), conninfo(std::move(where)) {}

  Loop& loop;
  std::string conninfo;  ///< of the proxy, without the database
  std::uint64_t seed = 1;
  Clock::time_point end = {};
  Values defaults;  ///< of every setting, as a server itself says
  std::set<std::string> disabled;  ///< names of step kinds

  std::uint64_t steps = 0;
  std::uint64_t connections = 0;
  /// Waits that the proxy has ended because they went in a circle (53300): the statement failed, and
  /// the session went on.
  std::uint64_t gave_way = 0;
  std::map<std::string, std::uint64_t> steps_by_kind;
  /// Advisory locks that several sessions want: key → the session that has it.
  std::map<std::int64_t, int> contested;

  bool over() const { return Clock::now() >= end; }
};

}  // namespace interleave
