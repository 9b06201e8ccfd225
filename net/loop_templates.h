#pragma once

// The bodies of loop.h's templates; include loop.h.

#include <variant>

#include "net/loop.h"

namespace anabranch::net {

namespace detail {

template <typename T>
Task<void> keep_result(Task<T> task, Loop& loop, std::optional<T>& result,
                       std::exception_ptr& error) {
  try {
    result.emplace(co_await std::move(task));
  } catch (...) {
    error = std::current_exception();
  }
  loop.stop();
}
inline Task<void> keep_result(Task<void> task, Loop& loop, std::exception_ptr& error) {
  try {
    co_await std::move(task);
  } catch (...) {
    error = std::current_exception();
  }
  loop.stop();
}

/// What a worker leaves for the coroutine that waits. Written by the worker before it posts, read
/// on the loop after.
template <typename Result>
struct WorkerJob {
  using Stored = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;
  std::optional<Stored> result;
  std::exception_ptr error;
  Event done;  // loop thread only
};

}  // namespace detail

template <typename T>
T block_on(Loop& loop, Task<T> task) {
  std::exception_ptr error;
  if constexpr (std::is_void_v<T>) {
    spawn(detail::keep_result(std::move(task), loop, error));
    loop.run();
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<T> result;
    spawn(detail::keep_result<T>(std::move(task), loop, result, error));
    loop.run();
    if (error) std::rethrow_exception(error);
    return std::move(*result);
  }
}

template <typename Function>
Task<std::invoke_result_t<Function>> run_on_worker(Function function, CancelToken token,
                                                   WorkerPool* pool) {
  using Result = std::invoke_result_t<Function>;
  auto job = std::make_shared<detail::WorkerJob<Result>>();
  auto mailbox = Loop::current().mailbox();
  (pool ? *pool : WorkerPool::shared())
      .submit([job, mailbox, work = std::move(function)]() mutable {
        try {
          if constexpr (std::is_void_v<Result>) {
            work();
            job->result.emplace();
          } else {
            job->result.emplace(work());
          }
        } catch (...) {
          job->error = std::current_exception();
        }
        mailbox->post([kept = std::move(job)] { kept->done.set(); });
      });
  if (Wait why = co_await job->done.wait(token); why != Wait::ready) throw Cancelled(why);
  if (job->error) std::rethrow_exception(std::move(job->error));
  if constexpr (!std::is_void_v<Result>) co_return std::move(*job->result);
}

}  // namespace anabranch::net
