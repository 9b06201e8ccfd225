#pragma once

#include <memory>

#include "conf/config.h"
#include "merge/merger.h"
#include "net/loop.h"
#include "net/task.h"
#include "proxy/metrics.h"

namespace anabranch::proxy {

/// Threads for what waits for the disk. Not those of the control plane: these wait for servers, at times for long.
net::WorkerPool& disk_threads();

/// The merge of one statement at work: on the loop's thread, until its rows go to disk; from then on
/// a step at a time on threads that may wait for one.
class MergeWork {
 public:
  using Status = merge::Merger::Status;

  /// `plan` keeps `recipe` alive. Nobody charges `budget` while next() is awaited.
  MergeWork(std::shared_ptr<const void> plan, const merge::Recipe& recipe, merge::Binding binding, std::size_t sources,
            std::shared_ptr<merge::MemoryBudget> budget, const conf::Limits& limits, LoopMetrics& metrics);

  void consume(std::size_t source, merge::Batch rows) { state_->merger.consume(source, std::move(rows)); }
  void finish(std::size_t source) { state_->merger.finish(source); }
  /// As Merger::next(): rows may be none, and there is more to do then.
  net::Task<Status> next(merge::Batch& out);

 private:
  /// A step that is on its way when the session ends has it still.
  struct State {
    State(std::shared_ptr<const void> kept, std::shared_ptr<merge::MemoryBudget> memory, const merge::Recipe& recipe,
          merge::Binding binding, std::size_t sources, const conf::Limits& limits)
        : plan(std::move(kept)),
          budget(std::move(memory)),
          spill(limits.spill_directory, limits.spill),
          merger(recipe, std::move(binding), sources, *budget, &spill) {}

    std::shared_ptr<const void> plan;
    std::shared_ptr<merge::MemoryBudget> budget;
    merge::Spill spill;
    merge::Merger merger;
    merge::Batch rows;
  };
  std::shared_ptr<State> state_;
  LoopMetrics* metrics_;
  std::uint64_t counted_ = 0;  ///< of the bytes on disk
};

}  // namespace anabranch::proxy
