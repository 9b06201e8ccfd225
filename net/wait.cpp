#include "net/wait.h"

#include "net/loop.h"

namespace anabranch::net {

void Link::splice(Link& other) {
  if (!other.linked()) return;
  Link* first = other.next_;
  Link* last = other.prev_;
  other.prev_ = other.next_ = &other;
  first->prev_ = prev_;
  prev_->next_ = first;
  last->next_ = this;
  prev_ = last;
}

namespace {

/// A source's own part: its timer, and the token it follows.
struct SourceState final : detail::CancelState {
  SourceState() : timer([this] { cancel(Wait::timed_out); }), parent(*this) {}

  void follow(const CancelToken& token) {
    if (token.cancelled()) {
      reason = token.state();
    } else {
      token.attach(parent);
    }
  }
  void cancel(Wait why) {
    if (reason != Wait::ready) return;
    reason = why;
    timer.stop();
    parent.unlink();
    while (Link* link = hooks.front()) {
      link->unlink();
      static_cast<CancelHook*>(link)->on_cancel(why);
    }
  }

  struct ParentHook final : CancelHook {
    explicit ParentHook(SourceState& owner) : state(owner) {}
    void on_cancel(Wait why) override { state.cancel(why); }
    SourceState& state;
  };
  Timer timer;
  ParentHook parent;
};

// Every state is a source's.
SourceState& own(const detail::CancelStatePtr& state) {
  return static_cast<SourceState&>(*state);
}

}  // namespace

void detail::destroy(CancelState* state) noexcept {
  delete static_cast<SourceState*>(state);
}

CancelSource::CancelSource() : state_(new SourceState()) {}

CancelSource::CancelSource(const CancelToken& parent) : CancelSource() {
  own(state_).follow(parent);
}

CancelSource& CancelSource::operator=(CancelSource&& other) noexcept {
  if (this == &other) return *this;
  clear_timeout();
  state_ = std::move(other.state_);
  return *this;
}

CancelSource::~CancelSource() {
  clear_timeout();
}

void CancelSource::cancel(Wait reason) {
  const auto kept = state_;
  own(kept).cancel(reason);
}

void CancelSource::cancel_after(std::chrono::milliseconds delay) {
  if (state_->reason == Wait::ready) own(state_).timer.start(delay);
}

void CancelSource::clear_timeout() {
  if (state_) own(state_).timer.stop();
}

void Waiter::park(std::coroutine_handle<> coroutine, Link& list, const CancelToken& token) {
  coroutine_ = coroutine;
  outcome_ = Wait::ready;
  if (token.cancelled()) return wake(token.state());
  list.push_back(*this);
  token.attach(hook_);
}

void Waiter::wake(Wait why) {
  unlink();
  hook_.unlink();
  outcome_ = why;
  Loop::current().make_ready(*this);
}

}  // namespace anabranch::net
