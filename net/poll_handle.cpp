#include "net/poll_handle.h"

#include <unistd.h>

#include "net/loop.h"

namespace anabranch::net {

PollHandle::PollHandle(int fd) : fd_(fd) {
  initialised_ = uv_poll_init(Loop::current().uv(), &poll_, fd) == 0;
  poll_.data = this;
}

void PollHandle::dispose() {
  if (waiting_) {
    Ready* waiter = std::exchange(waiting_, nullptr);
    waiter->handle_ = nullptr;
    if (waiter->linked()) waiter->wake();
  }
  on_dispose();
  if (!initialised_) {
    ::close(fd_);
    delete this;
    return;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_),
           [](uv_handle_t* handle) { delete static_cast<PollHandle*>(handle->data); });
  ::close(fd_);  // uv_close has stopped the polling
}

void PollHandle::poll_for(int events) {
  if (events == armed_ || !initialised_) return;
  armed_ = events;
  if (events == 0) {
    uv_poll_stop(&poll_);
    return;
  }
  uv_poll_start(&poll_, events, [](uv_poll_t* handle, int status, int came) {
    static_cast<PollHandle*>(handle->data)->dispatch(status, came);
    // Whom this has woken goes on before the next socket is looked at: a request that waited for the
    // whole batch to be read would leave its server idle meanwhile.
    Loop::current().run_ready();
  });
}

void PollHandle::dispatch(int status, int events) {
  const bool failed = status < 0;
  if (failed) armed_ = 0;  // libuv has stopped it
  if (waiting_) {
    poll_for(0);
    wake_ready();
    return;
  }
  on_events(failed ? UV_READABLE | UV_WRITABLE : events, failed);
}

void PollHandle::wake_ready() {
  if (waiting_ && waiting_->linked()) waiting_->wake();
}

PollHandle::Ready::~Ready() {
  if (handle_ && handle_->waiting_ == this) {
    handle_->waiting_ = nullptr;
    handle_->poll_for(0);
  }
}

void PollHandle::Ready::await_suspend(std::coroutine_handle<> self) {
  handle_->waiting_ = this;
  handle_->poll_for(events_);
  park(self, handle_->waiters_, token_);
}

IoResult PollHandle::Ready::await_resume() const {
  if (!handle_) return std::unexpected(NetError{NetError::Kind::closed, "closed"});
  if (outcome() != Wait::ready) return std::unexpected(NetError::from(outcome()));
  return {};
}

}  // namespace anabranch::net
