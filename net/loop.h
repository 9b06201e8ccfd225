#pragma once

#include <uv.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "net/task.h"

namespace anabranch::net {

class Loop;

/// A way into a loop from other threads that may outlive the loop: what is posted to a loop that
/// has ended is dropped.
class Mailbox {
 public:
  /// Runs `job` on the loop's thread, soon. Any thread. False when the loop has ended.
  bool post(std::move_only_function<void()> job);

 private:
  friend class Loop;
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> jobs_;
  uv_async_t* wakeup_ = nullptr;  // null once the loop has ended
};

/// A callback at a point in time; leaves its loop's queue when destroyed. Loop thread only.
class Timer {
 public:
  explicit Timer(std::move_only_function<void()> callback) : callback_(std::move(callback)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  void start(std::chrono::milliseconds delay);
  void stop();
  bool active() const { return loop_ != nullptr; }

 private:
  friend class Loop;
  std::move_only_function<void()> callback_;
  Loop* loop_ = nullptr;
  std::uint64_t due_ms_ = 0;
  std::size_t position_ = 0;  // in the loop's heap
};

/// One event loop. It belongs to the thread that constructs it (at most one a thread), where it is
/// Loop::current(); run() must be called there. SIGPIPE is ignored process-wide from the first on.
class Loop {
 public:
  Loop();
  /// Destroys what spawn() left suspended, then closes every handle.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// The calling thread's loop; aborts where there is none.
  static Loop& current();
  static bool has_current();

  /// Runs until stop().
  void run();
  /// Destroys what spawn() left suspended, as the destructor does: for what these coroutines use and
  /// the loop outlives. From a job or outside of run(), not from a coroutine.
  void destroy_spawned();
  /// Ends run() after the present round; any thread, also before run().
  void stop();
  /// Runs `job` on the loop's thread, soon; any thread, while the loop lives.
  void post(std::move_only_function<void()> job) { mailbox_->post(std::move(job)); }
  std::shared_ptr<Mailbox> mailbox() const { return mailbox_; }

  /// Milliseconds of the loop's clock, as of this round.
  std::uint64_t now_ms() const { return uv_now(&uv_); }
  uv_loop_t* uv() { return &uv_; }

 private:
  friend class PollHandle;
  friend class Timer;
  friend class Waiter;
  friend struct Yield;
  friend void spawn(Task<void> task);
  struct Roots;

  void make_ready(Waiter& waiter) { ready_.push_back(waiter); }
  void run_ready();
  void run_jobs();
  void run_timers();
  void arm_timer();
  void heap_insert(Timer& timer);
  void heap_remove(Timer& timer);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  uv_loop_t uv_;
  std::shared_ptr<Mailbox> mailbox_;
  uv_async_t wakeup_;
  uv_prepare_t before_poll_;
  uv_idle_t no_block_;  // active while coroutines are left over for the next round
  uv_timer_t clock_;
  std::vector<Timer*> timers_;  // a binary heap by due time
  Link ready_;
  std::unique_ptr<Roots> roots_;
};

/// Runs `task` on `loop` (of this thread) until it ends, and answers its result. For tests and
/// command line tools.
template <typename T>
T block_on(Loop& loop, Task<T> task);

/// A thread with a 64 MiB stack (mapped lazily) that runs a loop of its own.
class LoopThread {
 public:
  /// Returns when the loop can be posted to; `name` is the thread's name (at most 15 bytes).
  explicit LoopThread(const char* name = "loop");
  /// Stops the loop and joins.
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  void post(std::move_only_function<void()> job) { mailbox_->post(std::move(job)); }
  std::shared_ptr<Mailbox> mailbox() const { return mailbox_; }
  /// Asks the loop to end; does not wait.
  void stop();

 private:
  struct Start;
  static void* main(void* start);
  pthread_t thread_{};
  Loop* loop_ = nullptr;
  std::shared_ptr<Mailbox> mailbox_;
};

/// Threads for calls that block (libpq, getaddrinfo, the disk). Ours, not libuv's.
class WorkerPool {
 public:
  /// `name` is the threads' (at most 15 bytes, for ever).
  explicit WorkerPool(std::size_t threads, const char* name = "control");
  /// Waits for the job each thread is at; jobs not begun are dropped.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Any thread.
  void submit(std::move_only_function<void()> job);
  /// The process's pool (8 threads, 64 MiB stacks), started at first use.
  static WorkerPool& shared();

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::vector<pthread_t> threads_;
};

/// Runs a blocking function on `pool` and resumes on the current loop with its result or
/// exception. The token abandons the wait (Cancelled is thrown); the function runs to its end,
/// its result is dropped: it must own what it uses.
template <typename Function>
Task<std::invoke_result_t<Function>> run_on_worker(Function function, CancelToken token = {},
                                                   WorkerPool* pool = nullptr);

}  // namespace anabranch::net

#include "net/loop_templates.h"
