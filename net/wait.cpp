#include "net/wait.h"

#include "net/loop.h"

namespace anabranch::net {

void Link::unlink() {
  prev_->next_ = next_;
  next_->prev_ = prev_;
  prev_ = next_ = this;
}

void Link::push_back(Link& node) {
  node.prev_ = prev_;
  node.next_ = this;
  prev_->next_ = &node;
  prev_ = &node;
}

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

namespace detail {

class CancelState {
 public:
  CancelState() : timer_([this] { cancel(Wait::timed_out); }), parent_(*this) {}

  Wait reason() const { return reason_; }
  void attach(CancelHook& hook) { hooks_.push_back(hook); }
  void follow(const CancelToken& parent) {
    if (parent.cancelled()) {
      reason_ = parent.state();
    } else {
      parent.attach(parent_);
    }
  }
  void cancel(Wait reason) {
    if (reason_ != Wait::ready) return;
    reason_ = reason;
    timer_.stop();
    parent_.unlink();
    while (Link* link = hooks_.front()) {
      link->unlink();
      static_cast<CancelHook*>(link)->on_cancel(reason);
    }
  }
  Timer& timer() { return timer_; }

 private:
  struct ParentHook final : CancelHook {
    explicit ParentHook(CancelState& owner) : state(owner) {}
    void on_cancel(Wait reason) override { state.cancel(reason); }
    CancelState& state;
  };
  Wait reason_ = Wait::ready;
  Link hooks_;
  Timer timer_;
  ParentHook parent_;
};

}  // namespace detail

Wait CancelToken::state() const {
  return state_ ? state_->reason() : Wait::ready;
}

void CancelToken::attach(CancelHook& hook) const {
  if (state_) state_->attach(hook);
}

CancelSource::CancelSource() : state_(std::make_shared<detail::CancelState>()) {}

CancelSource::CancelSource(const CancelToken& parent) : CancelSource() {
  state_->follow(parent);
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
  kept->cancel(reason);
}

void CancelSource::cancel_after(std::chrono::milliseconds delay) {
  if (state_->reason() == Wait::ready) state_->timer().start(delay);
}

void CancelSource::clear_timeout() {
  if (state_) state_->timer().stop();
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
