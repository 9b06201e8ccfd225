#include "proxy/worker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/client_login.h"
#include "proxy/fault.h"
#include "proxy/instance.h"
#include "proxy/log.h"
#include "proxy/mysql/session.h"
#include "proxy/replies.h"
#include "proxy/session.h"

namespace anabranch::proxy {

namespace {

/// Sessions that have been idle for once to twice this hold no buffers.
constexpr auto rest_interval = std::chrono::milliseconds(5'000);

}  // namespace

Worker::Worker(Instance& instance, std::uint32_t index)
    : instance_(instance),
      index_(index),
      pools_(instance.pool_registry()),
      metrics_(instance.metrics_of(index)),
      snapshot_(instance.snapshot()),
      users_(instance.user_source()),
      rest_timer_([this] { let_rest(); }) {
  rest_timer_.start(rest_interval);
}

Worker::~Worker() { pools_.shut_down(); }

const std::shared_ptr<const Snapshot>& Worker::snapshot() {
  if (snapshot_->serial != instance_.serial()) snapshot_ = instance_.snapshot();
  return snapshot_;
}

void Worker::let_rest() {
  rest_timer_.start(rest_interval);
  for (auto& [process, session] : sessions_) session->rest();
}

void Worker::adopt(net::UniqueFd fd, Newcomer newcomer, conf::Kind protocol) {
  const bool is_mysql = protocol == conf::Kind::mysql;
  net::spawn(is_mysql ? serve_mysql(std::move(fd), std::move(newcomer)) : serve(std::move(fd), std::move(newcomer)));
}

net::Task<void> Worker::serve(net::UniqueFd fd, Newcomer newcomer) {
  net::Socket socket(std::move(fd));
  ++metrics_.connections;
  std::optional<Login> login = co_await receive(socket);
  if (!login) co_return;
  newcomer.reset();
  const CountedClient counted(metrics_);
  co_await run_session(*this, std::move(socket), std::move(*login));
}

net::Task<void> Worker::serve_mysql(net::UniqueFd fd, Newcomer newcomer) {
  net::Socket socket(std::move(fd));
  ++metrics_.connections;
  co_await mysql::serve_client(*this, std::move(socket), std::move(newcomer));
}

LoginContext Worker::login_context() {
  LoginContext context;
  context.snapshot = snapshot();
  context.tls = instance_.tls();
  context.mock_nonce = instance_.mock_nonce();
  context.verifiers = &instance_.verifiers();
  context.backoff = &instance_.backoff();
  context.users = &users_;
  context.delayed = &metrics_.logins_delayed;
  const conf::Limits& limits = context.snapshot->config->limits;
  context.full = instance_.client_count() >= limits.client_connections;
  return context;
}

/// The client that has logged in; nothing: it wanted something else, or has been turned away.
net::Task<std::optional<Login>> Worker::receive(net::Socket& socket) {
  LoginContext context = login_context();
  net::CancelSource limit;
  limit.cancel_after(context.snapshot->config->limits.authentication_timeout);
  LoginResult result;
  std::exception_ptr fault;
  try {
    result = co_await log_in(socket, std::move(context), limit.token());
  } catch (...) {
    fault = std::current_exception();
  }
  if (fault) {
    send_error(socket.out(), note_fault(fault, socket.peer(), nullptr), "FATAL");
    result = TurnedAway{"an internal error"};
  }
  if (auto* login = std::get_if<Login>(&result)) co_return std::move(*login);
  if (const auto* wish = std::get_if<CancelWish>(&result)) {
    instance_.cancel(wish->process, wish->secret);
    co_return std::nullopt;
  }
  co_await send_away(socket, std::get<TurnedAway>(result));
  co_return std::nullopt;
}

net::Task<void> Worker::send_away(net::Socket& socket, TurnedAway away) {
  ++metrics_.refused;
  if (refusals_logged_.admit()) {
    spdlog::info("client {} turned away: {}{}", socket.peer(), away.reason, refusals_logged_.left_out());
  }
  net::CancelSource farewell;
  farewell.cancel_after(std::chrono::milliseconds(1000));
  (void)co_await socket.flush_all(farewell.token());
}

std::int32_t Worker::next_process() {
  std::int32_t process = 0;
  do {
    next_session_ = (next_session_ + 1) & 0xFFFFF;
    process = static_cast<std::int32_t>((index_ << 20) | next_session_);
  } while (process == 0 || sessions_.contains(process));
  return process;
}

void Worker::enter(std::int32_t process, ClientSession& session) { sessions_.insert_or_assign(process, &session); }

ClientSession* Worker::find(std::int32_t process) const {
  const auto found = sessions_.find(process);
  return found == sessions_.end() ? nullptr : found->second;
}

void Worker::leave(std::int32_t process) { sessions_.erase(process); }

void Worker::cancel(std::int32_t process, std::int32_t secret) {
  ClientSession* session = find(process);
  if (session != nullptr && session->has_secret(secret)) session->cancel();
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
