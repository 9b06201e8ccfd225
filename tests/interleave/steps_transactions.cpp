#include <fmt/format.h>

#include "session.h"

namespace interleave {

Task<void> Session::begin() {
  const bool read_committed = chance(20);
  model_.home = static_cast<int>(pick(plain_ ? 1 : 4));
  co_await run(chance(50) ? "BEGIN" : read_committed ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "START TRANSACTION");
  model_.begin();
}

Task<void> Session::commit() {
  const std::vector<std::string> notices = model_.now.notices;
  const Answer answer = co_await run(chance(50) ? "COMMIT" : "END");
  const bool committed = model_.commit();
  expect("the end of a transaction", committed ? "COMMIT" : "ROLLBACK", answer.tag);
  if (committed && !model_.now.listening.empty()) to_come_.insert(to_come_.end(), notices.begin(), notices.end());
  model_.now.notices.clear();
}

Task<void> Session::roll_back() {
  co_await run("ROLLBACK");
  model_.rollback();
  model_.now.notices.clear();
}

Task<void> Session::savepoint() {
  const std::string name = fmt::format("s{}", pick(4));
  co_await run("SAVEPOINT " + name);
  model_.savepoint(name);
}

Task<void> Session::roll_back_to() {
  const std::string name = fmt::format("s{}", pick(4));
  if (!model_.has_savepoint(name)) {
    co_await expect_failure("ROLLBACK TO SAVEPOINT " + name, "3B001");
    co_return;
  }
  co_await run("ROLLBACK TO " + name);
  model_.rollback_to(name);
}

Task<void> Session::release() {
  const std::string name = fmt::format("s{}", pick(4));
  if (!model_.has_savepoint(name)) {
    co_await expect_failure("RELEASE " + name, "3B001");
    co_return;
  }
  co_await run("RELEASE SAVEPOINT " + name);
  model_.release(name);
}

Task<void> Session::refused_in_failed() {
  co_await expect_failure(chance(50) ? "SELECT 1" : "SET work_mem TO '2MB'", "25P02");
}

}  // namespace interleave
