#include "backends/server_pool.h"

#include <spdlog/spdlog.h>

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "backends/server_pool_queue.h"
#include "backends/stopped.h"
#include "values/errors.h"

namespace anabranch::backends {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds sweep_interval{1000};
constexpr milliseconds cancel_limit{10'000};
// How long a connection lies idle before another loop gets it that already has its share.
constexpr std::uint64_t spare_after_ms = 1000;

std::uint64_t now_ms() {
  return net::Loop::current().now_ms();
}

}  // namespace

/// A slot of the budget while a connection is being opened; given back unless used.
class ServerPool::Slot {
 public:
  explicit Slot(std::shared_ptr<ServerPool> pool) : pool_(std::move(pool)) { ++pool_->opening_; }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() {
    --pool_->opening_;
    if (!used_) pool_->put_slot();
  }
  void use() { used_ = true; }

 private:
  std::shared_ptr<ServerPool> pool_;
  bool used_ = false;
};

/// A cancel under way: the connection's object stays, and goes home or dies when this ends.
class ServerPool::CancelInFlight {
 public:
  CancelInFlight(std::shared_ptr<ServerPool> pool, ServerConnection* connection)
      : pool_(std::move(pool)), connection_(connection) {
    ++connection_->cancels_in_flight_;
    if (!connection_->cancels_ended_) connection_->cancels_ended_ = std::make_shared<net::Event>();
    ++pool_->budget_->metrics->cancels;
  }
  CancelInFlight(const CancelInFlight&) = delete;
  CancelInFlight& operator=(const CancelInFlight&) = delete;
  ~CancelInFlight() {
    if (--connection_->cancels_in_flight_ > 0) return;
    std::exchange(connection_->cancels_ended_, nullptr)->set();
    if (!connection_->returned_) return;
    if (connection_->state() == ConnectionState::closing) {
      pool_->forget(connection_);
    } else if (connection_->clean()) {
      pool_->come_home(connection_);
    } else {
      pool_->close(connection_);
    }
  }

