#include <fmt/format.h>

#include "session.h"

namespace interleave {

Task<void> Session::fail_somehow() {
  switch (pick(6)) {
    case 0: co_await expect_failure("SELECT 1 / 0", "22012"); break;
    case 1: co_await expect_failure("SELEC 1", "42601"); break;
    case 2: co_await expect_failure("SELECT * FROM nobody_has_this", "42P01"); break;
    case 3:
      co_await expect_failure(fmt::format("SELECT 1 / (id - id) FROM {} WHERE id = {}", rows_table(), pick(4)), "22012");
      break;
    case 4: co_await expect_failure(fmt::format("SELECT sum(1 / owner) FROM {} WHERE id < 4", rows_table()), "22012"); break;
    default: co_await expect_failure("SET work_mem TO 'much'", "22023");
  }
}

/// A statement that would run for long, ended by a cancel from another connection.
Task<void> Session::cancel() {
  note("query SELECT pg_sleep(100), and cancel");
  co_await link_.start("SELECT pg_sleep(100)");
  // The statement may still wait for a connection: a cancel reaches it there too. One that comes
  // before the statement does is lost, as on any server.
  co_await world_.loop.sleep(std::chrono::milliseconds(pick(30)));
  int cancels = 0;
  do {
    if (++cancels > 20) differ("a cancel", "its effect", "a statement that sleeps on");
    link_.cancel();
  } while (!co_await link_.answered(std::chrono::seconds(2)));
  const Answers answers = settled(co_await link_.finish());
  expect("a cancelled statement", "57014", answers.back().sqlstate);
  failed();
}

/// The statement is over: the cancel finds nothing, or this session's next statement, and nobody else's.
Task<void> Session::late_cancel() {
  co_await expect_value("SELECT 'early'", "early");
  note("cancel");
  link_.cancel();
  const Answer answer = co_await ask("SELECT 'late'");
  if (answer.sqlstate == "57014") {
    failed();
  } else {
    expect("the statement after a late cancel", "late", answer.text());
  }
}

void Session::after_reconnect() {
  for (const auto& [key, times] : model_.session_locks) world_.contested.erase(key);
  connected_ = false;
}

Task<void> Session::cut() {
  if (model_.transaction() != Model::Transaction::failed && chance(50)) {
    note("query (cut off) SELECT pg_sleep");
    co_await link_.start(chance(50) ? "SELECT pg_sleep(0.05)" : "SELECT g FROM generate_series(1, 100000) g");
    co_await world_.loop.sleep(std::chrono::milliseconds(pick(10)));
  }
  note("cut");
  after_reconnect();
  link_.cut();
}

Task<void> Session::leave() {
  note("leave");
  after_reconnect();
  link_.close();
  co_return;
}

Task<void> Session::think() { co_await world_.loop.sleep(std::chrono::milliseconds(pick(20))); }

}  // namespace interleave
