#include "proxy/instance.h"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <latch>
#include <thread>
#include <utility>

#include "backends/catalog_loader.h"
#include "backends/placement_check.h"
#include "backends/shard_epochs.h"
#include "backends/transaction.h"
#include "conf/diff.h"
#include "conf/load.h"
#include "conf/support.h"
#include "net/crypto.h"
#include "net/fault.h"
#include "proxy/log.h"
#include "proxy/mysql/replies.h"
#include "proxy/replies.h"
#include "proxy/status_page.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

constexpr auto health_interval = std::chrono::milliseconds(2000);
/// How long a reload that moves keys waits for transactions on the old map.
constexpr auto old_map_limit = std::chrono::seconds(10);

std::vector<std::string> texts_of(const std::vector<conf::Diagnostic>& diagnostics) {
  std::vector<std::string> texts;
  for (const auto& diagnostic : diagnostics) texts.push_back(diagnostic.text());
  return texts;
}

std::expected<std::shared_ptr<net::TlsContext>, std::string> make_tls(const conf::Tls& tls) {
  if (tls.mode == conf::ListenTls::disable) return nullptr;
  return net::TlsContext::server({tls.certificate, tls.key, tls.client_ca});
}

/// Fills in the catalog of a state under construction; it stays null where it cannot be had now.
void load(DatabaseState& state, std::uint64_t version) {
  backends::CatalogRequest request;
  request.config = state.config;
  request.database = state.conf->name;
  request.requested = state.conf->name;
  request.map = state.map;
  request.version = version;
  request.systems = state.systems;
  backends::LoadedCatalog loaded = backends::load_catalog(request);
  for (const auto& diagnostic : loaded.diagnostics) spdlog::warn("{}", diagnostic.text());
  for (const auto& failure : loaded.failures) {
    spdlog::warn("database {}: shard {} could not be asked for its catalog: {}", state.conf->name,
                 failure.shard_name, failure.reason);
  }
  state.catalog = std::move(loaded.catalog);
  state.identity = std::move(loaded.identity);
  state.systems = std::move(loaded.systems);
}

}  // namespace

namespace {

/// Rows lie where the state's map says, and the shards remember its epochs; otherwise why not.
std::vector<std::string> confirm_rows(const DatabaseState& state, const router::ShardMap* before) {
  if (!state.outdated.empty()) return {fmt::format("database {}: {}", state.conf->name, state.outdated)};
  if (state.conf->kind == conf::Kind::mysql) {
    return {fmt::format("database {}: keys of MySQL tables cannot be moved by a reload yet: move the rows, then start anew",
                        state.conf->name)};
  }
  auto reasons = backends::find_misplaced({state.conf, state.map.get(), before});
  return reasons.empty() ? backends::write_epochs(*state.conf, *state.map) : reasons;
}

}  // namespace

void Instance::post_to_all(const std::function<void(Worker&)>& job) {
  for (LoopSlot& slot : loops_) {
    slot.thread->post([worker = slot.worker, job] { job(*worker); });
  }
}

Instance::Instance() : mock_nonce_(net::random_bytes(32)) {}

Instance::~Instance() { stop_loops(); }

void Instance::start_loops(std::uint32_t threads) {
  for (std::uint32_t i = 0; i < threads; ++i) loop_metrics_.push_back(std::make_unique<LoopMetrics>());
  loops_.resize(threads);
  for (std::uint32_t i = 0; i < threads; ++i) {
    loops_[i].thread = std::make_unique<net::LoopThread>(fmt::format("loop {}", i).c_str());
    std::latch made(1);
    loops_[i].thread->post([this, i, &made] {
      loops_[i].worker = new Worker(*this, i);
      made.count_down();
    });
    made.wait();
  }
}

void Instance::run_on_all(void (*job)(LoopSlot&)) {
  std::latch done(static_cast<std::ptrdiff_t>(loops_.size()));
  for (LoopSlot& slot : loops_) {
    slot.thread->post([&slot, &done, job] {
      job(slot);
      done.count_down();
    });
  }
  done.wait();
}

void Instance::stop_loops() {
  // Logins may be under way, and reach for any loop's worker (CancelRequest): they go first.
  run_on_all([](LoopSlot&) { net::Loop::current().destroy_spawned(); });
  run_on_all([](LoopSlot& slot) { delete std::exchange(slot.worker, nullptr); });
  loops_.clear();
}

