#include <fmt/format.h>

#include "session.h"

namespace interleave {

namespace {

/// Few names, many sessions: every name means something else to each.
constexpr std::uint64_t names = 5;

}  // namespace

/// The table `place` is another one in each schema, and says which.
std::string Session::place() const {
  const std::string path = model_.shown("search_path");
  if (path.starts_with("alpha")) return "alpha";
  return path.starts_with("beta") ? "beta" : "public";
}

std::string Session::prepared_text(const Prepared& prepared) const {
  switch (prepared.kind) {
    case Prepared::Kind::token: return fmt::format("SELECT '{}' || $1::text", prepared.token);
    case Prepared::Kind::note: return fmt::format("SELECT note FROM {} WHERE id = $1::bigint", rows_table());
    case Prepared::Kind::count:
      return fmt::format("SELECT count(*) FROM {} WHERE owner = {} AND id >= $1::bigint", rows_table(), number_);
    case Prepared::Kind::setting: return "SELECT current_setting('application_name') || $1::text";
    case Prepared::Kind::place: return "SELECT name || $1::text FROM place";
    case Prepared::Kind::sum: return fmt::format("SELECT $1::bigint + {}", number_);
    case Prepared::Kind::write:
      return fmt::format("UPDATE {} SET note = '{}' WHERE id = $1::bigint", rows_table(), prepared.token);
  }
  return {};
}

std::string Session::prepared_result(const Prepared& prepared, std::string_view argument) const {
  switch (prepared.kind) {
    case Prepared::Kind::token: return prepared.token + std::string(argument);
    case Prepared::Kind::note: {
      const auto found = model_.now.rows.find(std::stoll(std::string(argument)));
      return found == model_.now.rows.end() ? "SELECT 0" : found->second;
    }
    case Prepared::Kind::count:
      return fmt::format("{}", std::distance(model_.now.rows.lower_bound(std::stoll(std::string(argument))),
                                             model_.now.rows.end()));
    case Prepared::Kind::setting: return model_.shown("application_name") + std::string(argument);
    case Prepared::Kind::place: return place() + std::string(argument);
    case Prepared::Kind::sum: return fmt::format("{}", std::stoll(std::string(argument)) + number_);
    case Prepared::Kind::write:
      return fmt::format("UPDATE {}", model_.now.rows.count(std::stoll(std::string(argument))));
  }
  return {};
}

Task<void> Session::prepare() {
  const std::string name = fmt::format("p{}", pick(names));
  const Prepared made{static_cast<Prepared::Kind>(pick(7)), token()};
  const std::string sql = prepared_text(made);
  note(fmt::format("prepare {} {}", name, sql));
  const Answers answers = settled(co_await link_.prepare(name, sql));
  const bool there = model_.protocol_statements.contains(name) || model_.sql_statements.contains(name);
  expect("a preparation", there ? "42P05" : "", answers.back().sqlstate);
  if (there) {
    failed();
  } else {
    model_.protocol_statements[name] = made;
  }
}

Task<void> Session::execute() {
  const std::string name = fmt::format("p{}", pick(names));
  const auto found = model_.protocol_statements.find(name);
  std::string argument = fmt::format("{}", new_id());
  note(fmt::format("execute {} {}", name, argument));
  const Answers answers = settled(co_await link_.execute_prepared(name, {argument}));
  if (found == model_.protocol_statements.end()) {
    expect("a statement that is not prepared", "26000", answers.back().sqlstate);
    failed();
    co_return;
  }
  note(fmt::format("  which is {}", prepared_text(found->second)));
  const std::string expected = prepared_result(found->second, argument);
  expect("a prepared statement", expected, answers.back().text());
  if (found->second.kind == Prepared::Kind::write && expected == "UPDATE 1") {
    model_.now.rows[std::stoll(argument)] = found->second.token;
  }
}

Task<void> Session::sql_prepare() {
  const std::string name = fmt::format("q{}", pick(names));
  const std::string mark = token();
  const std::string sql = fmt::format("PREPARE {}(int) AS SELECT '{}-' || $1::text", name, mark);
  if (model_.sql_statements.contains(name)) {
    co_await expect_failure(sql, "42P05");
    co_return;
  }
  co_await run(sql);
  model_.sql_statements[name] = mark;
}

Task<void> Session::sql_execute() {
  const std::string name = fmt::format("q{}", pick(names));
  const auto argument = pick(1000);
  const std::string sql = fmt::format("EXECUTE {}({})", name, argument);
  const auto found = model_.sql_statements.find(name);
  if (found == model_.sql_statements.end()) {
    co_await expect_failure(sql, "26000");
    co_return;
  }
  co_await expect_value(sql, fmt::format("{}-{}", found->second, argument));
}

/// Of either kind: the names are one space.
Task<void> Session::deallocate() {
  if (chance(10)) {
    co_await run("DEALLOCATE ALL");
    model_.sql_statements.clear();
    model_.protocol_statements.clear();
    co_return;
  }
  const std::string name = fmt::format("{}{}", chance(50) ? "p" : "q", pick(names));
  if (model_.sql_statements.erase(name) + model_.protocol_statements.erase(name) == 0) {
    co_await expect_failure("DEALLOCATE " + name, "26000");
  } else {
    co_await run("DEALLOCATE " + name);
  }
}

}  // namespace interleave
