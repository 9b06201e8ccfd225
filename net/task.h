#pragma once

#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "net/frame_pool.h"
#include "net/wait.h"

/// The coroutine vocabulary. Everything here belongs to one loop (one thread); a coroutine is
/// resumed only by its loop. Rules: parameters by value or references to what outlives the
/// coroutine; no capturing coroutine lambdas.
namespace anabranch::net {

template <typename T = void>
class Task;

namespace detail {

struct TaskPromiseBase {
  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      return self.promise().continuation;
    }
    void await_resume() noexcept {}
  };

  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }

  std::coroutine_handle<> continuation = std::noop_coroutine();
};

template <typename T>
struct TaskPromise : TaskPromiseBase {
  Task<T> get_return_object();
  void unhandled_exception() { result.template emplace<2>(std::current_exception()); }
  template <typename U>
    requires std::convertible_to<U, T>
  void return_value(U&& value) {
    result.template emplace<1>(std::forward<U>(value));
  }
  T take() {
    if (result.index() == 2) std::rethrow_exception(std::get<2>(std::move(result)));
    return std::get<1>(std::move(result));
  }
  std::variant<std::monostate, T, std::exception_ptr> result;
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  Task<void> get_return_object();
  void unhandled_exception() { error = std::current_exception(); }
  void return_void() {}
  void take() {
    if (error) std::rethrow_exception(std::move(error));
  }
  std::exception_ptr error;
};

}  // namespace detail

/// A lazily started coroutine: it runs when awaited, once, and its exceptions come out of
/// co_await. Destroying a Task that is suspended destroys its frame and everything it waits on.
template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using value_type = T;

  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { reset(); }

  explicit operator bool() const { return handle_ != nullptr; }

  auto operator co_await() && {
    struct Awaiter {
      std::coroutine_handle<promise_type> handle;
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
        handle.promise().continuation = caller;
        return handle;
      }
      T await_resume() { return handle.promise().take(); }
    };
    return Awaiter{handle_};
  }

 private:
  void reset() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }
  std::coroutine_handle<promise_type> handle_;
};

template <typename T>
Task<T> detail::TaskPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

/// Starts a task that nobody awaits; it runs at once, up to its first wait. The current loop owns
/// it: what is still suspended when the loop is destroyed is destroyed with it. An exception that
/// escapes the task ends it, and is reported (net/fault.h).
void spawn(Task<void> task);

/// A one-shot event: once set, it stays set and every wait is ready. Destroying it ends the waits
/// with Wait::cancelled.
class Event {
 public:
  Event() = default;
  ~Event();

  bool is_set() const { return set_; }
  void set();

  struct [[nodiscard]] Awaiter : Waiter {
    Awaiter(Event& event, CancelToken token) : event_(event), token_(std::move(token)) {}
    bool await_ready() const { return event_.set_; }
    void await_suspend(std::coroutine_handle<> self) { park(self, event_.waiters_, token_); }
    Wait await_resume() const { return outcome(); }

   private:
    Event& event_;
    CancelToken token_;
  };
  Awaiter wait(CancelToken token = {}) { return Awaiter(*this, std::move(token)); }

 private:
  Link waiters_;
  bool set_ = false;
};

/// An auto-reset signal for one waiter at a time: notify() makes the present or the next wait
/// ready, and notifications that nobody has waited for yet count once. How one coroutine waits for
/// several sources (Socket::watch); it may be woken once more than there was reason to.
class Signal {
 public:
  Signal() = default;
  ~Signal();

  void notify();

  struct [[nodiscard]] Awaiter : Waiter {
    Awaiter(Signal& signal, CancelToken token) : signal_(signal), token_(std::move(token)) {}
    bool await_ready() const { return std::exchange(signal_.notified_, false); }
    void await_suspend(std::coroutine_handle<> self) { park(self, signal_.waiters_, token_); }
    Wait await_resume() const { return outcome(); }

   private:
    Signal& signal_;
    CancelToken token_;
  };
  Awaiter wait(CancelToken token = {}) { return Awaiter(*this, std::move(token)); }

 private:
  Link waiters_;
  bool notified_ = false;
};

/// A mutex between coroutines of one loop; first come, first served.
class Mutex {
 public:
  Mutex() = default;
  ~Mutex();

  class [[nodiscard]] Guard {
   public:
    explicit Guard(Mutex* mutex) : mutex_(mutex) {}
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard& operator=(Guard&&) = delete;
    ~Guard() {
      if (mutex_) mutex_->unlock();
    }

   private:
    Mutex* mutex_;
  };

  struct [[nodiscard]] Awaiter : Waiter {
    Awaiter(Mutex& mutex, CancelToken token) : mutex_(mutex), token_(std::move(token)) {}
    ~Awaiter();
    bool await_ready() {
      if (token_.cancelled()) return true;
      if (mutex_.locked_) return false;
      return owns_ = mutex_.locked_ = true;
    }
    void await_suspend(std::coroutine_handle<> self) { park(self, mutex_.waiters_, token_); }
    /// Nothing when the token was cancelled before the lock was had.
    std::optional<Guard> await_resume();

