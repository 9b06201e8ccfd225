#pragma once

#include <uv.h>

#include "net/error.h"
#include "net/task.h"

namespace anabranch::net {

/// A descriptor under uv_poll; internal to this room. It lives on the heap: dispose() stops it,
/// closes the descriptor, and the object is deleted in libuv's close callback.
class PollHandle {
 public:
  /// Takes over `fd` on the current loop.
  explicit PollHandle(int fd);
  PollHandle(const PollHandle&) = delete;
  PollHandle& operator=(const PollHandle&) = delete;

  int fd() const { return fd_; }
  /// libuv would not take the descriptor.
  bool broken() const { return !initialised_; }
  void dispose();

  /// Waits until the descriptor is ready for `events` (UV_READABLE, UV_WRITABLE), while nothing
  /// else is done with it: connect, accept, handshakes. Closed when disposed meanwhile.
  class [[nodiscard]] Ready : public Waiter {
   public:
    Ready(PollHandle& handle, int events, CancelToken token)
        : handle_(&handle), events_(events), token_(std::move(token)) {}
    ~Ready();
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> self);
    IoResult await_resume() const;

   private:
    friend class PollHandle;
    PollHandle* handle_;
    int events_;
    CancelToken token_;
  };
  Ready ready(int events, CancelToken token) { return {*this, events, std::move(token)}; }
  /// Wakes who waits in ready(), as if its events had come.
  void wake_ready();

 protected:
  virtual ~PollHandle() = default;
  /// Called with the events that came; `failed` when libuv reports an error and has stopped.
  virtual void on_events(int events, bool failed) = 0;
  /// Called by dispose() before the descriptor is closed.
  virtual void on_dispose() {}
  /// Changes what is polled for; a system call only when it differs from now.
  void poll_for(int events);

 private:
  void dispatch(int status, int events);

  uv_poll_t poll_;
  int fd_;
  int armed_ = 0;
  bool initialised_ = false;
  Ready* waiting_ = nullptr;
  Link waiters_;
};

}  // namespace anabranch::net
