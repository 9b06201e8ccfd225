#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <utility>

namespace anabranch::net {

/// How a wait ended.
enum class Wait : std::uint8_t { ready, cancelled, timed_out };

/// Thrown only by the few waits that have no other way to say it (run_on_worker with a token).
struct Cancelled : std::exception {
  explicit Cancelled(Wait why) : reason(why) {}
  const char* what() const noexcept override {
    return reason == Wait::timed_out ? "timed out" : "cancelled";
  }
  Wait reason;
};

/// A node of an intrusive circular list; it leaves its list when it is destroyed.
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  bool linked() const { return next_ != this; }
  void unlink() {
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = this;
  }
  /// Makes `node` the last of the list that this node heads.
  void push_back(Link& node) {
    node.prev_ = prev_;
    node.next_ = this;
    prev_->next_ = &node;
    prev_ = &node;
  }
  /// First of the list that this node heads, or nullptr.
  Link* front() { return linked() ? next_ : nullptr; }
  /// Moves all nodes of `other`'s list behind this list's last.
  void splice(Link& other);

 private:
  Link* prev_ = this;
  Link* next_ = this;
};

/// Something that is called once when a token is cancelled, and forgets itself when destroyed.
class CancelHook : public Link {
 public:
  virtual void on_cancel(Wait reason) = 0;

 protected:
  ~CancelHook() = default;
};

namespace detail {

/// What a source and its tokens share. They are all of one thread: their number is counted plainly.
struct CancelState {
  std::uint32_t owners = 0;
  Wait reason = Wait::ready;
  Link hooks;

 protected:
  ~CancelState() = default;
};
void destroy(CancelState* state) noexcept;

class CancelStatePtr {
 public:
  explicit CancelStatePtr(CancelState* state = nullptr) : state_(state) {
    if (state_) ++state_->owners;
  }
  CancelStatePtr(const CancelStatePtr& other) : CancelStatePtr(other.state_) {}
  CancelStatePtr(CancelStatePtr&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  CancelStatePtr& operator=(CancelStatePtr other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~CancelStatePtr() {
    if (state_ && --state_->owners == 0) destroy(state_);
  }
  explicit operator bool() const { return state_ != nullptr; }
  CancelState* operator->() const { return state_; }
  CancelState& operator*() const { return *state_; }

 private:
  CancelState* state_;
};

}  // namespace detail

/// Tells an operation that nobody waits for it any more. Copies are cheap; a default-constructed
/// token is never cancelled. Tokens and sources belong to the loop they were made on.
class CancelToken {
 public:
  CancelToken() = default;
  /// Wait::ready while nothing has happened, else why it was cancelled.
  Wait state() const { return state_ ? state_->reason : Wait::ready; }
  bool cancelled() const { return state() != Wait::ready; }
  /// Calls hook.on_cancel once when cancelled later; not when it has been already (ask first).
  void attach(CancelHook& hook) const {
    if (state_) state_->hooks.push_back(hook);
  }

 private:
  friend class CancelSource;
  explicit CancelToken(detail::CancelStatePtr state) : state_(std::move(state)) {}
  detail::CancelStatePtr state_;
};

/// The other end of tokens. Cancelling never runs a coroutine itself: waiters are made ready and
/// resumed by the loop. Destroying the source stops its timer and cancels nothing.
class CancelSource {
 public:
  CancelSource();
  /// Also cancelled when `parent` is, with the parent's reason.
  explicit CancelSource(const CancelToken& parent);
  CancelSource(CancelSource&&) noexcept = default;
  CancelSource& operator=(CancelSource&&) noexcept;
  ~CancelSource();

  CancelToken token() const { return CancelToken(state_); }
  void cancel(Wait reason = Wait::cancelled);
  /// Cancels with Wait::timed_out after `delay`; a later call replaces an earlier one.
  void cancel_after(std::chrono::milliseconds delay);
  void clear_timeout();

 private:
  detail::CancelStatePtr state_;
};

/// One suspended coroutine: it hangs in one wait list and on one token, and leaves both when woken
/// or when its coroutine's frame is destroyed. The base of every awaiter.
class Waiter : public Link {
 public:
  Waiter() : hook_(*this) {}

  /// Parks `coroutine` in `list` until wake() or the token's cancellation.
  void park(std::coroutine_handle<> coroutine, Link& list, const CancelToken& token);
  /// Leaves the wait list and queues the coroutine for resumption on the current loop.
  void wake(Wait why = Wait::ready);
  Wait outcome() const { return outcome_; }

 private:
  friend class Loop;
  struct Hook final : CancelHook {
    explicit Hook(Waiter& owner) : waiter(owner) {}
    void on_cancel(Wait reason) override { waiter.wake(reason); }
    Waiter& waiter;
  };
  Hook hook_;
  std::coroutine_handle<> coroutine_;
  Wait outcome_ = Wait::ready;
};

}  // namespace anabranch::net
