#include <doctest/doctest.h>
#include <fmt/format.h>

#include <thread>

#include "world.h"

/// Queries whose rows are gathered: whatever ends them, no shard works on, nothing is left behind, and the session
/// goes on.
namespace faults {

namespace {

/// Joined by no key; naps on each shard while rows are fetched, or in the workspace.
constexpr const char* joined = "select count(*) from items i join parts p on p.part * 10 = i.n";
constexpr const char* naps_on_shards = "select count(*) from items i join parts p on p.part * 10 = i.n where nap(i.id, 100)";
constexpr const char* naps_in_workspace =
    "select count(*) from items i join parts p on p.part * 10 = i.n where nap(i.id + p.item, 100)";

long busy() {
  return on_all_shards("select count(*) from pg_stat_activity where state = 'active' and usename = 'app'");
}

/// Tables of the workspace, whatever session they belong to.
long tables_left() { return on_all_shards("select count(*) from pg_class where relname like 'anabranch%'"); }

std::string kill_backends(int number, const std::string& like) {
  return on_shard(number, "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'app' and "
                          "state = 'active' and query like '%" + like + "%'");
}

/// Runs a statement, and something once it is under way.
template <class Meanwhile>
Answer run_while(Client& client, const std::string& sql, long naps, Meanwhile meanwhile) {
  std::thread other([&] {
    CHECK(eventually([&] {
      return on_all_shards("select count(*) from pg_stat_activity where wait_event = 'PgSleep' and usename = 'app'") >= naps;
    }));
    meanwhile();
  });
  Answer answer = client.run(sql);
  other.join();
  return answer;
}

void check_usable(Client& client) {
  CHECK_EQ(client.run(joined).value(), "6");
  CHECK(eventually([] { return busy() == 0; }));
  CHECK(eventually([] { return tables_left() == 0; }));
}

}  // namespace

TEST_CASE("gather: a cancel while rows are fetched, and while the rest runs") {
  Proxy own;
  Client client(own.conninfo());
  check_usable(client);
  CHECK_EQ(run_while(client, naps_on_shards, 3, [&] { client.cancel(); }).sqlstate, "57014");
  check_usable(client);
  CHECK_EQ(run_while(client, naps_in_workspace, 1, [&] { client.cancel(); }).sqlstate, "57014");
  check_usable(client);
}

TEST_CASE("gather: a cancel inside a transaction, and back to a savepoint") {
  Proxy own;
  Client client(own.conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("update items set n = 11 where id = 1").ok());
  REQUIRE(client.run("savepoint here").ok());
  CHECK_EQ(client.run(joined).value(), "2");
  CHECK_EQ(run_while(client, naps_in_workspace, 1, [&] { client.cancel(); }).sqlstate, "57014");
  CHECK_EQ(client.run(joined).sqlstate, "25P02");
  REQUIRE(client.run("rollback to here").ok());
  CHECK_EQ(client.run(joined).value(), "2");
  REQUIRE(client.run("rollback").ok());
  check_usable(client);
}

TEST_CASE("gather: statement_timeout") {
  Proxy own;
  Client client(own.conninfo());
  REQUIRE(client.run("set statement_timeout to 300").ok());
  CHECK_EQ(client.run(naps_on_shards).sqlstate, "57014");
  CHECK_EQ(client.run(naps_in_workspace).sqlstate, "57014");
  REQUIRE(client.run("reset statement_timeout").ok());
  check_usable(client);
}

TEST_CASE("gather: a shard's backend dies while it sends, and the workspace's while it computes") {
  Proxy own;
  Client client(own.conninfo());
  const Answer lost = run_while(client, naps_on_shards, 3, [] { CHECK_EQ(kill_backends(3, "nap"), "1"); });
  CHECK_MESSAGE((lost.sqlstate == "57P01" || lost.sqlstate == "08006"), lost.sqlstate, lost.message);
  check_usable(client);
  const Answer lost_workspace = run_while(client, naps_in_workspace, 1, [] { CHECK_EQ(kill_backends(1, "nap"), "1"); });
  CHECK_MESSAGE((lost_workspace.sqlstate == "57P01" || lost_workspace.sqlstate == "08006"), lost_workspace.sqlstate);
  check_usable(client);
}

TEST_CASE("gather: an error on a shard, and one in the workspace") {
  Client client(proxy().conninfo());
  const Answer on_shard = client.run("select count(*) from items i join parts p on p.part = i.n where 1 / (i.id - 7) < 2");
  CHECK_EQ(on_shard.sqlstate, "22012");
  const Answer in_workspace = client.run("select i.id / (p.part - p.part) from items i join parts p on p.part * 10 = i.n");
  CHECK_EQ(in_workspace.sqlstate, "22012");
  CHECK_EQ(client.run(joined).value(), "6");
  CHECK_EQ(client.transaction(), PQTRANS_IDLE);
}

/// Few rows seem to cost much: what can come in turns does. (No autovacuum counts them: schema.sql.)
struct DearRows {
  DearRows() { on_each("alter role app set cpu_tuple_cost = 10000; alter role app set jit = off"); }
  ~DearRows() { on_each("alter role app reset all"); }
  static void on_each(const std::string& sql) {
    for (int number = 1; number <= 4; ++number) on_shard(number, sql);
  }
};

TEST_CASE("gather: keys come first, and the rows that they ask for are cancelled, time out, or their backend dies") {
  const DearRows dear;
  Proxy own;
  Client client(own.conninfo());
  const std::string in_turns = "select count(*) from parts p join items i on i.id = p.part where p.part in (1, 2)";
  const std::string naps = in_turns + " and nap(i.id, 100)";
  const auto asked_by_keys = [] {
    return on_all_shards("select count(*) from pg_stat_activity where usename = 'app' and state = 'active' and "
                         "query like '%nap%i.id = ANY (''{%'");
  };
  CHECK_EQ(client.run(in_turns).value(), "6");
  CHECK_EQ(client.transaction(), PQTRANS_IDLE);
  const auto cancelled = run_while(client, naps, 1, [&] {
    CHECK(asked_by_keys() >= 1);
    client.cancel();
  });
  CHECK_EQ(cancelled.sqlstate, "57014");
  check_usable(client);
  const auto lost = run_while(client, naps, 1, [] {
    for (int number = 1; number <= 4; ++number) kill_backends(number, "ANY");
  });
  CHECK_MESSAGE((lost.sqlstate == "57P01" || lost.sqlstate == "08006"), lost.sqlstate, lost.message);
  check_usable(client);
  REQUIRE(client.run("set statement_timeout to 300").ok());
  CHECK_EQ(client.run(naps).sqlstate, "57014");
  CHECK_EQ(client.run(in_turns).value(), "6");
  // A transaction's own writes are seen.
  REQUIRE(client.run("reset statement_timeout").ok());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("delete from items where id = 1").ok());
  CHECK_EQ(client.run(in_turns).value(), "2");
  REQUIRE(client.run("rollback").ok());
  CHECK_EQ(client.run(in_turns).value(), "6");
  CHECK(eventually([] { return on_all_shards("select count(*) from pg_stat_activity where usename = 'app' and state like 'idle in%'") == 0; }));
}

