#include "proxy/serve.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <uv.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "conf/load.h"
#include "net/fault.h"
#include "net/loop.h"
#include "net/socket.h"
#include "proxy/cli_check.h"
#include "proxy/http.h"
#include "proxy/instance.h"
#include "proxy/log.h"
#include "proxy/version.h"

namespace anabranch::proxy {

namespace {

using std::chrono::milliseconds;

/// How long SIGTERM lets transactions end by themselves.
constexpr auto drain_limit = milliseconds(30'000);
constexpr auto drain_poll = milliseconds(50);
/// Pause between attempts to read a catalog that could not be read at the start.
constexpr auto catalog_retry = milliseconds(1000);
/// How often shards are asked whether another proxy has loaded a newer map.
constexpr auto epoch_interval = milliseconds(15'000);

/// A signal as an event of the main loop. The handle lives on the heap until its close callback.
class SignalWatch {
 public:
  SignalWatch(net::Loop& loop, int number, std::move_only_function<void()> action)
      : handle_(new uv_signal_t), action_(std::move(action)) {
    uv_signal_init(loop.uv(), handle_);
    handle_->data = this;
    uv_signal_start(handle_, [](uv_signal_t* handle, int) { static_cast<SignalWatch*>(handle->data)->action_(); },
                    number);
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch() {
    uv_signal_stop(handle_);
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_signal_t*>(handle); });
  }

 private:
  uv_signal_t* handle_;
  std::move_only_function<void()> action_;
};

/// A descriptor each for clients, servers and the process itself: as many as the system allows, and a
/// word at the start where that is too few (accepting then waits for clients to leave).
void raise_descriptor_limit(const conf::Config& config) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  std::uint64_t needed = 100;
  for (const conf::Database& database : config.databases) {
    needed += std::uint64_t{database.pool.size} * database.shards.size();
  }
  const std::uint64_t clients = config.limits.client_connections + config.limits.unauthenticated_connections;
  if (needed + clients <= limit.rlim_cur) return;
  spdlog::warn(
      "the system allows {} open files (ulimit -n), and limits.client_connections, "
      "limits.unauthenticated_connections and the pools may need {}",
      limit.rlim_cur, needed + clients);
}

/// One arena a loop, and two for all the rest. The control plane begins a thread for each shard that it asks, and what
/// each frees stays with its arena: with glibc's eight a core that grows with every reload.
void share_arenas(unsigned loops) {
  constexpr unsigned others = 2;
  mallopt(M_ARENA_MAX, static_cast<int>(loops + others));
}

/// Awaits what its caller goes on after, whatever it throws.
net::Task<void> outlive(std::string_view what, net::Task<void> task) {
  try {
    co_await std::move(task);
  } catch (...) {
    net::report_fault(what);
  }
}

void log_fault(std::string_view where, std::string_view what) {
  spdlog::error("an internal error has ended {}: {}", where, what);
}

/// The running process: listeners and signals on the main loop, clients on the others.
class Server {
 public:
  Server(Instance& instance, std::string file) : instance_(instance), file_(std::move(file)) {}

  /// The error is a sentence.
  std::optional<std::string> open_listeners(const conf::Listen& listen) {
    for (const auto& [addresses, protocol] : {std::pair{&listen.postgres, conf::Kind::postgres},
                                              std::pair{&listen.mysql, conf::Kind::mysql}}) {
      for (const conf::Address& address : *addresses) {
        auto listener = net::Listener::open({address.host, address.port});
        if (!listener) return fmt::format("cannot listen on {}: {}", address.text(), listener.error().message);
        listeners_.push_back({std::make_unique<net::Listener>(std::move(*listener)), protocol});
      }
    }
    if (listen.http.empty()) return std::nullopt;
    HttpPages pages;
    pages.metrics = [this] { return instance_.metrics_text(); };
    pages.missing = [this] { return instance_.not_ready(); };
    pages.status = [this] { return instance_.status_page(); };
    auto http = HttpServer::start(listen.http, std::move(pages));
    if (!http) return http.error();
    http_ = std::move(*http);
    return std::nullopt;
  }

