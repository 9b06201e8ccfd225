#include "backends/pool_budget.h"

#include <algorithm>
#include <utility>

#include "backends/server_pool.h"

namespace anabranch::backends {

void PoolBudget::join(const std::shared_ptr<ServerPool>& pool) {
  const std::scoped_lock lock(mutex_);
  members_.push_back({pool.get(), pool, net::Loop::current().mailbox()});
  members_count_ = static_cast<std::uint32_t>(members_.size());
}

void PoolBudget::leave(const ServerPool* pool) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(members_, [&](const Member& member) { return member.key == pool; });
  std::erase_if(hungry_, [&](const Hungry& entry) { return entry.key == pool; });
  members_count_ = static_cast<std::uint32_t>(members_.size());
  count_hungry();
}

std::uint32_t PoolBudget::share() const {
  return std::max(1U, size_ / std::max(1U, members_count_.load()));
}

PoolBudget::Member* PoolBudget::member(const ServerPool* pool) {
  for (Member& candidate : members_) {
    if (candidate.key == pool) return &candidate;
  }
  return nullptr;
}

void PoolBudget::count_hungry() {
  hungry_count_ = static_cast<std::uint32_t>(hungry_.size());
  urgent_ = static_cast<std::uint32_t>(std::ranges::count_if(hungry_, &Hungry::urgent));
}

bool PoolBudget::take(bool holds_leases) {
  const std::scoped_lock lock(mutex_);
  const bool reserved = holds_leases && metrics->open < size_ + 1;
  if (!reserved && (!hungry_.empty() || metrics->open >= size_)) return false;
  ++metrics->open;
  return true;
}

void PoolBudget::put() {
  const std::scoped_lock lock(mutex_);
  if (!grant_one()) --metrics->open;
}

bool PoolBudget::grant_one() {
  while (!hungry_.empty()) {
    const bool within = metrics->open <= size_;
    auto next = within ? std::ranges::find_if(hungry_, &Hungry::urgent)
                       : std::ranges::find_if(hungry_, &Hungry::holds_leases);
    if (within && next == hungry_.end()) next = hungry_.begin();
    if (next == hungry_.end() || metrics->open > size_ + 1) return false;
    const Member* to = member(next->key);
    hungry_.erase(next);
    count_hungry();
    if (to && to->mailbox->post([pool = to->pool, budget = shared_from_this()] {
          if (const auto alive = pool.lock()) {
            alive->on_grant();
          } else {
            budget->put();
          }
        })) {
      return true;
    }
  }
  return false;
}

void PoolBudget::grant_free() {
  while (!hungry_.empty()) {
    ++metrics->open;
    if (grant_one()) continue;
    --metrics->open;
    return;
  }
}

void PoolBudget::hunger(const std::shared_ptr<ServerPool>& pool, bool urgent, bool holds_leases) {
  const std::scoped_lock lock(mutex_);
  const auto entry = std::ranges::find(hungry_, pool.get(), &Hungry::key);
  if (entry != hungry_.end()) {
    entry->urgent = urgent;
    entry->holds_leases |= holds_leases;
  } else {
    hungry_.push_back({pool.get(), urgent, holds_leases});
  }
  count_hungry();
  // A slot may have come free since the caller asked for one.
  grant_free();
  if (!urgent || std::ranges::find(hungry_, pool.get(), &Hungry::key) == hungry_.end()) return;
  for (const Member& other : members_) {
    if (other.key == pool.get()) continue;
    other.mailbox->post([weak = other.pool] {
      if (const auto alive = weak.lock()) alive->give_up_idle();
    });
  }
}

void PoolBudget::sated(const ServerPool* pool) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(hungry_, [&](const Hungry& entry) { return entry.key == pool; });
  count_hungry();
}

void PoolBudget::resize(std::uint32_t connections) {
  const std::scoped_lock lock(mutex_);
  size_ = connections;
  grant_free();
}

}  // namespace anabranch::backends
