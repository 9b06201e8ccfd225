#include "proxy/worker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/client_login.h"
#include "proxy/instance.h"
#include "proxy/log.h"
#include "proxy/session.h"

namespace anabranch::proxy {

namespace {

/// Time from accept() to the end of authentication, after which a connection is dropped.
constexpr auto login_timeout = std::chrono::milliseconds(30'000);

}  // namespace

Worker::Worker(Instance& instance, std::uint32_t index)
    : instance_(instance),
      index_(index),
      pools_(instance.pool_registry()),
      metrics_(instance.metrics_of(index)),
      snapshot_(instance.snapshot()) {}

Worker::~Worker() { pools_.shut_down(); }

const std::shared_ptr<const Snapshot>& Worker::snapshot() {
  if (snapshot_->serial != instance_.serial()) snapshot_ = instance_.snapshot();
  return snapshot_;
}

void Worker::adopt(net::UniqueFd fd) { net::spawn(serve(std::move(fd))); }

net::Task<void> Worker::serve(net::UniqueFd fd) {
  net::Socket socket(std::move(fd));
  ++metrics_.connections;
  LoginContext context;
  context.snapshot = snapshot();
  context.tls = instance_.tls();
  context.mock_nonce = instance_.mock_nonce();
  context.verifiers = &instance_.verifiers();
  context.full = instance_.client_count() >= context.snapshot->config->limits.client_connections;
  net::CancelSource limit;
  limit.cancel_after(login_timeout);
  LoginResult result = co_await log_in(socket, std::move(context), limit.token());
  limit.clear_timeout();
  if (const auto* wish = std::get_if<CancelWish>(&result)) {
    instance_.cancel(wish->process, wish->secret);
    co_return;
  }
  if (const auto* away = std::get_if<TurnedAway>(&result)) {
    ++metrics_.refused;
    spdlog::info("client {} turned away: {}", socket.peer(), away->reason);
    net::CancelSource farewell;
    farewell.cancel_after(std::chrono::milliseconds(1000));
    (void)co_await socket.flush_all(farewell.token());
    co_return;
  }
  ++metrics_.clients;
  co_await run_session(*this, std::move(socket), std::get<Login>(std::move(result)));
  --metrics_.clients;
}

std::int32_t Worker::enter(Session& session) {
  std::int32_t process = 0;
  do {
    next_session_ = (next_session_ + 1) & 0xFFFFF;
    process = static_cast<std::int32_t>((index_ << 20) | next_session_);
  } while (process == 0 || sessions_.contains(process));
  sessions_.emplace(process, &session);
  return process;
}

void Worker::leave(std::int32_t process) { sessions_.erase(process); }

void Worker::cancel(std::int32_t process, std::int32_t secret) {
  const auto found = sessions_.find(process);
  if (found != sessions_.end()) found->second->cancel(secret);
}

void Worker::hold(const std::string& database) {
  held_.try_emplace(database, std::make_shared<net::Event>());
}

void Worker::release() {
  for (auto& [database, event] : std::exchange(held_, {})) event->set();
}

std::shared_ptr<net::Event> Worker::held(const std::string& database) const {
  const auto found = held_.find(database);
  return found == held_.end() ? nullptr : found->second;
}

void Worker::pause(const std::string& database, std::move_only_function<void()> quiet) {
  Pause& made = paused_[database];
  made.over = std::make_shared<net::Event>();
  const auto commits = commits_.find(database);
  if (commits == commits_.end() || commits->second == 0) {
    quiet();
  } else {
    made.quiet = std::move(quiet);
  }
}

void Worker::resume(const std::string& database) {
  const auto found = paused_.find(database);
  if (found == paused_.end()) return;
  const auto over = found->second.over;
  paused_.erase(found);
  over->set();
}

std::shared_ptr<net::Event> Worker::paused(const std::string& database) const {
  const auto found = paused_.find(database);
  return found == paused_.end() ? nullptr : found->second.over;
}

void Worker::count_commit(const std::string& database, int change) {
  int& commits = commits_[database];
  commits += change;
  const auto found = paused_.find(database);
  if (commits > 0 || found == paused_.end() || !found->second.quiet) return;
  std::exchange(found->second.quiet, {})();
}

std::size_t Worker::busy(const std::string& database) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      sessions_, [&](const auto& entry) { return entry.second->busy_in(database); }));
}

void Worker::drain() {
  draining_ = true;
  for (auto& [process, session] : sessions_) session->wake();
}

void Worker::end_all() {
  draining_ = true;
  for (auto& [process, session] : sessions_) session->end_now();
}

}  // namespace anabranch::proxy
