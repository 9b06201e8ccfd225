#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "net/pg/messages.h"
#include "proxy/log.h"
#include "proxy/login_backoff.h"
#include "proxy/startup_claims.h"

using namespace anabranch::proxy;
using namespace std::chrono_literals;
using anabranch::net::pg::StartupMessage;

namespace {

StartupMessage startup(std::vector<std::pair<std::string_view, std::string_view>> parameters) {
  StartupMessage message;
  for (const auto& [name, value] : parameters) message.parameters.emplace_back(name, value);
  return message;
}

std::string refusal(const StartupMessage& message) {
  const auto claims = read_claims(message);
  return claims ? std::string("read") : claims.error().sqlstate + " " + claims.error().message;
}

std::string options(std::string_view text) {
  const auto settings = parse_options(text);
  if (!settings) return settings.error().sqlstate;
  std::string all;
  for (const auto& [name, value] : *settings) all += name + "=" + value + ";";
  return all;
}

}  // namespace

TEST_CASE("back-off: grows, is bounded, and decays") {
  LoginBackoff backoff;
  const auto begun = LoginBackoff::Clock::now();
  const std::string key = LoginBackoff::key("10.0.0.1:40000", "app");
  CHECK_EQ(backoff.delay(key, begun), 0ms);
  backoff.failed(key, begun);
  CHECK_EQ(backoff.delay(key, begun), 0ms);
  backoff.failed(key, begun);
  CHECK_EQ(backoff.delay(key, begun), 100ms);
  backoff.failed(key, begun);
  CHECK_EQ(backoff.delay(key, begun), 200ms);
  for (int i = 0; i < 1000; ++i) backoff.failed(key, begun);
  CHECK_EQ(backoff.delay(key, begun), LoginBackoff::longest_delay);
  CHECK_EQ(backoff.delay(LoginBackoff::key("10.0.0.2:40000", "app"), begun), 0ms);
  CHECK_EQ(backoff.delay(LoginBackoff::key("10.0.0.1:40000", "ops"), begun), 0ms);
  CHECK_EQ(backoff.delay(LoginBackoff::key("10.0.0.1:1", "app"), begun), LoginBackoff::longest_delay);
  CHECK_EQ(backoff.delay(key, begun + 61s), 1600ms);
  CHECK_EQ(backoff.delay(key, begun + 10min), 0ms);
  CHECK_EQ(backoff.size(), 0);
}

TEST_CASE("back-off: the right password ends it") {
  LoginBackoff backoff;
  const auto now = LoginBackoff::Clock::now();
  const std::string key = LoginBackoff::key("unix", "app");
  for (int i = 0; i < 5; ++i) backoff.failed(key, now);
  CHECK(backoff.delay(key, now) > 0ms);
  backoff.succeeded(key);
  CHECK_EQ(backoff.delay(key, now), 0ms);
  CHECK_EQ(backoff.size(), 0);
}

TEST_CASE("back-off: an IPv6 network counts as one address") {
  CHECK_EQ(LoginBackoff::key("[2001:db8:1:2::1]:5000", "u"), LoginBackoff::key("[2001:db8:1:2:a:b:c:d]:7", "u"));
  CHECK_NE(LoginBackoff::key("[2001:db8:1:2::1]:5000", "u"), LoginBackoff::key("[2001:db8:1:3::1]:5000", "u"));
  CHECK_NE(LoginBackoff::key("[::ffff:10.0.0.1]:5000", "u"), LoginBackoff::key("[::ffff:10.0.0.2]:5000", "u"));
  // A name cannot pass for part of an address.
  CHECK_NE(LoginBackoff::key("10.0.0.1:1", "2u"), LoginBackoff::key("10.0.0.12:1", "u"));
}

