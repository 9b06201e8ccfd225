#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace anabranch::backends {

class PoolBudget;

/// A session, as its leases see it: one per session, on its loop. It knows from which pools the
/// session holds connections, so that transactions that wait for each other are found.
class Holder {
 public:
  Holder();
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  /// Greater is younger; renewed when the session takes its first lease.
  std::uint64_t age() const { return age_; }
  /// Never that of another session, nor 0.
  std::uint64_t id() const { return id_; }
  /// It has left currval() on some connection: that one is lent to it again, while nobody else has
  /// had it.
  void left_sequences() { left_sequences_ = true; }
  bool has_left_sequences() const { return left_sequences_; }
  bool holds_any() const { return !held_.empty(); }
  const std::vector<const PoolBudget*>& held() const { return held_; }
  void took(const PoolBudget* pool);
  void gave_back(const PoolBudget* pool);

 private:
  std::vector<const PoolBudget*> held_;
  std::uint64_t age_ = 0;
  const std::uint64_t id_;
  bool left_sequences_ = false;
};

/// The waits of transactions that hold connections while they wait for another. A wait is hopeless
/// when every connection of the pool it waits for is held by waits that are hopeless too; then the
/// youngest of these must give way. Any thread.
class WaitGraph {
 public:
  /// Called (with the graph's lock held) on the wait that must fail: post, do not act.
  using GiveWay = std::function<void()>;

  /// Registers a wait for `pool`; may call give_way of this or another wait.
  std::uint64_t wait(const Holder& holder, const PoolBudget* pool, GiveWay give_way);
  void done(std::uint64_t wait);
  std::size_t size() const;

 private:
  struct Entry {
    std::uint64_t age = 0;
    std::vector<const PoolBudget*> held;
    const PoolBudget* wanted = nullptr;
    GiveWay give_way;
    bool told = false;
  };
  void break_cycles();

  mutable std::mutex mutex_;
  std::uint64_t next_ = 0;
  std::unordered_map<std::uint64_t, Entry> waits_;
};

}  // namespace anabranch::backends
