#include "net/task.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

#include "net/loop.h"

namespace anabranch::net {

Event::~Event() {
  while (Link* link = waiters_.front()) static_cast<Awaiter*>(link)->wake(Wait::cancelled);
}

void Event::set() {
  set_ = true;
  while (Link* link = waiters_.front()) static_cast<Awaiter*>(link)->wake();
}

Signal::~Signal() {
  while (Link* link = waiters_.front()) static_cast<Awaiter*>(link)->wake(Wait::cancelled);
}

void Signal::notify() {
  if (Link* link = waiters_.front()) {
    static_cast<Awaiter*>(link)->wake();
  } else {
    notified_ = true;
  }
}

Mutex::~Mutex() {
  if (!waiters_.linked() && !locked_) return;
  fmt::print(stderr, "net::Mutex destroyed while it was held or awaited\n");
  std::abort();
}

Mutex::Awaiter::~Awaiter() {
  if (owns_) mutex_.unlock();
}

std::optional<Mutex::Guard> Mutex::Awaiter::await_resume() {
  if (!std::exchange(owns_, false)) return std::nullopt;
  return std::optional<Guard>(std::in_place, &mutex_);
}

void Mutex::unlock() {
  if (Link* link = waiters_.front()) {
    auto* next = static_cast<Awaiter*>(link);
    next->owns_ = true;
    next->wake();
  } else {
    locked_ = false;
  }
}

Task<Wait> sleep(std::chrono::milliseconds delay, CancelToken token) {
  Event passed;
  Timer timer([&passed] { passed.set(); });
  timer.start(delay);
  const Wait outcome = co_await passed.wait(std::move(token));
  co_return outcome;
}

void Yield::await_suspend(std::coroutine_handle<> self) {
  Link nowhere;
  park(self, nowhere, CancelToken());
  wake();
}

}  // namespace anabranch::net