TEST_CASE("back-off: memory is bounded, and the oldest goes") {
  LoginBackoff backoff;
  const auto now = LoginBackoff::Clock::now();
  const std::string first = LoginBackoff::key("10.0.0.1:1", "first");
  const std::string second = LoginBackoff::key("10.0.0.1:1", "second");
  for (int i = 0; i < 3; ++i) backoff.failed(first, now);
  for (int i = 0; i < 3; ++i) backoff.failed(second, now);
  for (std::size_t i = 0; i + 2 < LoginBackoff::most_entries; ++i) backoff.failed(std::to_string(i), now);
  backoff.failed(first, now);
  backoff.failed("one more", now);
  CHECK_EQ(backoff.size(), LoginBackoff::most_entries);
  CHECK(backoff.delay(first, now) > 0ms);
  CHECK_EQ(backoff.delay(second, now), 0ms);
}

TEST_CASE("startup claims: names") {
  const auto own = read_claims(startup({{"user", "app"}}));
  REQUIRE(own);
  CHECK_EQ(own->database, "app");
  const std::string long_name(70, 'x');
  const auto cut = read_claims(startup({{"user", long_name}, {"database", long_name}}));
  REQUIRE(cut);
  CHECK_EQ(cut->user, std::string(63, 'x'));
  CHECK_EQ(cut->database, std::string(63, 'x'));
  const auto twice = read_claims(startup({{"user", "a"}, {"database", "c"}, {"user", "b"}}));
  REQUIRE(twice);
  CHECK_EQ(twice->user, "b");
  CHECK_EQ(refusal(startup({{"database", "shop"}})), "28000 no PostgreSQL user name specified in startup packet");
}

TEST_CASE("startup claims: settings keep their order, options first") {
  const auto claims = read_claims(startup({{"TimeZone", "UTC"},
                                           {"user", "app"},
                                           {"_pq_.thing", "1"},
                                           {"options", "-c work_mem=1MB"},
                                           {"replication", "off"},
                                           {"TimeZone", "Asia/Tokyo"}}));
  REQUIRE(claims);
  const StartupSettings expected = {{"work_mem", "1MB"}, {"TimeZone", "UTC"}, {"TimeZone", "Asia/Tokyo"}};
  CHECK(claims->settings == expected);
}

TEST_CASE("startup claims: replication") {
  for (const char* no : {"false", "off", "0", "no", "f", "OFF", "n"}) {
    CHECK_EQ(refusal(startup({{"user", "a"}, {"replication", no}})), "read");
  }
  for (const char* yes : {"true", "on", "1", "yes", "t", "database"}) {
    CHECK_EQ(refusal(startup({{"user", "a"}, {"replication", yes}})),
             "0A000 a replication connection is not supported through Anabranch");
  }
  for (const char* neither : {"perhaps", "", "o", "2", "falsehood"}) {
    CHECK_EQ(refusal(startup({{"user", "a"}, {"replication", neither}})).substr(0, 5), "22023");
  }
}

TEST_CASE("startup claims: options") {
  CHECK_EQ(options(""), "");
  CHECK_EQ(options("  \t\n"), "");
  CHECK_EQ(options("-c a=1 --b-c=2 -cd=3"), "a=1;b_c=2;d=3;");
  CHECK_EQ(options("-c a=x\\ y\\\\z"), "a=x y\\z;");
  CHECK_EQ(options("-c a=1\\"), "a=1;");
  CHECK_EQ(options("-c a=b=c"), "a=b=c;");
  CHECK_EQ(options("-c a="), "a=;");
  CHECK_EQ(options("-c"), "22023");
  CHECK_EQ(options("-c a"), "22023");
  CHECK_EQ(options("-d 5"), "22023");
}

TEST_CASE("log: what strangers cause is bounded, and stays on its line") {
  LogLimit limit;
  const auto begun = std::chrono::steady_clock::now();
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += limit.admit(begun) ? 1 : 0;
  CHECK_EQ(admitted, LogLimit::most);
  CHECK(limit.admit(begun + 1s));
  CHECK_EQ(limit.left_out(), " (and 80 more)");
  CHECK_EQ(limit.left_out(), "");
  CHECK_EQ(printable("user \"a\nb\x7F\x1b[1mü\""), "user \"a\\x0ab\\x7f\\x1b[1mü\"");
}
