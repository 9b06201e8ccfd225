#include <doctest/doctest.h>

#include <string>

#include "world.h"

/// EXPLAIN ANALYZE carries its statement out, on every shard.
namespace faults {

namespace {

std::string text_of(const Answer& answer) {
  std::string text;
  for (const auto& row : answer.rows) text += row.at(0) + "\n";
  return text;
}

}  // namespace

TEST_CASE("explain: ANALYZE shows what every shard has done") {
  Client client(proxy().conninfo());
  const std::string text = text_of(client.run("explain (analyze, costs off) select count(*) from items"));
  INFO(text);
  for (const std::string shard : {"s1", "s2", "s3", "s4"}) {
    CHECK(text.find("plan of shard " + shard + ":") != std::string::npos);
  }
  std::size_t executed = 0;
  for (std::size_t at = 0; (at = text.find("Execution Time", at)) != std::string::npos; ++at) ++executed;
  CHECK_EQ(executed, 4);
  const std::string one = text_of(client.run("explain analyze select note from items where id = 4"));
  CHECK(one.find("actual time") != std::string::npos);
  CHECK_EQ(text_of(client.run("explain select count(*) from items")).find("Execution Time"), std::string::npos);
}

TEST_CASE("explain: ANALYZE of what it cannot carry out is refused") {
  Client client(proxy().conninfo());
  for (const std::string statement :
       {"update items set note = 'x'", "insert into items (id, note) values (1000, 'x')", "select pg_advisory_lock(1)",
        "select set_config('work_mem', '2MB', false)"}) {
    CHECK_EQ(client.run("explain analyze " + statement).sqlstate, "0A000");
  }
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  // An option's value is no way into the shards' SQL.
  client.run("explain (costs 'off) select 1; set search_path to evil; --') select count(*) from items");
  CHECK_EQ(client.run("show search_path").value(), "\"$user\", public");
  client.run("prepare p as select count(*) from items where id > $1");
  CHECK_EQ(client.run("explain analyze execute p(1)").sqlstate, "0A000");
}

}  // namespace faults