 private:
  std::shared_ptr<ServerPool> pool_;
  ServerConnection* connection_;
};

ServerPool::ServerPool(PoolRegistry& registry, std::shared_ptr<PoolBudget> budget,
                       std::shared_ptr<const Server> server, conf::Pool settings,
                       Connector connector)
    : registry_(registry),
      budget_(std::move(budget)),
      server_(std::move(server)),
      settings_(settings),
      connector_(std::move(connector)),
      idle_signal_(std::make_shared<net::Signal>()),
      sweep_timer_([this] { sweep(); }),
      queue_timer_([this] { look_at_queue(); }) {
  idle_.reserve(settings_.size + 1);
}

ServerPool::~ServerPool() {
  budget_->leave(this);
  while (!idle_.empty()) {
    ServerConnection* connection = idle_.back();
    unpark(connection);
    close(connection);
  }
  idle_signal_->notify();
}

void ServerPool::start() {
  budget_->join(shared_from_this());
  net::spawn(watch_idle(weak_from_this(), idle_signal_));
  if (settings_.min_idle > 0) sweep_timer_.start(milliseconds(0));
}

// --- leases ---

std::optional<Lease> ServerPool::try_acquire(Holder& holder) {
  return lend_idle(holder, false);
}

// The holder's own, where currval() is its; else one that is nobody's; else (`others_too`) any.
ServerConnection* ServerPool::choose_idle(const Holder& holder, bool others_too) {
  if (idle_.empty()) return nullptr;
  if (holder.has_left_sequences()) {
    const auto own = std::ranges::find(idle_, holder.id(), &ServerConnection::sequences_of);
    if (own != idle_.end()) return *own;
  }
  for (std::size_t i = idle_.size(); i-- > 0;) {
    if (idle_[i]->sequences_of == 0) return idle_[i];
  }
  return others_too ? idle_.front() : nullptr;
}

std::optional<Lease> ServerPool::lend_idle(Holder& holder, bool others_too) {
  if (refusing_ || !waiters_.empty()) return std::nullopt;
  while (ServerConnection* connection = choose_idle(holder, others_too)) {
    unpark(connection);
    if (fit_to_lend(connection)) return lend(connection, holder);
    close(connection);
  }
  return std::nullopt;
}

Lease ServerPool::lend(ServerConnection* connection, Holder& holder) {
  if (connection->state_ != ConnectionState::leased) {
    connection->change_state(ConnectionState::leased);
  }
  connection->returned_ = false;
  connection->notifications.clear();
  if (connection->sequences_of != 0 && connection->sequences_of != holder.id()) {
    net::pg::Query{"DISCARD SEQUENCES"}.encode(connection->socket().out());
    connection->skip_reply();
    connection->sequences_of = 0;
  }
  connection->newly_lent = true;
  ++connection->leases_;
  ++budget_->metrics->leased;
  holder.took(budget_.get());
  return {shared_from_this(), connection, &holder};
}

void ServerPool::give_back(ServerConnection* connection, Holder* holder) {
  if (holder) holder->gave_back(budget_.get());
  --budget_->metrics->leased;
  connection->returned_ = true;
  // Its transaction has ended in a way that its session did not see: its settings are not known.
  if (connection->applied.in_transaction()) connection->mark_broken();
  if (!connection->clean()) {
    abandon(connection);
  } else if (connection->cancels_in_flight_ > 0) {
    connection->change_state(ConnectionState::cancelling);
  } else {
    come_home(connection);
  }
}

// A clean connection that nobody holds.
void ServerPool::come_home(ServerConnection* connection) {
  const bool surplus = budget_->over_size() && holders_waiting_ == 0;
  if (retired_ || surplus || expired(*connection) || should_give_up()) {
    close(connection);
  } else if (!hand_over(connection)) {
    park(connection);
  }
}

bool ServerPool::should_give_up() const {
  if (!budget_->has_urgent() || urgent_) return false;
  return waiters_.empty() || local_open() > budget_->share() || budget_->fewer_slots_than_pools();
}

std::uint32_t ServerPool::local_open() const {
  return static_cast<std::uint32_t>(connections_.size()) + opening_ + granted_;
}

// Nobody may use it any more. What still runs there is cancelled: closing alone would let it run
// on.
void ServerPool::abandon(ServerConnection* connection) {
  const bool running = connection->pending() > 0 && connection->socket().is_open() &&
                       !connection->socket().error() && !connection->socket().at_end();
  if (running && connection->cancels_in_flight_ == 0 && !ended_) {
    // The cancel may be over at once, and must not take the connection along.
    ++connection->cancels_in_flight_;
    start_cancel(connection);
    --connection->cancels_in_flight_;
  }
  connection->mark_broken();
  close(connection);
}

void ServerPool::close(ServerConnection* connection) {
  if (connection->state_ == ConnectionState::closing) return;
  connection->change_state(ConnectionState::closing);
  net::Socket& socket = connection->socket();
  if (socket.is_open()) {
    if (!connection->broken()) {
      connector_.take_leave(socket.out());
      socket.send_now();
    }
    socket.close();
  }
  if (connection->cancels_in_flight_ == 0) forget(connection);
}

void ServerPool::forget(ServerConnection* connection) {
  const auto place =
      std::ranges::find(connections_, connection, &std::unique_ptr<ServerConnection>::get);
  if (place == connections_.end()) return;
  std::swap(*place, connections_.back());
  connections_.pop_back();
  put_slot();
}

// --- idle connections ---

void ServerPool::park(ServerConnection* connection) {
  connection->change_state(ConnectionState::idle);
  connection->idle_since_ms_ = now_ms();
  connection->socket().watch(idle_signal_.get());
  connection->socket().start_reading();
  idle_.push_back(connection);
  ++budget_->metrics->idle;
  if (!sweep_timer_.active()) sweep_timer_.start(sweep_interval);
}

void ServerPool::unpark(ServerConnection* connection) {
  if (idle_.back() == connection) {
    idle_.pop_back();
  } else {
    std::erase(idle_, connection);
  }
  --budget_->metrics->idle;
  connection->socket().watch(nullptr);
}

// Servers speak unasked: settings change, notices, and the last words of one that shuts down.
bool ServerPool::fit_to_lend(ServerConnection* connection) {
  net::Socket& socket = connection->socket();
  if (!socket.received().empty() && !connector_.hear(*connection)) return false;
  return !socket.at_end() && !socket.error() && !expired(*connection);
}

bool ServerPool::expired(const ServerConnection& connection) const {
  return connection.lifetime_ms_ != 0 &&
         now_ms() - connection.created_ms() >= connection.lifetime_ms_;
}

net::Task<void> ServerPool::watch_idle(std::weak_ptr<ServerPool> pool,
                                       std::shared_ptr<net::Signal> signal) {
  for (;;) {
    if (co_await signal->wait() != net::Wait::ready) co_return;
    const auto alive = pool.lock();
    if (!alive) co_return;
    alive->look_at_idle();
  }
}

void ServerPool::look_at_idle() {
  for (std::size_t i = idle_.size(); i-- > 0;) {
    ServerConnection* connection = idle_[i];
    if (fit_to_lend(connection)) {
      connection->socket().start_reading();
      continue;
    }
    unpark(connection);
    connection->mark_broken();
    close(connection);
  }
}

void ServerPool::sweep() {
  const std::uint64_t now = now_ms();
  const auto idle_limit = static_cast<std::uint64_t>(settings_.idle_timeout.count());
  for (std::size_t i = idle_.size(); i-- > 0;) {
    ServerConnection* connection = idle_[i];
    const std::uint64_t idle_for = now - connection->idle_since_ms();
    const bool tired =
        idle_limit != 0 && idle_for >= idle_limit && budget_->metrics->idle > settings_.min_idle;
    const bool wanted = budget_->has_hungry() && waiters_.empty() && idle_for >= spare_after_ms;
    if (!tired && !wanted && fit_to_lend(connection)) continue;
    unpark(connection);
    close(connection);
  }
  const PoolMetrics& metrics = *budget_->metrics;
  if (!retired_ && metrics.idle + opening_ < settings_.min_idle && budget_->take(false)) {
    net::spawn(open_spare());
  }
  if (!idle_.empty() || (settings_.min_idle > 0 && !retired_)) sweep_timer_.start(sweep_interval);
}

void ServerPool::give_up_idle() {
  if (idle_.empty() || !budget_->has_urgent()) return;
  ServerConnection* connection = idle_.front();
  unpark(connection);
  close(connection);
}

// --- opening ---

namespace {

// Answers that change by themselves in a moment.
bool worth_another_try(const net::pg::ConnectError& error) {
  const bool rejected = error.net.kind == net::NetError::Kind::rejected;
  return !rejected || error.server.sqlstate() == "57P03" || error.server.sqlstate() == "53300";
}

ServerError login_error(const Server& server, net::pg::ErrorFields fields) {
  fields.set('S', "ERROR");
  fields.set('V', "ERROR");
  fields.set('W', fmt::format("connecting to shard {}", server.text()));
  return {std::move(fields), server.shard, server.shard_name};
}

std::uint64_t lifetime_with_jitter(const conf::Pool& settings, std::int32_t seed) {
  const auto limit = static_cast<std::uint64_t>(settings.max_lifetime.count());
  // Up to a tenth less, so that connections opened together do not end together.
  return limit - limit / 1000 * (static_cast<std::uint32_t>(seed) % 100);
}

}  // namespace

// The caller has taken a slot.
net::Task<ServerConnection*> ServerPool::open(net::CancelToken token) {
  Slot slot(shared_from_this());
  PoolMetrics& metrics = *budget_->metrics;
  std::string reason = "no attempt was made";
  for (std::uint32_t attempt = 0; attempt < std::max(1U, server_->connect_attempts); ++attempt) {
    if (attempt > 0) {
      const milliseconds pause(std::min(500, 50 << std::min(attempt - 1, 4U)));
      if (co_await net::sleep(pause, token) != net::Wait::ready)
        throw stopped(token.state());
    }
    ++metrics.connects;
    net::CancelSource limit(token);
    if (server_->connect_timeout.count() > 0) limit.cancel_after(server_->connect_timeout);
    auto link = co_await connector_.connect(server_, limit.token());
    if (link) {
      slot.use();
      connections_.push_back(std::make_unique<ServerConnection>(server_, std::move(*link)));
      ServerConnection* opened = connections_.back().get();
      opened->returned_ = true;
      opened->lifetime_ms_ = lifetime_with_jitter(settings_, opened->process());
      co_return opened;
    }
    ++metrics.connect_failures;
    if (token.cancelled()) throw stopped(token.state());
    const net::pg::ConnectError& error = link.error();
    const bool last = attempt + 1 >= server_->connect_attempts || !worth_another_try(error);
    if (last && error.net.kind == net::NetError::Kind::rejected) {
      throw login_error(*server_, error.server);
    }
    reason = error.net.message;
    if (last) break;
  }
  spdlog::warn("shard {} cannot be reached: {}", server_->text(), reason);
  throw make_error(values::ErrorId::shard_unavailable, server_->text(), reason);
}

// The caller has taken a slot.
net::Task<void> ServerPool::open_spare() {
  const auto self = shared_from_this();
  try {
    ServerConnection* opened = co_await open({});
    come_home(opened);
  } catch (const values::SqlError& error) {
    spdlog::debug("no spare connection to {}: {}", server_->text(), error.message);
  }
}

// --- cancelling ---

void ServerPool::start_cancel(ServerConnection* connection) {
  net::spawn(cancel(shared_from_this(), connection));
}

net::Task<void> ServerPool::cancel(std::shared_ptr<ServerPool> pool, ServerConnection* connection) {
  const CancelInFlight guard(pool, connection);
  net::CancelSource limit;
  limit.cancel_after(cancel_limit);
  const net::IoResult sent = co_await pool->connector_.cancel(pool->server_, connection->process(),
                                                              connection->secret(), limit.token());
  if (sent) co_return;
  // Whether it will still take effect is not known: nobody else may use the connection.
  spdlog::warn("cancelling on shard {} failed: {}", pool->server_->text(), sent.error().message);
  connection->mark_broken();
  // Whoever waits there for an answer that may never come is told so.
  ::shutdown(connection->socket().fd(), SHUT_RDWR);
}

// --- configuration ---

void ServerPool::update(const conf::Pool& settings) {
  settings_ = settings;
  budget_->resize(settings.size);
  if (!waiters_.empty()) watch_queue();
  if (settings_.min_idle > 0 && !sweep_timer_.active()) sweep_timer_.start(milliseconds(0));
}

void ServerPool::retire() {
  retired_ = true;
  while (!idle_.empty()) {
    ServerConnection* connection = idle_.back();
    unpark(connection);
    close(connection);
  }
}

void ServerPool::refuse() {
  refusing_ = true;
  retire();
  wake_all();
}

void ServerPool::end() {
  refuse();
  ended_ = true;
  sweep_timer_.stop();
  queue_timer_.stop();
}

}  // namespace anabranch::backends
