#include <fmt/format.h>
#include <fmt/ranges.h>

#include "session.h"

namespace interleave {

/// Of this session alone; in a transaction, on the shard that it writes to.
std::int64_t Session::new_id() {
  const auto slot = static_cast<std::int64_t>(pick(8));
  const std::int64_t residue = in_transaction() ? model_.home : static_cast<std::int64_t>(pick(4));
  return (number_ + 1) * 1000 + slot * 4 + residue;
}

Task<void> Session::write_row() {
  const std::int64_t id = new_id();
  const bool there = model_.now.rows.contains(id);
  const std::string note = token();
  if (!there) {
    co_await run(fmt::format("INSERT INTO {} (id, owner, note) VALUES ({}, {}, '{}')", rows_table(), id, number_, note));
    model_.now.rows[id] = note;
  } else if (chance(30)) {
    const Answer answer = co_await run(fmt::format("DELETE FROM {} WHERE id = {}", rows_table(), id));
    expect("a deletion", "DELETE 1", answer.tag);
    model_.now.rows.erase(id);
  } else if (chance(20)) {
    co_await expect_failure(
        fmt::format("INSERT INTO {} (id, owner, note) VALUES ({}, {}, 'twice')", rows_table(), id, number_), "23505");
  } else {
    co_await expect_value(
        fmt::format("UPDATE {} SET note = '{}' WHERE id = {} RETURNING note", rows_table(), note, id), note);
    model_.now.rows[id] = note;
  }
}

Task<void> Session::read_rows() {
  std::vector<std::string> lines;
  for (const auto& [id, note] : model_.now.rows) lines.push_back(fmt::format("{}|{}", id, note));
  switch (pick(3)) {
    case 0: {
      const Answer answer = co_await run(
          fmt::format("SELECT id, note FROM {} WHERE owner = {} ORDER BY id", rows_table(), number_));
      expect("all own rows", lines.empty() ? "SELECT 0" : fmt::format("{}", fmt::join(lines, "\n")), answer.text());
      co_return;
    }
    case 1:
      co_await expect_value(fmt::format("SELECT count(*), coalesce(max(owner), {}) FROM {} WHERE owner = {}", number_,
                                        rows_table(), number_),
                            fmt::format("{}|{}", lines.size(), number_));
      co_return;
    default: {
      const std::int64_t id = new_id();
      const Answer answer = co_await run(fmt::format("SELECT note FROM {} WHERE id = {}", rows_table(), id));
      const auto found = model_.now.rows.find(id);
      expect("one own row", found == model_.now.rows.end() ? "SELECT 0" : found->second, answer.text());
    }
  }
}

/// More than a buffer holds, each line with the session's own mark.
Task<void> Session::many_rows() {
  const std::string mark = token();
  const auto count = 1000 + pick(20000);
  const Answer answer = co_await run(fmt::format("SELECT '{}' FROM generate_series(1, {})", mark, count));
  expect("the number of many rows", fmt::format("{}", count), fmt::format("{}", answer.rows.size()));
  for (const auto& row : answer.rows) expect("one of many rows", mark, row[0]);
}

/// Several statements before one Sync: together they happen or do not.
Task<void> Session::pipeline() {
  const State before = model_.snapshot();
  std::vector<Piece> pieces;
  std::vector<std::string> expected;
  const auto count = 2 + pick(6);
  const std::uint64_t failing = chance(35) ? pick(count) : count;
  const bool own = !in_transaction();
  if (own) model_.home = static_cast<int>(pick(4));
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string mark = token();
    if (i == failing) {
      pieces.push_back({"SELECT 1 / $1::int", {"0"}});
      expected.emplace_back("22012");
    } else if (chance(30)) {
      pieces.push_back({fmt::format("SET application_name TO '{}'", mark), {}});
      expected.emplace_back("SET");
      if (i < failing) model_.set("application_name", mark, false);
    } else {
      pieces.push_back({"SELECT $1::text || current_setting('application_name')", {mark}});
      expected.push_back(mark + model_.shown("application_name"));
    }
    if (i > failing) expected.back() = "skipped";
  }
  const State wanted = model_.snapshot();
  model_.restore(before);
  for (const Piece& piece : pieces) {
    note(fmt::format("piece {} {}", piece.sql, piece.parameters.empty() ? "" : piece.parameters[0]));
  }
  const Answers answers = settled(co_await link_.pipeline(pieces));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Answer& answer = answers.at(i);
    expect(fmt::format("statement {} of a pipeline", i + 1), expected[i], answer.ok() ? answer.text() : answer.sqlstate);
  }
  if (failing < count) {
    failed();
  } else {
    model_.restore(wanted);
  }
}

Task<void> Session::cursor() {
  const std::string name = fmt::format("c{}", pick(3));
  const auto found = model_.now.cursors.find(name);
  if (found == model_.now.cursors.end()) {
    if (!may_write_default()) co_return;
    auto made = std::make_shared<Cursor>(Cursor{token(), 5 + static_cast<int>(pick(20)), 0});
    co_await run(fmt::format("DECLARE {} NO SCROLL CURSOR FOR SELECT '{}-' || g FROM generate_series(1, {}) g", name,
                             made->token, made->rows));
    model_.now.cursors[name] = made;
  } else if (chance(20)) {
    co_await run("CLOSE " + name);
    model_.now.cursors.erase(name);
  } else {
    Cursor& cursor = *found->second;
    const int wanted = 1 + static_cast<int>(pick(6));
    std::vector<std::string> lines;
    for (int i = 0; i < wanted && cursor.read < cursor.rows; ++i) {
      lines.push_back(fmt::format("{}-{}", cursor.token, ++cursor.read));
    }
    const Answer answer = co_await run(fmt::format("FETCH {} FROM {}", wanted, name));
    expect("rows of a cursor", lines.empty() ? "FETCH 0" : fmt::format("{}", fmt::join(lines, "\n")), answer.text());
  }
}

}  // namespace interleave
