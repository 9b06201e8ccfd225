#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "conf/config.h"
#include "merge/memory_budget.h"
#include "merge/spilled_rows.h"
#include "net/task.h"
#include "proxy/metrics.h"

namespace anabranch::proxy {

/// Rows kept apart by where they go, until all have come: half of limits.query_memory of them in memory, the others on
/// disk within limits.spill. First all are added, then all are read, each destination's in the order in which they
/// came. The session's loop; what touches the disk runs on threads that may wait for it.
class HeldRows {
 public:
  HeldRows(std::size_t destinations, const conf::Limits& limits, LoopMetrics& metrics);

  /// Does not wait: call settle() after a few.
  void add(std::size_t destination, const merge::Batch& rows, std::size_t row);
  /// Puts what is too much on disk. Throws SqlError: 53200 beyond the limits, 53100, 58030.
  net::Task<void> settle();
  bool empty(std::size_t destination) const;
  /// The next rows of that destination in place of `out`'s; false: none are left.
  net::Task<bool> next(std::size_t destination, merge::Batch& out);

 private:
  /// A step that is on its way when the session ends has it still.
  struct State {
    State(std::size_t destinations, const conf::Limits& limits)
        : budget(limits.query_memory), spill(limits.spill_directory, limits.spill), memory(destinations), disk(destinations) {}

    merge::MemoryBudget budget;
    merge::Spill spill;
    std::vector<merge::Batch> memory;
    std::vector<std::optional<merge::SpilledRows>> disk;  ///< these came before those in memory
    merge::Batch read;
  };
  static void put_on_disk(State& state);

  std::shared_ptr<State> state_;
  LoopMetrics* metrics_;
  std::size_t bytes_ = 0;  ///< in memory
};

}  // namespace anabranch::proxy
