#pragma once

#include <chrono>
#include <coroutine>
#include <vector>

#include "task.h"

namespace interleave {

using Clock = std::chrono::steady_clock;

/// One thread, poll(), and all the coroutines that wait for it.
class Loop {
 public:
  struct Wait {
    Loop& loop;
    int fd;  ///< -1: for the time only
    short events;
    Clock::time_point until;
    bool came = false;
    std::coroutine_handle<> waiting = {};

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiting = handle;
      loop.waiting_.push_back(this);
    }
    /// False: the time has passed.
    bool await_resume() const { return came; }
  };

  Wait ready(int fd, short events, std::chrono::milliseconds limit) {
    return {*this, fd, events, Clock::now() + limit};
  }
  Wait sleep(std::chrono::milliseconds time) { return ready(-1, 0, time); }

  /// Until all have ended; the first that throws ends everything.
  void run(std::vector<Task<void>>& all);

 private:
  void turn();
  std::vector<Wait*> waiting_;
};

}  // namespace interleave
