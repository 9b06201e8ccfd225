#include "backends/health.h"

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

#include "backends/mysql_control_connection.h"
#include "net/fault.h"

namespace anabranch::backends {

namespace {

std::vector<ShardHealth> list_shards(const conf::Config& config) {
  std::vector<ShardHealth> list;
  for (const conf::Database& database : config.databases) {
    for (const conf::Shard& shard : database.shards) {
      ShardHealth health;
      health.database = database.name;
      health.shard = shard.name;
      health.address = shard.primary.address.text();
      list.push_back(std::move(health));
    }
  }
  return list;
}

std::string_view reason_of(PGPing answer) {
  switch (answer) {
    case PQPING_OK:
      return {};
    case PQPING_REJECT:
      return "it does not take connections";
    case PQPING_NO_RESPONSE:
      return "no answer";
    case PQPING_NO_ATTEMPT:
      return "it could not be asked";
  }
  return "it could not be asked";
}

PGPing ping(const conf::Address& address) {
  const std::string port = std::to_string(address.port);
  const char* const names[] = {"host", "port", "connect_timeout", "dbname", nullptr};
  const char* const values[] = {address.host.c_str(), port.c_str(), "2", "postgres", nullptr};
  return PQpingParams(names, values, 0);
}

/// Why a primary takes no connections; empty: it does.
std::string find_trouble(const conf::Database& database, const conf::Shard& shard) {
  if (database.kind == conf::Kind::postgres) return std::string(reason_of(ping(shard.primary.address)));
  const auto index = static_cast<std::uint32_t>(&shard - database.shards.data());
  Server server = control_server(database, index, {}, database.name);
  server.connect_timeout = std::min(server.connect_timeout, conf::Milliseconds(2000));
  return MysqlControlConnection::find_trouble(server);
}

bool same_place(const ShardHealth& left, const ShardHealth& right) {
  return left.database == right.database && left.shard == right.shard &&
         left.address == right.address;
}

}  // namespace

HealthMonitor::HealthMonitor(std::shared_ptr<const conf::Config> config,
                             std::chrono::milliseconds interval)
    : config_(std::move(config)), interval_(interval), shards_(list_shards(*config_)) {
  thread_ = std::thread([this] { run(); });
}

HealthMonitor::~HealthMonitor() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void HealthMonitor::update(std::shared_ptr<const conf::Config> config) {
  std::vector<ShardHealth> list = list_shards(*config);
  {
    const std::scoped_lock lock(mutex_);
    for (ShardHealth& health : list) {
      const auto known = std::ranges::find_if(
          shards_, [&](const ShardHealth& before) { return same_place(before, health); });
      if (known != shards_.end()) health = *known;
    }
    config_ = std::move(config);
    shards_ = std::move(list);
    changed_ = true;
  }
  wake_.notify_all();
}

std::vector<ShardHealth> HealthMonitor::shards() const {
  const std::scoped_lock lock(mutex_);
  return shards_;
}

bool HealthMonitor::all_up() const {
  const std::scoped_lock lock(mutex_);
  return std::ranges::all_of(shards_, &ShardHealth::up);
}

void HealthMonitor::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    changed_ = false;
    const auto config = config_;
    lock.unlock();
    net::guarded("a round of health checks", [&] { probe_all(*config); });
    lock.lock();
    wake_.wait_for(lock, interval_, [this] { return stop_ || changed_; });
  }
}

void HealthMonitor::probe_all(const conf::Config& config) {
  for (const conf::Database& database : config.databases) {
    for (const conf::Shard& shard : database.shards) {
      const std::string trouble = find_trouble(database, shard);
      const std::scoped_lock lock(mutex_);
      if (stop_) return;
      for (ShardHealth& health : shards_) {
        if (health.database != database.name || health.shard != shard.name ||
            health.address != shard.primary.address.text()) {
          continue;
        }
        health.known = true;
        health.up = trouble.empty();
        health.reason = trouble;
        health.failures = health.up ? 0 : health.failures + 1;
      }
    }
  }
}

}  // namespace anabranch::backends
