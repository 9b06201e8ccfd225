#include "proxy/moment.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "backends/exchange.h"
#include "proxy/instance.h"
#include "proxy/session_state.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

/// How long statements are held at most until the commits under way have ended.
constexpr auto quiet_limit = std::chrono::milliseconds(2000);

}  // namespace

void Turnstile::enter(std::move_only_function<void()> go) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(taken_, true)) {
      waiting_.push_back(std::move(go));
      return;
    }
  }
  go();
}

void Turnstile::leave() {
  std::move_only_function<void()> next;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      taken_ = false;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next();
}

namespace {

/// The turn, and the hold on all loops; both end with it, however the session's coroutine does.
class Moment {
 public:
  Moment(Instance& instance, std::string database)
      : instance_(instance), database_(std::move(database)), turn_(std::make_shared<Turn>()) {}
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;
  ~Moment() {
    turn_->abandoned = true;
    if (!turn_->mine) return;
    if (held_) {
      instance_.post_to_all([name = database_](Worker& worker) { worker.resume(name); });
    }
    instance_.moments().leave();
  }

  net::Task<void> begin(net::CancelToken token) {
    instance_.moments().enter([turn = turn_, mailbox = net::Loop::current().mailbox(), &instance = instance_] {
      const bool heard = mailbox->post([turn, &instance] {
        if (turn->abandoned) return instance.moments().leave();
        turn->mine = true;
        turn->event.set();
      });
      if (!heard) instance.moments().leave();
    });
    if (co_await turn_->event.wait(token) != net::Wait::ready) throw values::make_error<>(values::ErrorId::canceled);
    co_await hold(token);
  }

 private:
  /// On the session's loop.
  struct Turn {
    net::Event event;
    bool mine = false;
    bool abandoned = false;
  };
  struct Quiet {
    net::Event event;
    std::size_t missing = 0;
  };

  net::Task<void> hold(net::CancelToken token) {
    const auto quiet = std::make_shared<Quiet>();
    quiet->missing = instance_.loop_count();
    const auto mailbox = net::Loop::current().mailbox();
    held_ = true;
    instance_.post_to_all([name = database_, quiet, mailbox](Worker& worker) {
      worker.pause(name, [quiet, mailbox] {
        mailbox->post([quiet] {
          if (--quiet->missing == 0) quiet->event.set();
        });
      });
    });
    net::CancelSource limit(token);
    limit.cancel_after(quiet_limit);
    const net::Wait outcome = co_await quiet->event.wait(limit.token());
    if (outcome == net::Wait::ready) co_return;
    if (token.cancelled()) throw values::make_error<>(values::ErrorId::canceled);
    throw values::make_error<>(values::ErrorId::snapshots_late);
  }

  Instance& instance_;
  const std::string database_;
  std::shared_ptr<Turn> turn_;
  bool held_ = false;
};

net::Task<void> see_now(backends::Lease& lease) {
  auto answer = co_await backends::run_command(lease, "SELECT 1");
  if (!answer) throw backends::ServerError(std::move(answer.error()), lease.shard(), lease.shard_name());
}

}  // namespace

net::Task<void> take_snapshots(SessionState& state) {
  const auto count = static_cast<std::uint32_t>(state.db->map->shards().size());
  state.transaction.begin_snapshots();
  // Before anything is held: a lease may have to wait for another session's transaction.
  for (std::uint32_t shard = 0; shard < count; ++shard) {
    (void)co_await state.transaction.enlist(shard, state.target(shard), state.token());
  }
  Moment moment(state.worker.instance(), state.db->conf->name);
  co_await moment.begin(state.token());
  std::vector<net::Task<void>> seeing;
  for (auto& member : state.transaction.enlisted()) seeing.push_back(see_now(member->lease));
  co_await net::when_all(std::move(seeing));
  state.transaction.snapshots_taken();
}

}  // namespace anabranch::proxy
