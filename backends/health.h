#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "conf/config.h"

namespace anabranch::backends {

struct ShardHealth {
  std::string database;
  std::string shard;
  std::string address;
  bool known = false;  // has been probed
  bool up = false;
  std::string reason;          // why not
  std::uint32_t failures = 0;  // in a row
};

/// Asks every primary, again and again, whether it takes connections, from a thread of its own: libpq's PQping,
/// which needs no login, and logins at MySQL's servers, which lock out who hangs up without one.
class HealthMonitor {
 public:
  HealthMonitor(std::shared_ptr<const conf::Config> config, std::chrono::milliseconds interval);
  ~HealthMonitor();
  HealthMonitor(const HealthMonitor&) = delete;
  HealthMonitor& operator=(const HealthMonitor&) = delete;

  /// After a reload.
  void update(std::shared_ptr<const conf::Config> config);
  /// A copy; any thread.
  std::vector<ShardHealth> shards() const;
  /// All shards are known to be up.
  bool all_up() const;

 private:
  void run();
  void probe_all(const conf::Config& config);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const conf::Config> config_;
  std::chrono::milliseconds interval_;
  std::vector<ShardHealth> shards_;
  bool stop_ = false;
  bool changed_ = false;  // probe at once
  std::thread thread_;
};

}  // namespace anabranch::backends
