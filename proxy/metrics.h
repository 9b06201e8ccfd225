#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "rewriter/plan.h"

namespace anabranch::proxy {

/// What one loop counts. Written by its loop only, with relaxed atomics, so that a scrape on
/// another thread may read at any time and the hot path takes no lock.
class LoopMetrics {
 public:
  static constexpr std::size_t kinds = 8;  ///< of rewriter::PlanKind
  /// Upper bounds of the latency buckets, in microseconds; the last bucket has none.
  static constexpr std::array<std::uint32_t, 15> bounds_us = {
      100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000,
      1'000'000, 5'000'000, 30'000'000};

  void statement(rewriter::PlanKind kind, std::chrono::nanoseconds duration);
  /// Errors are rare: a lock is fine here.
  void error(const std::string& sqlstate);

  struct Latency {
    std::array<std::atomic<std::uint64_t>, bounds_us.size() + 1> buckets{};
    std::atomic<std::uint64_t> total_us{0};
  };
  std::array<Latency, kinds> latency;
  std::atomic<std::int64_t> clients{0};
  std::atomic<std::uint64_t> connections{0};        ///< ever accepted
  std::atomic<std::uint64_t> refused{0};            ///< refused before or at login
  std::atomic<std::uint64_t> logins_delayed{0};     ///< by the back-off
  std::atomic<std::uint64_t> bytes_to_clients{0};
  std::atomic<std::uint64_t> cache_hits{0};
  std::atomic<std::uint64_t> cache_misses{0};
  std::atomic<std::uint64_t> bytes_spilled{0};      ///< by merges that memory did not hold
  std::atomic<std::uint64_t> commits_unknown{0};    ///< 08007: look at the log

  std::map<std::string, std::uint64_t> errors() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> errors_;
};

/// A client that is served while this lives.
class CountedClient {
 public:
  explicit CountedClient(LoopMetrics& metrics) : metrics_(metrics) { ++metrics_.clients; }
  CountedClient(const CountedClient&) = delete;
  CountedClient& operator=(const CountedClient&) = delete;
  ~CountedClient() { --metrics_.clients; }

 private:
  LoopMetrics& metrics_;
};

/// Counters of the process that no loop owns.
struct ProcessMetrics {
  std::atomic<std::uint64_t> config_version{0};
  std::atomic<std::uint64_t> reload_failures{0};
  std::atomic<std::uint64_t> turned_away{0};  ///< before a loop had them
};

/// One pool's gauges at a moment, for the scrape.
struct PoolSample {
  std::string database;
  std::string shard;
  std::string role;
  std::int64_t open = 0;
  std::int64_t idle = 0;
  std::uint64_t waits = 0;
  double wait_seconds = 0;
};

/// Everything as Prometheus families, named anabranch_….
std::vector<prometheus::MetricFamily> collect(const std::vector<const LoopMetrics*>& loops,
                                              const ProcessMetrics& process,
                                              const std::vector<PoolSample>& pools);

}  // namespace anabranch::proxy