std::shared_ptr<const Snapshot> Instance::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

std::shared_ptr<net::TlsContext> Instance::tls() const {
  const std::lock_guard lock(mutex_);
  return tls_;
}

void Instance::publish(std::shared_ptr<Snapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  snapshot->serial = serial_.load(std::memory_order_relaxed) + 1;
  snapshot_ = std::move(snapshot);
  serial_.store(snapshot_->serial, std::memory_order_release);
}

std::expected<void, std::vector<std::string>> Instance::install(
    std::shared_ptr<const conf::Config> config, const std::set<std::string>& moved) {
  const std::lock_guard one_at_a_time(install_mutex_);
  const auto unsupported = conf::unsupported(*config);
  if (!unsupported.empty()) return std::unexpected(texts_of(unsupported));
  auto tls = make_tls(config->tls);
  if (!tls) return std::unexpected(std::vector{tls.error()});

  auto next = std::make_shared<Snapshot>();
  next->config = config;
  const auto before = snapshot();
  next->version = before ? before->version + 1 : 1;
  for (const conf::Database& database : config->databases) {
    auto state = std::make_shared<DatabaseState>();
    state->config = config;
    state->conf = &database;
    state->version = next_state_++;
    std::vector<conf::Diagnostic> diagnostics;
    state->map = router::ShardMap::build(database, config->file, diagnostics);
    if (state->map == nullptr || conf::has_errors(diagnostics)) return std::unexpected(texts_of(diagnostics));
    if (!state->passthrough()) load(*state, next_catalog_++);
    if (!state->map->schemes().empty()) {
      state->outdated = backends::find_outdated(*state->map, backends::read_epochs(database));
    }
    if (moved.contains(database.name)) {
      const auto old = before->find(database.name);
      auto reasons = confirm_rows(*state, old ? old->map.get() : nullptr);
      if (!reasons.empty()) return std::unexpected(std::move(reasons));
    } else if (!state->outdated.empty()) {
      spdlog::error("database {}: no writes: {}", database.name, state->outdated);
    }
    next->databases.push_back(std::move(state));
  }
  {
    const std::lock_guard lock(mutex_);
    tls_ = std::move(*tls);
  }
  process_metrics_.config_version.store(next->version);
  publish(next);
  if (health_ == nullptr) {
    health_ = std::make_unique<backends::HealthMonitor>(config, health_interval);
  } else {
    health_->update(config);
  }
  post_to_all([](Worker& worker) { worker.pools().update(*worker.instance().snapshot()->config); });
  return {};
}

// --- reload ---

/// Databases whose new statements wait, on every loop, while this lives.
class Instance::Hold {
 public:
  Hold(Instance& instance, const std::set<std::string>& databases) : instance_(instance), any_(!databases.empty()) {
    if (!any_) return;
    instance_.post_to_all([databases](Worker& worker) {
      for (const std::string& database : databases) worker.hold(database);
    });
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    if (any_) instance_.post_to_all([](Worker& worker) { worker.release(); });
  }

 private:
  Instance& instance_;
  const bool any_;
};

