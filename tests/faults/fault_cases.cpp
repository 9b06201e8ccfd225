#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>

#include "world.h"

/// What nobody has foreseen, thrown while a client is served, costs that client's session and nothing else.
namespace faults {

namespace {

struct Injected {
  std::size_t length;  ///< of a statement that brings it about (inject/inject.cpp)
  const char* words;
};
constexpr Injected kinds[] = {{5'000'050, "bad_alloc"}, {5'100'050, "injected"}, {5'200'050, "unknown type"}};

std::string statement_of(std::size_t length) {
  const std::string_view head = "select id, 'secret";
  const std::string_view tail = "' from items";
  return std::string(head) + std::string(length - head.size() - tail.size(), 'x') + std::string(tail);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("internal errors: they end the session that they are thrown in, and no other") {
  // A sanitizer has its own operator new.
  if (std::getenv("FAULTS_SANITIZED") != nullptr) return;
  Proxy own({{preload, FAULTS_INJECT}});
  Client bystander(own.conninfo());
  REQUIRE(bystander.run("begin").ok());
  REQUIRE(bystander.run("insert into items values (9702, 'stays', 1)").ok());
  for (const Injected& kind : kinds) {
    for (const bool extended : {false, true}) {
      CAPTURE(kind.words);
      CAPTURE(extended);
      Wire victim = own.wire();
      victim.send(query("begin; insert into items values (9701, 'goes', 1); select count(*) from items"));
      REQUIRE_EQ(victim.until_ready().back().payload, "T");
      const std::string sql = statement_of(kind.length);
      victim.send(extended ? parse("", sql) + sync() : query(sql));
      const auto farewell = victim.read();
      REQUIRE(farewell);
      CHECK_EQ(error_field(*farewell, 'S') + " " + error_field(*farewell, 'C'), "FATAL XX000");
      CHECK_MESSAGE(contains(error_field(*farewell, 'M'), kind.words), error_field(*farewell, 'M'));
      CHECK(victim.ends());
    }
  }
  // Its connections are gone, and with them what it had begun there.
  CHECK(eventually([] { return on_all_shards("select count(*) from pg_stat_activity where state like 'idle in%'") <= 1; }));
  REQUIRE(own.running());
  CHECK_EQ(bystander.run("select note from items where id = 9702").value(), "stays");
  CHECK_EQ(bystander.run("commit").tag, "COMMIT");
  CHECK_EQ(bystander.run("select count(*) from items where id = 9701").value(), "0");
  CHECK_EQ(bystander.run("delete from items where id = 9702").tag, "DELETE 1");
  CHECK_EQ(Client(own.conninfo()).run("select count(*) from items").value(), "20");
  CHECK(eventually([&] { return own.metric("anabranch_clients") == 1; }));
  CHECK(contains(own.log(), "the session ends by an internal error"));
  CHECK_FALSE(contains(own.log(), "secret"));
}

}  // namespace faults
