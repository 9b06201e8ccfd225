#include <doctest/doctest.h>
#include <fmt/format.h>

#include <thread>

#include "servers.h"

/// MySQL's shards that are down, die or hang: an error that names them, never a part of an answer, and nobody else
/// suffers from it.
namespace faults::mysql {

namespace {

using Kind = Trouble::Kind;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The shard cannot be reached, or its connection was lost.
bool tells_of_loss(const Answer& answer) { return answer.sqlstate == "08006" && (answer.error == 1429 || answer.error == 1158); }

std::string all_items(Client& client) {
  const Answer answer = client.run("select count(*), sum(n) from items");
  return answer.ok() ? answer.rows.at(0).at(0) + " " + answer.rows.at(0).at(1) : answer.value();
}
const std::string whole = "20 2100";

}  // namespace

TEST_CASE("mysql: a shard is down before a statement, and comes back") {
  Proxy own(over_mysql());
  Client client(own.port());
  Client other(own.port());
  REQUIRE_EQ(all_items(client), whole);
  Prepared point(client, "select note from items where id = ?");
  REQUIRE_EQ(point.execute({2}).value(), "i2");
  {
    Trouble down(3, Kind::down);
    for (const char* sql : {"select note from items where id = 2", "select count(*) from items",
                            "insert into items values (9202, 'no', 1)", "update countries set name = name",
                            "update items set n = n + 1"}) {
      const Answer answer = client.run(sql);
      CHECK_MESSAGE(tells_of_loss(answer), sql, ": ", answer.value());
      CHECK_MESSAGE(contains(answer.message, "s3"), answer.message);
    }
    CHECK(tells_of_loss(point.execute({2})));
    // It goes on, as everybody else does.
    CHECK_EQ(client.run("select note from items where id = 1").value(), "i1");
    CHECK_EQ(other.run("select note from items where id = 3").value(), "i3");
    CHECK_EQ(point.execute({4}).value(), "i4");
    CHECK(eventually([&] { return contains(own.http("/readyz"), "503") && contains(own.http("/readyz"), "s3"); }));
  }
  CHECK(eventually([&] { return client.run("select note from items where id = 2").value() == "i2"; }));
  // Its server knows nothing of what was prepared there.
  CHECK_EQ(point.execute({2}).value(), "i2");
  CHECK_EQ(all_items(other), whole);
  CHECK_EQ(own.running(), true);
}

TEST_CASE("mysql: a shard dies in the middle of a scatter's rows") {
  Client other(proxy().port());
  for (const char* sql : {"select id, filler from big", "select id, filler from big order by id"}) {
    Client client(proxy().port());
    Reading reading(client, sql);
    REQUIRE(reading.read(20));
    {
      Trouble down(3, Kind::down);
      const Answer end = reading.end();
      CHECK_MESSAGE(tells_of_loss(end), sql, ": ", end.value());
      CHECK_LT(reading.seen(), 6000);
      CHECK_EQ(other.run("select note from items where id = 1").value(), "i1");
    }
    CHECK(eventually([&] { return all_items(other) == whole; }));
    CHECK_EQ(all_items(client), whole);
  }
}

TEST_CASE("mysql: a shard's connection dies in the middle of a relayed answer") {
  Client client(proxy().port());
  Reading reading(client, "select id, filler from big where id % 4 = 2 and id in (2, 6, 10) or id = 2");
  (void)reading.end();
  Client other(proxy().port());
  Answer answer;
  std::thread asking([&] { answer = client.run("select sleep(60) from items where id = 2"); });
  CHECK(eventually([] { return shard(3).kill_connections("sleep(60)") == 1; }));
  asking.join();
  CHECK_MESSAGE(!answer.ok(), answer.value());
  CHECK_EQ(all_items(other), whole);
  Client next(proxy().port());
  CHECK_EQ(all_items(next), whole);
}

TEST_CASE("mysql: a shard dies in the middle of a cursor's rows") {
  Client other(proxy().port());
  for (const char* sql : {"select id from big where id = 6 or id = 10 or id = 14", "select id from big",
                          "select id from big order by id"}) {
    Client client(proxy().port());
    Prepared cursor(client, sql, true);
    const Answer first = cursor.execute({}, 2);
    REQUIRE_MESSAGE(first.ok(), sql, ": ", first.value());
    REQUIRE_EQ(first.rows.size(), 2);
    {
      Trouble down(3, Kind::down);
      const Answer rest = cursor.fetch();
      const bool whole_answer = rest.ok() && rest.rows.size() + 2 == (contains(sql, "where") ? 3 : 6000);
      CHECK_MESSAGE((!rest.ok() || whole_answer), std::string(sql), ": ", rest.rows.size());
    }
    CHECK(eventually([&] { return all_items(other) == whole; }));
  }
}

TEST_CASE("mysql: a shard dies in a transaction that wrote to one and read others") {
  // The writing one, and one that was read.
  for (const int dying : {3, 2}) {
    CAPTURE(dying);
    Client client(proxy().port());
    Client other(proxy().port());
    REQUIRE(other.run("begin").ok());
    REQUIRE_EQ(other.run("select note from items where id = 4").value(), "i4");
    REQUIRE(client.run("begin").ok());
    REQUIRE(client.run("insert into items values (9302, 'in doubt', 1)").ok());
    REQUIRE_EQ(all_items(client), "21 2101");
    Answer commit;
    {
      Trouble down(dying, Kind::down);
      commit = client.run("commit");
      CHECK_EQ(other.run("select note from items where id = 8").value(), "i8");
    }
    Client next(proxy().port());
    CHECK(eventually([&] { return next.run("select note from items where id = 2").ok(); }));
    const std::string left = next.run("select count(*) from items where id = 9302").value();
    // Told to have failed: nothing is there. Told to have gone well: all is.
    if (dying == 3) CHECK_MESSAGE(!commit.ok(), "COMMIT of what was lost went well");
    if (commit.error != 1047) CHECK_EQ(left, commit.ok() ? "1" : "0");
    CHECK(next.run("delete from items where id = 9302").ok());
    CHECK(other.run("commit").ok());
  }
}

TEST_CASE("mysql: a shard dies under a split INSERT") {
  Proxy own(over_mysql({{"TWO_PHASE", "off"}}));
  Client client(own.port());
  {
    Trouble down(4, Kind::down);
    const Answer answer =
        client.run("insert into items values (9400, 'a', 1), (9401, 'b', 1), (9402, 'c', 1), (9403, 'd', 1)");
    CHECK_MESSAGE(tells_of_loss(answer), answer.value());
    CHECK_MESSAGE(contains(answer.message, "s4"), answer.message);
    CHECK_EQ(client.run("select count(*) from items where id = 9400").value(), "0");
  }
  CHECK(eventually([&] { return all_items(client) == whole; }));
  CHECK_EQ(on_all_shards("select count(*) from shop.items where id between 9400 and 9403"), 0);

  // In the middle of it: a row that is locked holds one of them up.
  Client holder(own.port());
  REQUIRE(holder.run("begin").ok());
  REQUIRE(holder.run("insert into items values (9403, 'held', 1)").ok());
  Answer answer;
  std::thread inserting([&] {
    answer = client.run("insert into items values (9400, 'a', 1), (9401, 'b', 1), (9402, 'c', 1), (9403, 'd', 1)");
  });
  CHECK(eventually([] { return shard(4).kill_connections("9403") == 1; }));
  inserting.join();
  CHECK_MESSAGE(!answer.ok(), "a part of it was lost, and it went well");
  CHECK(holder.run("rollback").ok());
  CHECK(eventually([] { return on_all_shards("select count(*) from shop.items where id between 9400 and 9403") == 0; }));
}

TEST_CASE("mysql: a shard dies under LOAD DATA") {
  Proxy own(over_mysql({{"TWO_PHASE", "off"}}));
  const std::string file = own.config_path() + ".rows";
  std::string rows;
  for (int id = 10000; id < 14000; ++id) rows += fmt::format("{}\tloaded\t1\n", id);
  write_text(file, rows);
  Client client(own.port());
  Client holder(own.port());
  REQUIRE(holder.run("begin").ok());
  REQUIRE(holder.run("insert into items values (10002, 'held', 1)").ok());
  Answer answer;
  std::thread loading(
      [&] { answer = client.run("load data local infile '" + file + "' into table items (id, note, n)"); });
  CHECK(eventually([] { return shard(3).kill_connections("load data") >= 1 || shard(3).kill_connections("LOAD DATA") >= 1; }));
  loading.join();
  CHECK_MESSAGE(!answer.ok(), "a part of it was lost, and it went well");
  CHECK(holder.run("rollback").ok());
  CHECK(eventually([] { return on_all_shards("select count(*) from shop.items where id >= 10000") == 0; }));
  Client next(own.port());
  const Answer again = next.run("load data local infile '" + file + "' into table items (id, note, n)");
  CHECK_MESSAGE(again.affected == 4000, again.value());
  CHECK_EQ(next.run("delete from items where id >= 10000").affected, 4000);
}

TEST_CASE("mysql: a shard hangs, and the client gives up") {
  Proxy own(over_mysql());
  Client client(own.port());
  Client other(own.port());
  REQUIRE_EQ(all_items(client), whole);
  for (const char* sql : {"select note from items where id = 2", "select count(*) from items"}) {
    Trouble hanging(3, Kind::hanging);
    Answer answer;
    std::thread asking([&] { answer = client.run(sql); });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    CHECK_EQ(other.run("select note from items where id = 1").value(), "i1");
    const auto begun = std::chrono::steady_clock::now();
    CHECK(other.run(fmt::format("kill query {}", client.id())).ok());
    hanging.end();
    asking.join();
    CHECK_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(20));
    CHECK_MESSAGE((answer.error == 1317 || answer.ok()), sql, ": ", answer.value());
    CHECK_EQ(all_items(client), whole);
  }
  CHECK_EQ(all_items(other), whole);
}

TEST_CASE("mysql: a shard hangs, and the statement's time is up") {
  Proxy own(over_mysql({{"LIMITS", "statement_timeout: 1s"}}));
  Client client(own.port());
  Client other(own.port());
  REQUIRE_EQ(all_items(client), whole);
  {
    Trouble hanging(3, Kind::hanging);
    for (const char* sql : {"select note from items where id = 2", "select count(*) from items"}) {
      const auto begun = std::chrono::steady_clock::now();
      const Answer answer = Client(own.port()).run(sql);
      // A server that takes no cancel either is not waited for.
      const bool told = (answer.error == 3024 && answer.sqlstate == "57014") || tells_of_loss(answer);
      CHECK_MESSAGE(told, std::string(sql), ": ", answer.value());
      CHECK_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
    }
    CHECK_EQ(other.run("select note from items where id = 1").value(), "i1");
  }
  CHECK(eventually([&] { return all_items(other) == whole; }));
  // A server that takes the cancel does not know why.
  const Answer slow = client.run("/* anabranch: shard=s3 */ select count(*) from big a, big b, big c where a.id + b.id <> c.id");
  CHECK_MESSAGE((slow.error == 3024 && slow.sqlstate == "57014"), slow.value());
}

}  // namespace faults::mysql
