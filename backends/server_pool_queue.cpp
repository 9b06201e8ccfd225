#include "backends/server_pool_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backends/stopped.h"
#include "values/errors.h"

namespace anabranch::backends {

namespace {

using std::chrono::milliseconds;

/// How exactly wait_timeout is kept.
constexpr milliseconds queue_interval{10};

}  // namespace

ServerPool::Place::Place(std::shared_ptr<ServerPool> pool, std::shared_ptr<Waiting> waiting)
    : pool_(std::move(pool)), waiting_(std::move(waiting)) {
  waiting_->since_ms = net::Loop::current().now_ms();
  pool_->waiters_.push_back(waiting_);
  if (waiting_->holds_leases) ++pool_->holders_waiting_;
  pool_->watch_queue();
  ++pool_->budget_->metrics->waiting;
  ++pool_->budget_->metrics->waits;
}

ServerPool::Place::~Place() {
  PoolMetrics& metrics = *pool_->budget_->metrics;
  --metrics.waiting;
  const auto waited = std::chrono::steady_clock::now() - since_;
  metrics.wait_microseconds +=
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(waited).count());
  if (waiting_->wait != 0) pool_->registry_.wait_graph().done(waiting_->wait);
  if (waiting_->queued) {
    std::erase(pool_->waiters_, waiting_);
    if (waiting_->holds_leases) --pool_->holders_waiting_;
  }
  if (pool_->waiters_.empty() && std::exchange(pool_->hungry_, false)) pool_->budget_->sated(pool_.get());
  if (waiting_->given) pool_->come_home(std::exchange(waiting_->given, nullptr));
  if (waiting_->slot) {
    --pool_->granted_;
    pool_->put_slot();
  }
}

net::Task<Lease> ServerPool::acquire(Holder& holder, net::CancelToken token) {
  const auto self = shared_from_this();
  if (std::optional<Lease> lease = try_acquire(holder)) co_return std::move(*lease);
  if (refusing_) throw make_error(values::ErrorId::shutdown);
  if (!budget_->take(holder.holds_any())) {
    if (std::optional<Lease> lease = lend_idle(holder, true)) co_return std::move(*lease);
    ServerConnection* connection = co_await wait_turn(holder, token);
    if (connection) co_return lend(connection, holder);
  }
  ServerConnection* opened = co_await open(token);
  co_return lend(opened, holder);
}

bool ServerPool::hand_over(ServerConnection* connection) {
  const auto next = next_waiter();
  if (!next) return false;
  connection->returned_ = true;
  next->given = connection;
  next->signal.notify();
  return true;
}

// First come, first served; but what exceeds the size is there for those who hold leases.
std::shared_ptr<ServerPool::Waiting> ServerPool::next_waiter() {
  const auto next =
      budget_->over_size()
          ? std::ranges::find_if(waiters_, [](const auto& w) { return w->holds_leases; })
          : waiters_.begin();
  if (next == waiters_.end()) return nullptr;
  auto waiting = *next;
  waiters_.erase(next);
  waiting->queued = false;
  if (waiting->holds_leases) --holders_waiting_;
  return waiting;
}

// Tells the budget what is lacking here. It must hear of every change to that: its queue decides
// whom other loops give up their connections for.
void ServerPool::ask_for_slot() {
  const bool urgent = local_open() < budget_->share();
  const bool holds_leases = holders_waiting_ > 0;
  // What the budget knows already needs no lock.
  if (hungry_ && urgent == urgent_ && (asked_for_holder_ || !holds_leases)) return;
  asked_for_holder_ = holds_leases || (hungry_ && asked_for_holder_);
  hungry_ = true;
  urgent_ = urgent;
  budget_->hunger(shared_from_this(), urgent, holds_leases);
}

// One connection less here: that may be less than the share.
void ServerPool::put_slot() {
  if (!waiters_.empty() && !refusing_) ask_for_slot();
  budget_->put();
}

void ServerPool::on_grant() {
  urgent_ = false;
  hungry_ = false;
  const auto next = refusing_ ? nullptr : next_waiter();
  if (next) {
    next->slot = true;
    ++granted_;
    next->signal.notify();
  }
  // Also when nobody could take it: a slot beyond the size is for some only, the next one is not.
  if (!waiters_.empty() && !refusing_) {
    ask_for_slot();
  } else {
    budget_->sated(this);  // who asked while this grant was under way has been served otherwise
  }
  if (!next) budget_->put();
}

void ServerPool::wake_all() {
  for (const auto& waiting : waiters_) waiting->signal.notify();
}

// --- the limit on waiting ---

// One timer a pool, not one a waiting statement.
void ServerPool::watch_queue() {
  if (settings_.wait_timeout.count() > 0 && !queue_timer_.active()) queue_timer_.start(queue_interval);
}

void ServerPool::look_at_queue() {
  const std::uint64_t now = net::Loop::current().now_ms();
  const auto limit = static_cast<std::uint64_t>(settings_.wait_timeout.count());
  for (const auto& waiting : waiters_) {
    if (limit == 0 || now - waiting->since_ms < limit) break;
    waiting->timed_out = true;
    waiting->signal.notify();
  }
  if (!waiters_.empty()) watch_queue();
}

net::Task<ServerConnection*> ServerPool::wait_turn(Holder& holder, net::CancelToken token) {
  auto waiting = std::make_shared<Waiting>();
  waiting->holds_leases = holder.holds_any();
  const Place place(shared_from_this(), waiting);
  ask_for_slot();
  if (waiting->holds_leases) {
    waiting->wait = registry_.wait_graph().wait(
        holder, budget_.get(),
        [mailbox = net::Loop::current().mailbox(), weak = std::weak_ptr<Waiting>(waiting)] {
          mailbox->post([weak] {
            const auto alive = weak.lock();
            if (!alive) return;
            alive->gives_way = true;
            alive->signal.notify();
          });
        });
  }
  const net::Wait why = co_await waiting->signal.wait(token);
  if (waiting->given) co_return std::exchange(waiting->given, nullptr);
  if (std::exchange(waiting->slot, false)) {
    --granted_;
    co_return nullptr;
  }
  if (refusing_) throw make_error(values::ErrorId::shutdown);
  if (waiting->gives_way) {
    ++budget_->metrics->cycles;
    throw make_error(values::ErrorId::lease_cycle, server_->text());
  }
  if (!waiting->timed_out) throw stopped(why);
  ++budget_->metrics->wait_timeouts;
  const std::string pool = fmt::format("{} in the pool of {} for {}, which has {}", server_->text(),
                                       server_->database, server_->user, budget_->size());
  throw make_error(values::ErrorId::lease_timeout, pool, settings_.wait_timeout.count());
}

}  // namespace anabranch::backends
