#include <fmt/format.h>

#include "session.h"
#include "settings.h"

namespace interleave {

namespace {

std::string literal(std::string_view text) {
  std::string made = "'";
  for (const char c : text) made.append(c == '\'' ? 2 : 1, c);
  return made + "'";
}

/// What is unset is nothing, or empty where it has been set before.
std::string reading(const std::string& name) {
  return name.starts_with("app.") ? fmt::format("coalesce(current_setting('{}', true), '')", name)
                                  : fmt::format("current_setting('{}')", name);
}

const std::string& any_of(const std::vector<std::string>& names, std::uint64_t random) {
  return names[random % names.size()];
}

}  // namespace

Task<void> Session::set_value() {
  const std::string& name = any_of(setting_names(), random_());
  const Value value = random_value(name, model_, token(), random_);
  const bool local = chance(in_transaction() ? 35 : 5);
  std::string_view verb = local ? "SET LOCAL" : chance(30) ? "SET SESSION" : "SET";
  const std::string sql = name == "TimeZone" && chance(30) ? fmt::format("{} TIME ZONE {}", verb, value.sql)
                          : name == "role" && chance(50)   ? fmt::format("{} ROLE {}", verb, value.shown)
                                                           : fmt::format("{} {} {} {}", verb, name,
                                                                         chance(50) ? "=" : "TO", value.sql);
  co_await run(sql);
  model_.set(name, value.shown, local);
}

/// Several in one string; with a failure behind them, outside a transaction, none has happened.
Task<void> Session::set_several() {
  const State before = model_.snapshot();
  const bool fails = chance(40);
  std::string sql;
  for (std::uint64_t i = 0, count = 1 + pick(3); i < count; ++i) {
    const std::string& name = any_of(setting_names(), random_());
    const Value value = random_value(name, model_, token(), random_);
    sql += fmt::format("SET {} TO {}; ", name, value.sql);
    model_.set(name, value.shown, false);
  }
  const State wanted = model_.snapshot();
  model_.restore(before);  // until it is known to have happened
  const std::string& shown = any_of(setting_names(), random_());
  sql += fmt::format("SELECT {}{}", reading(shown), fails ? "; SELECT 1/0" : "");
  const Answer answer = co_await ask(sql);
  if (fails) {
    if (answer.sqlstate != "22012") differ("a string of statements", "22012", answer.text());
    failed();
    co_return;
  }
  model_.restore(wanted);
  expect("the last of several", model_.shown(shown), answer.text());
}

/// Of the server's own settings: what a function does to custom ones is not seen by the proxy yet.
Task<void> Session::set_by_function() {
  const std::string& any = any_of(setting_names(), random_());
  const std::string& name = any.starts_with("app.") ? setting_names().front() : any;
  const Value value = random_value(name, model_, token(), random_);
  const bool local = chance(40);
  co_await expect_value(fmt::format("SELECT set_config('{}', {}, {})", name, literal(value.text), local), value.shown);
  if (local && !in_transaction()) co_return;
  model_.set(name, value.shown, local);
}

Task<void> Session::reset_value() {
  const std::string& name = any_of(setting_names(), random_());
  co_await run(chance(70) ? fmt::format("RESET {}", name) : fmt::format("SET {} TO DEFAULT", name));
  model_.reset(name);
}

Task<void> Session::reset_all() {
  co_await run("RESET ALL");
  model_.reset_all();
}

Task<void> Session::discard_all() {
  if (in_transaction()) {
    co_await expect_failure("DISCARD ALL", "25001");
    co_return;
  }
  for (const auto& [key, times] : model_.session_locks) world_.contested.erase(key);
  co_await run("DISCARD ALL");
  model_.discard_all();
}

/// The same values, as they are written under these settings.
Task<void> Session::expect_rendering(std::string from) {
  const std::string expected = fmt::format(
      "{}|{}|{}|{}", world_.defaults.at(model_.shown("TimeZone") + "/" + model_.shown("DateStyle")),
      world_.defaults.at(model_.shown("IntervalStyle")), world_.defaults.at("digits " + model_.shown("extra_float_digits")),
      world_.defaults.at(model_.shown("bytea_output")));
  co_await expect_value(
      "SELECT '2024-02-03 04:05:06+00'::timestamptz, '1 day 2 hours'::interval, 1::float8 / 3, 'ab'::bytea" + from,
      expected);
}

Task<void> Session::look() {
  // On any shard: each has a row of nobody's.
  const std::string from = chance(40) ? "" : fmt::format(" FROM {} WHERE id = {}", rows_table(), pick(4));
  const std::string& name = any_of(setting_names(), random_());
  switch (pick(5)) {
    case 0:
      if (!name.starts_with("app.")) {
        co_await expect_value(fmt::format("SHOW {}", name), model_.shown(name));
        co_return;
      }
      [[fallthrough]];
    case 1: co_await expect_value(fmt::format("SELECT {}{}", reading(name), from), model_.shown(name)); co_return;
    case 2: co_await expect_rendering(from); co_return;
    case 3: {
      const std::string role = model_.shown("role");
      co_await expect_value("SELECT current_user" + from, role == "none" ? "app" : role);
      co_return;
    }
    default: {
      const std::string& other = any_of(setting_names(), random_());
      co_await expect_value(fmt::format("SELECT {}, {}{}", reading(name), reading(other), from),
                            model_.shown(name) + "|" + model_.shown(other));
    }
  }
}

}  // namespace interleave