/// Asks every loop; a loop that does not answer within a second counts as busy.
std::size_t Instance::count_busy(const std::set<std::string>& databases) {
  struct Answers {
    std::atomic<std::size_t> busy{0};
    std::atomic<std::size_t> given{0};
  };
  const auto answers = std::make_shared<Answers>();
  post_to_all([databases, answers](Worker& worker) {
    for (const std::string& database : databases) answers->busy += worker.busy(database);
    ++answers->given;
  });
  for (int i = 0; i < 1000 && answers->given < loops_.size(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return answers->busy + (loops_.size() - answers->given);
}

bool Instance::wait_until_quiet(const std::set<std::string>& databases) {
  const auto deadline = std::chrono::steady_clock::now() + old_map_limit;
  while (count_busy(databases) > 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

bool Instance::reload(const std::string& file) {
  const std::lock_guard one_at_a_time(reload_mutex_);
  std::expected<void, std::vector<std::string>> done;
  try {
    done = load_and_install(file);
  } catch (...) {
    done = std::unexpected(std::vector{net::fault_words(std::current_exception())});
  }
  if (done) return true;
  ++process_metrics_.reload_failures;
  for (const std::string& reason : done.error()) spdlog::error("{}", reason);
  spdlog::error("configuration refused: configuration {} stays active", snapshot()->version);
  return false;
}

std::expected<void, std::vector<std::string>> Instance::load_and_install(const std::string& file) {
  const auto refuse = [](std::vector<std::string> reasons) { return std::unexpected(std::move(reasons)); };
  const conf::Loaded loaded = conf::load_file(file);
  if (loaded.config == nullptr) return refuse(texts_of(loaded.diagnostics));
  const conf::Diff difference = conf::diff(*snapshot()->config, *loaded.config);
  if (!difference.refusals.empty()) return refuse(difference.refusals);
  std::set<std::string> moved;
  for (const conf::Move& move : difference.moved) moved.insert(move.database);
  const Hold hold(*this, moved);
  if (!moved.empty() && !wait_until_quiet(moved)) {
    return refuse({fmt::format("database {}: transactions on the old map did not end within {} s: end them, or try again",
                               fmt::join(moved, ", "), old_map_limit.count())});
  }
  if (const auto installed = install(loaded.config, moved); !installed) return refuse(installed.error());
  configure_log(loaded.config->log);
  for (const conf::Change& change : difference.changes) {
    spdlog::info("{} {}{}", change.key, change.what,
                 change.reloadable ? "" : " (takes effect with the next start)");
  }
  spdlog::info("configuration {} active", snapshot()->version);
  return {};
}

std::string Instance::refresh_catalog(const std::string& database) {
  // The version is taken before the load begins: of two loads, the one that began later wins.
  const std::uint64_t version = next_catalog_++;
  const auto current = snapshot()->find(database);
  if (current == nullptr || current->passthrough()) return {};
  auto loaded = std::make_shared<DatabaseState>(*current);
  loaded->catalog = nullptr;
  load(*loaded, version);
  if (loaded->catalog == nullptr) return fmt::format("the catalog of {} cannot be read", database);

  const std::lock_guard one_at_a_time(install_mutex_);
  const auto before = snapshot();
  auto next = std::make_shared<Snapshot>(*before);
  for (auto& state : next->databases) {
    if (state->conf->name != current->conf->name) continue;
    if (state->config != current->config) return {};  // a reload has loaded a newer one
    if (state->catalog != nullptr && state->catalog->version > version) return {};
    loaded->version = next_state_++;
    state = loaded;
  }
  publish(std::move(next));
  return {};
}

/// Counts a call that a worker makes, from before it is queued until it has ended.
class Instance::Call {
 public:
  explicit Call(Instance& instance) : instance_(&instance) { ++instance.calls_; }
  Call(Call&& other) noexcept : instance_(std::exchange(other.instance_, nullptr)) {}
  Call& operator=(Call&&) = delete;
  ~Call() {
    if (instance_ != nullptr) --instance_->calls_;
  }
  Instance& operator*() const { return *instance_; }

 private:
  Instance* instance_;
};
void Instance::check_epochs() {
  const auto seen = snapshot();
  for (const auto& state : seen->databases) {
    if (state->map->schemes().empty()) continue;
    const std::string outdated = backends::find_outdated(*state->map, backends::read_epochs(*state->conf));
    const std::lock_guard one_at_a_time(install_mutex_);
    auto next = std::make_shared<Snapshot>(*snapshot());
    for (auto& current : next->databases) {
      if (current->map != state->map || current->outdated == outdated) continue;
      if (outdated.empty()) {
        spdlog::info("database {}: the map is up to date again", state->conf->name);
      } else {
        spdlog::error("database {}: no writes from now on: {}", state->conf->name, outdated);
      }
      auto changed = std::make_shared<DatabaseState>(*current);
      changed->outdated = outdated;
      current = std::move(changed);
      publish(next);
      break;
    }
  }
}

net::Task<std::string> Instance::refresh_catalog_on_worker(std::string database) {
  auto work = [call = Call(*this), name = std::move(database)] { return (*call).refresh_catalog(name); };
  co_return co_await net::run_on_worker(std::move(work));
}

net::Task<void> Instance::check_epochs_on_worker() {
  auto work = [call = Call(*this)] { (*call).check_epochs(); };
  co_await net::run_on_worker(std::move(work));
}

net::Task<bool> Instance::reload_on_worker(std::string file) {
  auto work = [call = Call(*this), name = std::move(file)] { return (*call).reload(name); };
  co_return co_await net::run_on_worker(std::move(work));
}

std::vector<std::string> Instance::missing_catalogs() const {
  std::vector<std::string> missing;
  for (const auto& state : snapshot()->databases) {
    if (!state->passthrough() && state->catalog == nullptr) missing.push_back(state->conf->name);
  }
  return missing;
}

std::size_t Instance::client_count() const {
  std::int64_t count = 0;
  for (const auto& metrics : loop_metrics_) count += metrics->clients.load(std::memory_order_relaxed);
  return static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
}

std::string Instance::metrics_text() const {
  std::vector<const LoopMetrics*> loops;
  for (const auto& metrics : loop_metrics_) loops.push_back(metrics.get());
  std::vector<PoolSample> pools;
  for (const auto& row : registry_.rows()) {
    pools.push_back({row.database, row.shard, row.user, row.metrics->open.load(),
                     row.metrics->idle.load(), row.metrics->waits.load(),
                     static_cast<double>(row.metrics->wait_microseconds.load()) / 1e6});
  }
  return prometheus::TextSerializer().Serialize(collect(loops, process_metrics_, pools));
}

std::string Instance::status_page() const {
  return render_status_page(*snapshot(), registry_.rows(),
                            health_ ? health_->shards() : std::vector<backends::ShardHealth>{},
                            client_count());
}

std::vector<std::string> Instance::not_ready() const {
  std::vector<std::string> reasons;
  for (const std::string& name : missing_catalogs()) {
    reasons.push_back(fmt::format("database {}: its catalog has not been read yet", name));
  }
  if (health_ == nullptr) return reasons;
  for (const backends::ShardHealth& shard : health_->shards()) {
    if (!shard.known || shard.up) continue;
    reasons.push_back(fmt::format("database {}: shard {} ({}) is down: {}", shard.database, shard.shard,
                                  shard.address, shard.reason));
  }
  return reasons;
}

void Instance::post(std::size_t loop, std::move_only_function<void(Worker&)> job) {
  loops_[loop].thread->post([worker = loops_[loop].worker, work = std::move(job)]() mutable { work(*worker); });
}

namespace {

std::string words_of_full(conf::Kind protocol) {
  const auto full = values::make_error<>(values::ErrorId::too_many_connections);
  net::Buffer out;
  net::mysql::Sequence sequence;
  protocol == conf::Kind::mysql ? mysql::send_error(out, sequence, full) : send_error(out, full, "FATAL");
  return std::string(out.view());
}

/// What costs nothing: a few bytes that fit into any socket's buffer, or else none.
void send_away(const net::UniqueFd& fd, conf::Kind protocol) {
  static const std::array answers{words_of_full(conf::Kind::postgres), words_of_full(conf::Kind::mysql)};
  const std::string& answer = answers[protocol == conf::Kind::mysql ? 1 : 0];
  (void)::send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(fd.get(), SHUT_WR);
  // To close while something is unread is to reset, which may overtake the answer.
  std::array<char, 1024> unread{};
  (void)::recv(fd.get(), unread.data(), unread.size(), MSG_DONTWAIT);
}

}  // namespace

void Instance::adopt(net::UniqueFd fd, conf::Kind protocol) {
  const std::uint32_t limit = snapshot()->config->limits.unauthenticated_connections;
  if (newcomers_ >= limit) {
    ++process_metrics_.turned_away;
    if (turned_away_logged_.admit()) {
      spdlog::warn("a client turned away: {} others have not logged in yet (limits.unauthenticated_connections){}",
                   limit, turned_away_logged_.left_out());
    }
    return send_away(fd, protocol);
  }
  LoopSlot& slot = loops_[next_loop_++ % loops_.size()];
  slot.thread->post([worker = slot.worker, held = std::move(fd), newcomer = Newcomer(newcomers_), protocol]() mutable {
    worker->adopt(std::move(held), std::move(newcomer), protocol);
  });
}

bool Instance::post_to(std::int32_t process, std::move_only_function<void(Worker&)> job) {
  const std::uint32_t index = Worker::worker_of(process);
  if (process <= 0 || index >= loops_.size()) return false;
  post(index, std::move(job));
  return true;
}

void Instance::cancel(std::int32_t process, std::int32_t secret) {
  (void)post_to(process, [process, secret](Worker& worker) { worker.cancel(process, secret); });
}

void Instance::drain() {
  post_to_all([](Worker& worker) { worker.drain(); });
}

void Instance::end_all_sessions() {
  post_to_all([](Worker& worker) { worker.end_all(); });
}

}  // namespace anabranch::proxy
