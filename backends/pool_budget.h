#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/pool.h"

namespace anabranch::backends {

/// What the loops share of one (server, user): how many connections there may be, who lacks one,
/// and the counters. Any thread.
///
/// A pool that has waiters and no slot is *hungry*: it queues here, and a slot that comes free
/// goes to the first in the queue. It is *urgent* while it has less than its share (the size over
/// the number of pools): then other loops give up connections for it as soon as they can. One slot
/// beyond the size is for sessions that already hold leases.
class PoolBudget : public std::enable_shared_from_this<PoolBudget> {
 public:
  PoolBudget(Server of, std::uint32_t connections)
      : server(std::move(of)), metrics(std::make_shared<PoolMetrics>()), size_(connections) {}

  const Server server;
  const std::shared_ptr<PoolMetrics> metrics;

  std::uint32_t size() const { return size_; }
  std::uint32_t open() const { return metrics->open; }
  bool over_size() const { return open() > size(); }
  bool has_urgent() const { return urgent_ > 0; }
  bool has_hungry() const { return hungry_count_ > 0; }

  void join(const std::shared_ptr<ServerPool>& pool);
  void leave(const ServerPool* pool);
  /// The connections that one loop may always have.
  std::uint32_t share() const;
  bool fewer_slots_than_pools() const { return size_ < members_count_; }

  /// A slot for a new connection. False while others stand in the queue.
  bool take(bool holds_leases);
  /// Gives a slot back: it goes to a hungry pool, by a posted grant.
  void put();
  /// Queues the pool, or changes its entry; urgent ones make other pools look for idle connections.
  void hunger(const std::shared_ptr<ServerPool>& pool, bool urgent, bool holds_leases);
  void sated(const ServerPool* pool);
  void resize(std::uint32_t connections);

 private:
  struct Member {
    const ServerPool* key = nullptr;
    std::weak_ptr<ServerPool> pool;
    std::shared_ptr<net::Mailbox> mailbox;
  };
  struct Hungry {
    const ServerPool* key = nullptr;
    bool urgent = false;
    bool holds_leases = false;
  };
  bool grant_one();   // one slot that is counted in `open` already
  void grant_free();  // those that are not
  void count_hungry();
  Member* member(const ServerPool* pool);

  mutable std::mutex mutex_;
  std::atomic<std::uint32_t> size_;
  std::atomic<std::uint32_t> members_count_{0};
  std::atomic<std::uint32_t> urgent_{0};
  std::atomic<std::uint32_t> hungry_count_{0};
  std::vector<Member> members_;
  std::deque<Hungry> hungry_;
};

}  // namespace anabranch::backends