   private:
    friend class Mutex;
    Mutex& mutex_;
    CancelToken token_;
    bool owns_ = false;
  };
  Awaiter lock(CancelToken token = {}) { return Awaiter(*this, std::move(token)); }

 private:
  void unlock();
  Link waiters_;
  bool locked_ = false;
};

/// An unbounded queue between coroutines of one loop, for one consumer.
template <typename T>
class Queue {
 public:
  void push(T item) {
    items_.push_back(std::move(item));
    signal_.notify();
  }
  /// After this, pop() empties the queue and then answers nothing.
  void close() {
    closed_ = true;
    signal_.notify();
  }
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }

  /// The next item; nothing when the queue is closed or the token cancelled.
  Task<std::optional<T>> pop(CancelToken token = {}) {
    while (items_.empty()) {
      if (closed_) co_return std::nullopt;
      if (co_await signal_.wait(token) != Wait::ready) co_return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    co_return item;
  }

 private:
  std::deque<T> items_;
  Signal signal_;
  bool closed_ = false;
};

/// Waits for `delay` on the current loop; Wait::ready when it has passed.
Task<Wait> sleep(std::chrono::milliseconds delay, CancelToken token = {});

/// Lets everything else that is ready run first.
struct [[nodiscard]] Yield : Waiter {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> self);
  void await_resume() const {}
};
inline Yield yield() {
  return {};
}

/// Runs `body(token)` with a token that times out after `limit` (or is cancelled with `parent`);
/// the result is whatever the body makes of it. `body` is an ordinary function that answers a Task.
template <typename Body>
auto with_timeout(std::chrono::milliseconds limit, CancelToken parent, Body body)
    -> std::invoke_result_t<Body, CancelToken> {
  CancelSource source(parent);
  source.cancel_after(limit);
  co_return co_await body(source.token());
}

namespace detail {

/// A coroutine that starts when it is made and frees itself at its end; a body must not throw.
struct Detached {
  struct promise_type {
    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }
    Detached get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

/// Counts the children of one when_all and remembers the first error.
struct Gathering {
  std::size_t missing = 0;
  Event all_done;
  std::exception_ptr error;
  void finished() {
    if (--missing == 0) all_done.set();
  }
};

/// Frames of children, destroyed with the coroutine that gathers them.
struct Children {
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  ~Children() {
    for (auto child : handles) child.destroy();
  }
  std::vector<std::coroutine_handle<>> handles;
};

template <typename T>
Detached run_child(Task<T> task, Gathering& gathering, std::optional<T>& result) {
  try {
    result.emplace(co_await std::move(task));
  } catch (...) {
    if (!gathering.error) gathering.error = std::current_exception();
  }
  gathering.finished();
}
inline Detached run_child(Task<void> task, Gathering& gathering) {
  try {
    co_await std::move(task);
  } catch (...) {
    if (!gathering.error) gathering.error = std::current_exception();
  }
  gathering.finished();
}

}  // namespace detail

/// Runs all tasks concurrently and waits for every one; then rethrows the first exception, if any.
/// To end the others early, give all the same token and cancel it.
inline Task<void> when_all(std::vector<Task<void>> tasks) {
  detail::Gathering gathering;
  detail::Children children;
  gathering.missing = tasks.size();
  for (auto& task : tasks) {
    children.handles.push_back(detail::run_child(std::move(task), gathering).handle);
  }
  for (std::size_t i = 0; i < children.handles.size(); ++i) children.handles[i].resume();
  if (gathering.missing > 0) co_await gathering.all_done.wait();
  if (gathering.error) std::rethrow_exception(gathering.error);
}

/// The same for tasks with results, in the tasks' order.
template <typename T>
  requires(!std::is_void_v<T>)
Task<std::vector<T>> when_all(std::vector<Task<T>> tasks) {
  detail::Gathering gathering;
  std::vector<std::optional<T>> slots(tasks.size());
  detail::Children children;
  gathering.missing = tasks.size();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    children.handles.push_back(detail::run_child(std::move(tasks[i]), gathering, slots[i]).handle);
  }
  for (std::size_t i = 0; i < children.handles.size(); ++i) children.handles[i].resume();
  if (gathering.missing > 0) co_await gathering.all_done.wait();
  if (gathering.error) std::rethrow_exception(gathering.error);
  std::vector<T> results;
  results.reserve(slots.size());
  for (auto& slot : slots) results.push_back(std::move(*slot));
  co_return results;
}

/// The same for a few tasks of different kinds without results.
template <std::same_as<Task<void>>... Tasks>
Task<void> when_all(Task<void> first, Tasks... rest) {
  std::vector<Task<void>> tasks;
  tasks.push_back(std::move(first));
  (tasks.push_back(std::move(rest)), ...);
  return when_all(std::move(tasks));
}

}  // namespace anabranch::net
