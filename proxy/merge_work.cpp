#include "proxy/merge_work.h"

#include <utility>

namespace anabranch::proxy {

net::WorkerPool& disk_threads() {
  static auto* pool = new net::WorkerPool(2, "disk");
  return *pool;
}

MergeWork::MergeWork(std::shared_ptr<const void> plan, const merge::Recipe& recipe, merge::Binding binding,
                     std::size_t sources, std::shared_ptr<merge::MemoryBudget> budget, const conf::Limits& limits,
                     LoopMetrics& metrics)
    : state_(std::make_shared<State>(std::move(plan), std::move(budget), recipe, std::move(binding), sources, limits)),
      metrics_(&metrics) {}

net::Task<MergeWork::Status> MergeWork::next(merge::Batch& out) {
  if (!state_->spill.begun()) co_return state_->merger.next(out);
  const Status status = co_await net::run_on_worker([state = state_] { return state->merger.next(state->rows); }, {}, &disk_threads());
  out.clear();
  out.swap(state_->rows);
  const std::uint64_t written = state_->spill.written();
  metrics_->bytes_spilled.fetch_add(written - std::exchange(counted_, written), std::memory_order_relaxed);
  co_return status;
}

}  // namespace anabranch::proxy
