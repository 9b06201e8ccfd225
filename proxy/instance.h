#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/health.h"
#include "backends/pool.h"
#include "backends/user_source.h"
#include "net/loop.h"
#include "net/tls.h"
#include "proxy/greetings.h"
#include "proxy/mysql/greetings.h"
#include "proxy/log.h"
#include "proxy/login_backoff.h"
#include "proxy/lookups.h"
#include "proxy/metrics.h"
#include "proxy/moment.h"
#include "proxy/snapshot.h"
#include "proxy/verifier_cache.h"
#include "proxy/worker.h"

namespace anabranch::proxy {

/// The process: what all loops share. Snapshots are immutable and swapped whole; everything else
/// here is atomic or under a mutex that no statement takes.
class Instance {
 public:
  Instance();
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  /// Starts one loop a thread; call once, after the first publish().
  void start_loops(std::uint32_t threads);
  /// Stops and joins them; sessions must have ended.
  void stop_loops();

  // --- what statements run under ---

  std::shared_ptr<const Snapshot> snapshot() const;
  std::uint64_t serial() const { return serial_.load(std::memory_order_acquire); }

  /// Validates maps, loads catalogs (blocking) and publishes. Errors: sentences; nothing changed.
  /// The rows of the databases named by `moved` are looked at first.
  std::expected<void, std::vector<std::string>> install(std::shared_ptr<const conf::Config> config,
                                                        const std::set<std::string>& moved = {});
  /// Reads the file again and installs it if it may be (design section 4). Blocking; logs.
  bool reload(const std::string& file);

  /// Loads a database's catalog anew and publishes it; afterwards every statement on every loop
  /// sees it. Blocking; any thread. Empty: done. Otherwise why not.
  std::string refresh_catalog(const std::string& database);
  net::Task<std::string> refresh_catalog_on_worker(std::string database);
  /// Asks the shards for the epochs they remember, and publishes which maps are outdated. Blocking.
  void check_epochs();
  net::Task<void> check_epochs_on_worker();
  net::Task<bool> reload_on_worker(std::string file);
  /// Some of these blocking calls have not ended: the instance must not be destroyed.
  bool busy() const { return calls_ > 0; }
  /// Databases whose catalog has not been loaded yet, for retries and /readyz.
  std::vector<std::string> missing_catalogs() const;

  /// For a catalog that one session reads for itself, and the state that holds it.
  std::uint64_t next_catalog_version() { return next_catalog_++; }
  std::uint64_t next_state_version() { return next_state_++; }

  /// For moments at which all loops stand still (proxy/moment.h).
  Turnstile& moments() { return moments_; }
  std::size_t loop_count() const { return loops_.size(); }
  /// Posts it to each.
  void post_to_all(const std::function<void(Worker&)>& job);

  // --- services ---

  backends::PoolRegistry& pool_registry() { return registry_; }
  ProcessMetrics& process_metrics() { return process_metrics_; }
  std::shared_ptr<net::TlsContext> tls() const;
  const std::string& mock_nonce() const { return mock_nonce_; }
  VerifierCache& verifiers() { return verifiers_; }
  LoginBackoff& backoff() { return backoff_; }
  LookupChanges& lookup_changes() { return lookup_changes_; }
  Greetings& greetings() { return greetings_; }
  mysql::Greetings& mysql_greetings() { return mysql_greetings_; }
  const std::shared_ptr<backends::UserSource>& user_source() { return user_source_; }
  LoopMetrics& metrics_of(std::uint32_t worker) { return *loop_metrics_[worker]; }
  std::size_t client_count() const;
  std::string metrics_text() const;
  std::string status_page() const;
  std::vector<std::string> not_ready() const;

  // --- clients ---

  /// Hands a connection to the next loop, or sends it away at once where too many have not logged in
  /// yet.
  void adopt(net::UniqueFd fd, conf::Kind protocol);
  void cancel(std::int32_t process, std::int32_t secret);
  /// Runs `job` on the loop whose session has that number; false: no loop gives such numbers out.
  bool post_to(std::int32_t process, std::move_only_function<void(Worker&)> job);
  void drain();
  void end_all_sessions();
  /// Runs `job` on a loop's thread.
  void post(std::size_t loop, std::move_only_function<void(Worker&)> job);

 private:
  struct LoopSlot {
    std::unique_ptr<net::LoopThread> thread;
    Worker* worker = nullptr;  ///< owned by its loop's thread
  };
  class Call;
  class Hold;
  /// What reload() does; the error says why the file is refused.
  std::expected<void, std::vector<std::string>> load_and_install(const std::string& file);
  bool wait_until_quiet(const std::set<std::string>& databases);
  std::size_t count_busy(const std::set<std::string>& databases);
  void publish(std::shared_ptr<Snapshot> snapshot);
  /// Runs `job` on each loop's thread and waits for all.
  void run_on_all(void (*job)(LoopSlot&));

  mutable std::mutex mutex_;  ///< guards snapshot_ and tls_
  std::mutex reload_mutex_;   ///< one reload at a time
  std::mutex install_mutex_;  ///< one installation at a time
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<net::TlsContext> tls_;
  std::atomic<std::uint64_t> serial_{0};
  std::atomic<std::uint64_t> next_state_{1};
  std::atomic<std::uint64_t> next_catalog_{1};

  backends::PoolRegistry registry_;
  ProcessMetrics process_metrics_;
  std::unique_ptr<backends::HealthMonitor> health_;
  std::string mock_nonce_;
  VerifierCache verifiers_;
  LoginBackoff backoff_;
  LookupChanges lookup_changes_;
  Greetings greetings_;
  mysql::Greetings mysql_greetings_;
  const std::shared_ptr<backends::UserSource> user_source_ = std::make_shared<backends::UserSource>();
  std::atomic<std::uint32_t> newcomers_{0};  ///< connections that have not logged in yet
  LogLimit turned_away_logged_;              ///< of the accepting thread
  std::vector<std::unique_ptr<LoopMetrics>> loop_metrics_;
  std::atomic<int> calls_{0};  ///< under way on worker threads
  std::vector<LoopSlot> loops_;
  std::atomic<std::size_t> next_loop_{0};
  Turnstile moments_;
};

}  // namespace anabranch::proxy
