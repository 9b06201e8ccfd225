#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "net/task.h"

namespace anabranch::proxy {

class Instance;
struct SessionState;

/// One moment at a time in the whole process. Any thread.
class Turnstile {
 public:
  /// Calls `go` when it is the caller's turn: now, or from the thread of whoever leaves.
  void enter(std::move_only_function<void()> go);
  /// The turn has ended, or was never taken up.
  void leave();

 private:
  std::mutex mutex_;
  bool taken_ = false;
  std::deque<std::move_only_function<void()>> waiting_;
};

/// For a transaction that is REPEATABLE READ and READ ONLY, before its first query: takes its snapshot
/// on all shards at one moment. No loop sends a new statement of this database to any shard between
/// the first and the last snapshot, and no commit over several shards is under way meanwhile: nothing
/// that follows a commit which the first snapshot missed can be seen by the last. Throws 55P03 when
/// such commits do not end in time, and what the shards fail with.
net::Task<void> take_snapshots(SessionState& state);

}  // namespace anabranch::proxy
