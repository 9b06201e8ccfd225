#include "proxy/metrics.h"

#include <algorithm>
#include <limits>

namespace anabranch::proxy {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;
using Labels = std::vector<prometheus::ClientMetric::Label>;

prometheus::MetricFamily family(std::string name, std::string help, prometheus::MetricType type) {
  prometheus::MetricFamily made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.type = type;
  return made;
}

void add_value(prometheus::MetricFamily& family, Labels labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

prometheus::MetricFamily single(std::string name, std::string help, prometheus::MetricType type,
                                double value) {
  prometheus::MetricFamily made = family(std::move(name), std::move(help), type);
  add_value(made, {}, value);
  return made;
}

/// One kind's latencies over all loops, cumulative as Prometheus wants them.
prometheus::ClientMetric histogram(const std::vector<const LoopMetrics*>& loops, std::size_t kind) {
  prometheus::ClientMetric metric;
  const std::string name(to_string(static_cast<rewriter::PlanKind>(kind)));
  metric.label = {{"plan", name}};
  std::uint64_t count = 0;
  std::uint64_t total_us = 0;
  for (std::size_t i = 0; i <= LoopMetrics::bounds_us.size(); ++i) {
    for (const LoopMetrics* loop : loops) count += loop->latency[kind].buckets[i].load(relaxed);
    const double bound = i < LoopMetrics::bounds_us.size()
                             ? LoopMetrics::bounds_us[i] / 1e6
                             : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({count, bound});
  }
  for (const LoopMetrics* loop : loops) total_us += loop->latency[kind].total_us.load(relaxed);
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = static_cast<double>(total_us) / 1e6;
  return metric;
}

template <typename Number>
double sum(const std::vector<const LoopMetrics*>& loops, std::atomic<Number> LoopMetrics::* member) {
  double total = 0;
  for (const LoopMetrics* loop : loops) total += static_cast<double>((loop->*member).load(relaxed));
  return total;
}

prometheus::MetricFamily errors_of(const std::vector<const LoopMetrics*>& loops) {
  auto errors = family("anabranch_errors_total", "Errors sent to clients, by SQLSTATE.",
                       prometheus::MetricType::Counter);
  std::map<std::string, std::uint64_t> by_state;
  for (const LoopMetrics* loop : loops) {
    for (const auto& [state, count] : loop->errors()) by_state[state] += count;
  }
  for (const auto& [state, count] : by_state) {
    add_value(errors, {{"sqlstate", state}}, static_cast<double>(count));
  }
  return errors;
}

void add_pools(std::vector<prometheus::MetricFamily>& families,
               const std::vector<PoolSample>& pools) {
  using enum prometheus::MetricType;
  auto open = family("anabranch_server_connections", "Open connections to a shard.", Gauge);
  auto idle = family("anabranch_server_connections_idle", "Of these, idle in the pool.", Gauge);
  auto waits = family("anabranch_lease_waits_total", "Leases that had to wait.", Counter);
  auto seconds = family("anabranch_lease_wait_seconds_total", "Time spent waiting for leases.", Counter);
  for (const PoolSample& pool : pools) {
    const Labels labels = {{"database", pool.database}, {"shard", pool.shard}, {"role", pool.role}};
    add_value(open, labels, static_cast<double>(pool.open));
    add_value(idle, labels, static_cast<double>(pool.idle));
    add_value(waits, labels, static_cast<double>(pool.waits));
    add_value(seconds, labels, pool.wait_seconds);
  }
  for (auto* made : {&open, &idle, &waits, &seconds}) families.push_back(std::move(*made));
}

}  // namespace

void LoopMetrics::statement(rewriter::PlanKind kind, std::chrono::nanoseconds duration) {
  const auto us = static_cast<std::uint64_t>(duration.count()) / 1000;
  const auto bucket = std::ranges::lower_bound(bounds_us, us) - bounds_us.begin();
  Latency& of_kind = latency[static_cast<std::size_t>(kind)];
  // One writer: a load and a store are enough, and cheaper than a locked add.
  auto& count = of_kind.buckets[static_cast<std::size_t>(bucket)];
  count.store(count.load(relaxed) + 1, relaxed);
  of_kind.total_us.store(of_kind.total_us.load(relaxed) + us, relaxed);
}

void LoopMetrics::error(const std::string& sqlstate) {
  const std::lock_guard lock(mutex_);
  ++errors_[sqlstate];
}

std::map<std::string, std::uint64_t> LoopMetrics::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

std::vector<prometheus::MetricFamily> collect(const std::vector<const LoopMetrics*>& loops,
                                              const ProcessMetrics& process,
                                              const std::vector<PoolSample>& pools) {
  using enum prometheus::MetricType;
  std::vector<prometheus::MetricFamily> families;
  auto seconds = family("anabranch_statement_seconds",
                        "Time from a statement's arrival to its last byte, by plan kind.", Histogram);
  for (std::size_t kind = 0; kind < LoopMetrics::kinds; ++kind) {
    seconds.metric.push_back(histogram(loops, kind));
  }
  families.push_back(std::move(seconds));
  families.push_back(single("anabranch_clients", "Clients connected.", Gauge,
                            sum(loops, &LoopMetrics::clients)));
  families.push_back(single("anabranch_connections_total", "Client connections accepted.", Counter,
                            sum(loops, &LoopMetrics::connections)));
  families.push_back(single("anabranch_connections_refused_total",
                            "Clients turned away at login or by limits.", Counter,
                            sum(loops, &LoopMetrics::refused) +
                                static_cast<double>(process.turned_away.load(relaxed))));
  families.push_back(single("anabranch_logins_delayed_total",
                            "Logins that had to wait after wrong passwords.", Counter,
                            sum(loops, &LoopMetrics::logins_delayed)));
  families.push_back(single("anabranch_client_bytes_total", "Bytes sent to clients.", Counter,
                            sum(loops, &LoopMetrics::bytes_to_clients)));
  families.push_back(single("anabranch_plan_cache_hits_total", "Statements found in the plan cache.",
                            Counter, sum(loops, &LoopMetrics::cache_hits)));
  families.push_back(single("anabranch_plan_cache_misses_total", "Statements planned.", Counter,
                            sum(loops, &LoopMetrics::cache_misses)));
  families.push_back(single("anabranch_commits_unknown_total",
                            "Multi-shard commits that ended with 08007.", Counter,
                            sum(loops, &LoopMetrics::commits_unknown)));
  families.push_back(single("anabranch_spilled_bytes_total",
                            "Bytes of rows that merges put on disk, as memory did not hold them.",
                            Counter, sum(loops, &LoopMetrics::bytes_spilled)));
  families.push_back(errors_of(loops));
  add_pools(families, pools);
  families.push_back(single("anabranch_config_version", "Number of the active configuration.", Gauge,
                            static_cast<double>(process.config_version.load(relaxed))));
  families.push_back(single("anabranch_config_reload_failures_total", "Configurations refused.",
                            Counter, static_cast<double>(process.reload_failures.load(relaxed))));
  return families;
}

}  // namespace anabranch::proxy
