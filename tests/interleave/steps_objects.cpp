#include <fmt/format.h>
#include <fmt/ranges.h>

#include "session.h"

namespace interleave {

namespace {

/// Locks that every session wants, and only one can have.
constexpr std::int64_t contested_keys = 7;

}  // namespace

/// In a transaction, one shard is written to.
bool Session::may_write_default() const { return plain_ || !in_transaction() || model_.home == 0; }

/// One name for all sessions; each has other columns and rows.
Task<void> Session::temporary_table() {
  // What one role has made, another may not read.
  if (!may_write_default() || model_.shown("role") != "none") co_return;
  const std::string name = fmt::format("scratch_{}", pick(2));
  const auto found = model_.now.temporary.find(name);
  if (found == model_.now.temporary.end()) {
    if (chance(20)) {
      co_await expect_failure(fmt::format("SELECT * FROM {}", name), "42P01");
      co_return;
    }
    TempTable made{fmt::format("of_{}_{}", number_, ++tokens_), {}, in_transaction() && chance(40)};
    co_await run(fmt::format("CREATE TEMPORARY TABLE {} ({} text){}", name, made.column,
                             made.drops_on_commit ? " ON COMMIT DROP" : ""));
    model_.now.temporary[name] = made;
    co_return;
  }
  TempTable& table = found->second;
  switch (pick(3)) {
    case 0: {
      const std::string mark = token();
      co_await run(fmt::format("INSERT INTO {} ({}) VALUES ('{}')", name, table.column, mark));
      table.rows.push_back(mark);
      co_return;
    }
    case 1: {
      const Answer answer = co_await run(fmt::format("SELECT {} FROM {}", table.column, name));
      expect("a temporary table", table.rows.empty() ? "SELECT 0" : fmt::format("{}", fmt::join(table.rows, "\n")),
             answer.text());
      co_return;
    }
    default:
      co_await run("DROP TABLE " + name);
      model_.now.temporary.erase(name);
  }
}

Task<void> Session::listen_and_notify() {
  if (!may_write_default()) co_return;
  const std::string channel = fmt::format("channel_{}", number_);
  const bool listening = model_.now.listening.contains(channel);
  if (!listening || chance(20)) {
    co_await run(fmt::format("{} {}", listening ? "UNLISTEN" : "LISTEN", channel));
    listening ? (void)model_.now.listening.erase(channel) : (void)model_.now.listening.insert(channel);
    co_return;
  }
  const std::string mark = token();
  // It goes out with the transaction, and does not come where LISTEN was taken back.
  if (!in_transaction()) to_come_.push_back(fmt::format("{} {}", channel, mark));
  co_await run(fmt::format("NOTIFY {}, '{}'", channel, mark));
  if (in_transaction()) model_.now.notices.push_back(fmt::format("{} {}", channel, mark));
}

Task<void> Session::session_lock() {
  if (!may_write_default()) co_return;
  const auto key = static_cast<std::int64_t>(pick(contested_keys));
  int& times = model_.session_locks[key];
  if (times > 0 && chance(60)) {
    --times;
    if (times == 0) {
      model_.session_locks.erase(key);
      world_.contested.erase(key);  // from the moment it is asked for, another may have it
    }
    co_await expect_value(fmt::format("SELECT pg_advisory_unlock({})", key), "t");
    co_return;
  }
  if (times == 0) model_.session_locks.erase(key);
  const Answer answer = co_await run(fmt::format("SELECT pg_try_advisory_lock({})", key));
  const auto holder = world_.contested.find(key);
  if (answer.text() != "t") co_return;
  if (holder != world_.contested.end() && holder->second != number_) {
    differ("an advisory lock that somebody has", fmt::format("f, as session {} has it", holder->second), "t");
  }
  world_.contested[key] = number_;
  ++model_.session_locks[key];
}

Task<void> Session::transaction_lock() {
  if (!may_write_default()) co_return;
  const std::int64_t key = 1'000'000 + number_;
  co_await expect_value(fmt::format("SELECT pg_try_advisory_xact_lock({})", key), "t");
}

Task<void> Session::number() {
  if (!may_write_default()) co_return;
  if (!model_.last_number) {
    if (chance(30)) {
      co_await expect_failure(chance(50) ? "SELECT currval('tickets')" : "SELECT lastval()", "55000");
      co_return;
    }
    const Answer answer = co_await run("SELECT nextval('tickets')");
    model_.last_number = std::stoll(answer.text());
    co_return;
  }
  if (chance(30)) {
    const Answer answer = co_await run("SELECT nextval('tickets')");
    if (std::stoll(answer.text()) <= *model_.last_number) {
      differ("the next number", fmt::format("more than {}", *model_.last_number), answer.text());
    }
    model_.last_number = std::stoll(answer.text());
    co_return;
  }
  co_await expect_value(chance(50) ? "SELECT currval('tickets')" : "SELECT lastval()",
                        fmt::format("{}", *model_.last_number));
}

}  // namespace interleave
