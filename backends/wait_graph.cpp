#include "backends/wait_graph.h"

#include <algorithm>
#include <atomic>
#include <unordered_set>
#include <utility>

#include "backends/pool_budget.h"

namespace anabranch::backends {

namespace {

std::atomic<std::uint64_t> next_age{1};

}  // namespace

Holder::Holder() : age_(next_age++), id_(age_ + 1) {
  held_.reserve(8);
}

void Holder::took(const PoolBudget* pool) {
  if (held_.empty()) age_ = next_age.fetch_add(1, std::memory_order_relaxed);
  held_.push_back(pool);
}

void Holder::gave_back(const PoolBudget* pool) {
  const auto found = std::ranges::find(held_, pool);
  if (found == held_.end()) return;
  *found = held_.back();
  held_.pop_back();
}

std::uint64_t WaitGraph::wait(const Holder& holder, const PoolBudget* pool, GiveWay give_way) {
  const std::scoped_lock lock(mutex_);
  const std::uint64_t id = ++next_;
  waits_.emplace(id, Entry{holder.age(), holder.held(), pool, std::move(give_way), false});
  break_cycles();
  return id;
}

void WaitGraph::done(std::uint64_t wait) {
  const std::scoped_lock lock(mutex_);
  waits_.erase(wait);
}

std::size_t WaitGraph::size() const {
  const std::scoped_lock lock(mutex_);
  return waits_.size();
}

// Waits that can still be served are taken out until nothing changes: those for a pool of which
// somebody outside the remaining waits has a connection (he will give it back), or which is not
// full. What remains waits for itself.
void WaitGraph::break_cycles() {
  std::unordered_set<Entry*> hopeless;
  for (auto& [id, entry] : waits_) {
    // One that was told to give way is about to give back what it holds.
    if (!entry.told) hopeless.insert(&entry);
  }
  for (bool changed = true; changed && !hopeless.empty();) {
    std::unordered_map<const PoolBudget*, std::uint32_t> held;
    for (const Entry* entry : hopeless) {
      for (const PoolBudget* pool : entry->held) ++held[pool];
    }
    changed = std::erase_if(hopeless, [&](const Entry* entry) {
                const std::uint32_t open = entry->wanted->open();
                return held[entry->wanted] < open || open < entry->wanted->size();
              }) > 0;
  }
  const auto youngest =
      std::ranges::max_element(hopeless, {}, [](const Entry* entry) { return entry->age; });
  if (youngest == hopeless.end()) return;
  (*youngest)->told = true;
  (*youngest)->give_way();
}

}  // namespace anabranch::backends