TEST_CASE("gather: keys that change before the rows come that they ask for") {
  const DearRows dear;
  Proxy own;
  Client client(own.conninfo());
  Client other(own.conninfo());
  const std::string in_turns = "select count(*) from parts p join items i on i.id = p.part where p.part < 100 and nap(p.item, 0.3)";
  REQUIRE(client.run("begin").ok());
  CHECK_EQ(client.run(in_turns).value(), "6");
  const Answer answer = run_while(client, in_turns, 1, [&] {
    CHECK_EQ(other.run("insert into parts values (9, 3)").tag, "INSERT 0 1");
  });
  CHECK_EQ(answer.value(), "7");
  REQUIRE(client.run("commit").ok());
  CHECK_EQ(other.run("delete from parts where item = 9").tag, "DELETE 1");
  check_usable(client);
}

TEST_CASE("gather: more rows than limits.spill") {
  Proxy own({{"LIMITS", "spill: 0"}});
  Client client(own.conninfo());
  const Answer many = client.run("select count(*) from items i, parts p where i.note || p.item <> 'x'");
  CHECK_EQ(many.sqlstate, "53200");
  CHECK_MESSAGE(many.message.find("limits.spill") != std::string::npos, many.message);
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  CHECK(eventually([] { return tables_left() == 0; }));
}