  int run() {
    SignalWatch reload(loop_, SIGHUP, [this] { net::spawn(reload_once()); });
    SignalWatch terminate(loop_, SIGTERM, [this] { net::spawn(drain_and_end()); });
    SignalWatch interrupt(loop_, SIGINT, [this] { net::spawn(end()); });
    for (auto& [listener, protocol] : listeners_) net::spawn(accept(*listener, protocol));
    net::spawn(retry_catalogs());
    net::spawn(watch_epochs());
    spdlog::info("ready");
    loop_.run();
    return exit_fine;
  }

 private:
  net::Task<void> accept(net::Listener& listener, conf::Kind protocol) {
    while (true) {
      auto fd = co_await listener.accept();
      if (!fd) co_return;
      net::guarded("a new client", [&] { instance_.adopt(std::move(*fd), protocol); });
    }
  }

  net::Task<void> reload_once() {
    (void)co_await instance_.reload_on_worker(file_);
  }

  net::Task<void> read_missing_catalogs() {
    for (const std::string& name : instance_.missing_catalogs()) {
      const std::string problem = co_await instance_.refresh_catalog_on_worker(name);
      if (problem.empty()) spdlog::info("database {}: catalog read", name);
    }
  }

  net::Task<void> retry_catalogs() {
    while (true) {
      co_await outlive("reading a catalog", read_missing_catalogs());
      if (co_await net::sleep(catalog_retry, stop_.token()) != net::Wait::ready) co_return;
    }
  }

  net::Task<void> watch_epochs() {
    while (co_await net::sleep(epoch_interval, stop_.token()) == net::Wait::ready) {
      co_await outlive("looking at the shards' epochs", instance_.check_epochs_on_worker());
    }
  }

  net::Task<void> drain_and_end() {
    spdlog::info("draining: waiting for transactions to end");
    for (auto& [listener, protocol] : listeners_) listener->close();
    instance_.drain();
    for (auto waited = milliseconds(0); waited < drain_limit && instance_.client_count() > 0; waited += drain_poll) {
      (void)co_await net::sleep(drain_poll);
    }
    co_await end();
  }

  net::Task<void> end() {
    if (ending_) co_return;
    ending_ = true;
    for (auto& [listener, protocol] : listeners_) listener->close();
    stop_.cancel();
    instance_.end_all_sessions();
    for (int i = 0; i < 40 && instance_.client_count() > 0; ++i) (void)co_await net::sleep(drain_poll);
    spdlog::info("ended");
    loop_.stop();
  }

  Instance& instance_;
  const std::string file_;
  net::Loop loop_;
  net::CancelSource stop_;
  std::vector<std::pair<std::unique_ptr<net::Listener>, conf::Kind>> listeners_;
  std::unique_ptr<HttpServer> http_;
  bool ending_ = false;
};

}  // namespace

int serve(const ServeOptions& options) {
  const conf::Loaded loaded = conf::load_file(options.config);
  print(loaded.diagnostics, std::cerr);
  if (loaded.config == nullptr) return exit_refused;
  configure_log(loaded.config->log);
  net::on_fault(&log_fault);
  spdlog::info("anabranch of version {} starts with {}", version, options.config);

  share_arenas(loaded.config->threads);
  raise_descriptor_limit(*loaded.config);
  Instance instance;
  if (const auto installed = instance.install(loaded.config); !installed) {
    for (const std::string& reason : installed.error()) std::cerr << reason << "\n";
    return exit_refused;
  }
  instance.start_loops(loaded.config->threads);
  Server server(instance, options.config);
  if (const auto problem = server.open_listeners(loaded.config->listen)) {
    spdlog::error("{}", *problem);
    return exit_refused;
  }
  const int status = server.run();
  if (instance.client_count() > 0) {
    // A session that does not end in time must not be torn apart while it runs.
    spdlog::warn("{} clients did not leave in time", instance.client_count());
    std::_Exit(status);
  }
  // Nor may what a reload works on; it may be waiting for a shard that does not answer.
  if (instance.busy()) std::_Exit(status);
  return status;
}

}  // namespace anabranch::proxy
