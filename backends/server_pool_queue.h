#pragma once

#include <chrono>
#include <memory>

#include "backends/server_pool.h"

/// Who waits for a lease. Internal to ServerPool.
namespace anabranch::backends {

/// Somebody in the queue, and what he was given.
struct ServerPool::Waiting {
  net::Signal signal;
  std::uint64_t since_ms = 0;  // of the loop's clock
  bool queued = true;          // false once it has been given something
  bool holds_leases = false;
  ServerConnection* given = nullptr;
  bool slot = false;
  bool gives_way = false;
  bool timed_out = false;
  std::uint64_t wait = 0;  // in the graph; 0: not there
};

/// A place in the queue: left when the waiting coroutine goes on, or is destroyed.
class ServerPool::Place {
 public:
  Place(std::shared_ptr<ServerPool> pool, std::shared_ptr<Waiting> waiting);
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place();

 private:
  std::shared_ptr<ServerPool> pool_;
  std::shared_ptr<Waiting> waiting_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace anabranch::backends