TEST_CASE("gather: one connection a shard is enough") {
  Proxy own({{"POOL_SIZE", "1"}});
  Client client(own.conninfo());
  for (int i = 0; i < 20; ++i) CHECK_EQ(client.run(joined).value(), "6");
  Client other(own.conninfo());
  CHECK_EQ(other.run(joined).value(), "6");
}

TEST_CASE("gather: many at once, with few connections") {
  Proxy own({{"POOL_SIZE", "3"}});
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  std::string first;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      Client client(own.conninfo());
      for (int round = 0; round < rounds(40); ++round) {
        const std::string value = client.run(joined).value();
        if (value != "6" && wrong++ == 0) first = value;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_MESSAGE(wrong == 0, first);
  CHECK(eventually([] { return tables_left() == 0; }));
}

namespace {

constexpr const char* naps_in_the_answer = "select count(*) from items where n > (select avg(n) from items where nap(id, 100))";
constexpr const char* naps_after_it = "select count(*) from items where n > (select avg(n) from items) and nap(id, 100)";

}  // namespace

TEST_CASE("gather: a cancel, a time limit and a lost process while a subquery is answered first, and after that") {
  Proxy own;
  Client client(own.conninfo());
  for (const char* sql : {naps_in_the_answer, naps_after_it}) {
    CAPTURE(sql);
    CHECK_EQ(run_while(client, sql, 1, [&] { client.cancel(); }).sqlstate, "57014");
    check_usable(client);
    const Answer lost = run_while(client, sql, 1, [&] {
      on_shard(2, "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'app' and wait_event = 'PgSleep'");
    });
    CHECK_MESSAGE((lost.ok() || lost.sqlstate == "57P01" || lost.sqlstate == "08006"), lost.value());
    check_usable(client);
    REQUIRE(client.run("set statement_timeout = 300").ok());
    CHECK_EQ(client.run(sql).sqlstate, "57014");
    REQUIRE(client.run("reset statement_timeout").ok());
    check_usable(client);
  }
  CHECK_EQ(client.run("select count(*) from items where n > (select avg(n) from items)").value(), "10");
}

TEST_CASE("gather: subqueries are answered first by many, with few connections") {
  Proxy own({{"POOL_SIZE", "2"}});
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      Client client(own.conninfo());
      for (int round = 0; round < rounds(40); ++round) {
        if (client.run("select count(*) from items where n > (select avg(n) from items)").value() != "10") ++wrong;
        if (client.run("select count(*) from items where id = 5 and n > (select 1 / (count(*) - 20) from items)").sqlstate != "22012") ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_EQ(wrong.load(), 0);
  CHECK(eventually([] { return busy() == 0; }));
}

TEST_CASE("gather: the role may not make temporary tables") {
  Client client(proxy().conninfo());
  on_shard(1, "revoke temporary on database shop from public, app");
  const Answer refused = client.run(joined);
  on_shard(1, "grant temporary on database shop to public, app");
  CHECK_EQ(refused.sqlstate, "42501");
  CHECK_EQ(client.run(joined).value(), "6");
}

}  // namespace faults
