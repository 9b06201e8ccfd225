#include "net/loop.h"

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <latch>

#include "net/fault.h"

namespace anabranch::net {

namespace {

thread_local Loop* current_loop = nullptr;

[[noreturn]] void die(const char* what) {
  fmt::print(stderr, "net::Loop: {}\n", what);
  std::abort();
}

template <typename Handle>
uv_handle_t* base(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

constexpr int ready_rounds = 8;  // before input and output have their turn

}  // namespace

// --- spawned tasks ---

namespace {

/// The root of a spawned task: it starts and frees itself, and hangs in its loop's list.
struct Root {
  struct promise_type : Link {
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }
    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept { report_fault("a task"); }
  };
  std::coroutine_handle<promise_type> handle;
};

Root run_root(Task<void> task) {
  co_await std::move(task);
}

}  // namespace

struct Loop::Roots {
  void destroy_all() {
    while (Link* link = list.front()) {
      auto& promise = *static_cast<Root::promise_type*>(link);
      std::coroutine_handle<Root::promise_type>::from_promise(promise).destroy();
    }
  }
  Link list;
};

void spawn(Task<void> task) {
  Loop& loop = Loop::current();
  const auto handle = run_root(std::move(task)).handle;
  loop.roots_->list.push_back(handle.promise());
  handle.resume();
}

// --- the loop ---

Loop::Loop() : mailbox_(std::make_shared<Mailbox>()), roots_(std::make_unique<Roots>()) {
  if (current_loop) die("a thread has one loop at most");
  signal(SIGPIPE, SIG_IGN);
  if (uv_loop_init(&uv_) != 0) die("no event loop could be made (out of descriptors?)");
  uv_.data = this;
  uv_async_init(&uv_, &wakeup_,
                [](uv_async_t* handle) { static_cast<Loop*>(handle->loop->data)->run_jobs(); });
  uv_prepare_init(&uv_, &before_poll_);
  uv_prepare_start(&before_poll_, [](uv_prepare_t* handle) {
    static_cast<Loop*>(handle->loop->data)->run_ready();
  });
  uv_idle_init(&uv_, &no_block_);
  uv_timer_init(&uv_, &clock_);
  mailbox_->wakeup_ = &wakeup_;
  current_loop = this;
}

Loop::~Loop() {
  destroy_spawned();
  std::vector<std::move_only_function<void()>> dropped;
  {
    const std::lock_guard lock(mailbox_->mutex_);
    mailbox_->wakeup_ = nullptr;
    dropped.swap(mailbox_->jobs_);
  }
  dropped.clear();
  while (!timers_.empty()) timers_.back()->stop();
  for (auto* handle : {base(&wakeup_), base(&before_poll_), base(&no_block_), base(&clock_)}) {
    uv_close(handle, nullptr);
  }
  for (int round = 0; uv_loop_close(&uv_) == UV_EBUSY; ++round) {
    if (round == 100) die("a socket or listener outlives its loop");
    uv_run(&uv_, UV_RUN_NOWAIT);
  }
  current_loop = nullptr;
}

void Loop::destroy_spawned() {
  roots_->destroy_all();
}

Loop& Loop::current() {
  if (!current_loop) die("this thread has no loop");
  return *current_loop;
}

bool Loop::has_current() {
  return current_loop != nullptr;
}

void Loop::run() {
  if (current_loop != this) die("a loop runs on the thread that made it");
  uv_run(&uv_, UV_RUN_DEFAULT);
}

void Loop::stop() {
  post([this] { uv_stop(&uv_); });
}

void Loop::run_ready() {
  for (int round = 0; round < ready_rounds && ready_.linked(); ++round) {
    Link batch;
    batch.splice(ready_);
    while (Link* link = batch.front()) {
      link->unlink();
      static_cast<Waiter*>(link)->coroutine_.resume();
    }
  }
  if (ready_.linked()) {
    uv_idle_start(&no_block_, [](uv_idle_t*) {});
  } else if (uv_is_active(base(&no_block_))) {
    uv_idle_stop(&no_block_);
  }
}

void Loop::run_jobs() {
  std::vector<std::move_only_function<void()>> jobs;
  {
    const std::lock_guard lock(mailbox_->mutex_);
    jobs.swap(mailbox_->jobs_);
  }
  for (auto& job : jobs) guarded("a job of a loop", job);
}

bool Mailbox::post(std::move_only_function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (!wakeup_) return false;
  jobs_.push_back(std::move(job));
  if (jobs_.size() == 1) uv_async_send(wakeup_);
  return true;
}

// --- timers ---

void Timer::start(std::chrono::milliseconds delay) {
  stop();
  loop_ = &Loop::current();
  uv_update_time(loop_->uv());
  due_ms_ = loop_->now_ms() + static_cast<std::uint64_t>(std::max<std::int64_t>(delay.count(), 0));
  loop_->heap_insert(*this);
  loop_->arm_timer();
}

void Timer::stop() {
  if (!loop_) return;
  Loop* loop = std::exchange(loop_, nullptr);
  loop->heap_remove(*this);
}

void Loop::run_timers() {
  while (!timers_.empty() && timers_.front()->due_ms_ <= now_ms()) {
    Timer* timer = timers_.front();
    timer->stop();
    guarded("a timer's callback", timer->callback_);
  }
  arm_timer();
}

// A clock that is set too early only makes an idle round, so stopping a timer leaves it alone.
void Loop::arm_timer() {
  if (timers_.empty()) {
    uv_timer_stop(&clock_);
    return;
  }
  const std::uint64_t due = timers_.front()->due_ms_;
  const std::uint64_t delay = due > now_ms() ? due - now_ms() : 0;
  if (uv_is_active(base(&clock_)) && uv_timer_get_due_in(&clock_) <= delay) return;
  uv_timer_start(
      &clock_, [](uv_timer_t* handle) { static_cast<Loop*>(handle->loop->data)->run_timers(); },
      delay, 0);
}

void Loop::heap_insert(Timer& timer) {
  timer.position_ = timers_.size();
  timers_.push_back(&timer);
  sift_up(timer.position_);
}

void Loop::heap_remove(Timer& timer) {
  const std::size_t position = timer.position_;
  Timer* last = timers_.back();
  timers_.pop_back();
  if (last == &timer) return;
  timers_[position] = last;
  last->position_ = position;
  sift_up(position);
  sift_down(last->position_);
}

void Loop::sift_up(std::size_t position) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (timers_[parent]->due_ms_ <= timers_[position]->due_ms_) return;
    std::swap(timers_[parent], timers_[position]);
    std::swap(timers_[parent]->position_, timers_[position]->position_);
    position = parent;
  }
}

void Loop::sift_down(std::size_t position) {
  for (;;) {
    std::size_t least = position;
    for (std::size_t child = 2 * position + 1; child <= 2 * position + 2; ++child) {
      if (child < timers_.size() && timers_[child]->due_ms_ < timers_[least]->due_ms_)
        least = child;
    }
    if (least == position) return;
    std::swap(timers_[least], timers_[position]);
    std::swap(timers_[least]->position_, timers_[position]->position_);
    position = least;
  }
}

}  // namespace anabranch::net
