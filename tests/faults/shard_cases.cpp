#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "world.h"

/// Shards that are down, or die: an error that names them, never part of an answer, and all is well
/// again when they are back.
namespace faults {

namespace {

/// Starts the shard again however the test ends.
class Outage {
 public:
  explicit Outage(int number) : number_(number) { shard(number_).stop(); }
  Outage(const Outage&) = delete;
  Outage& operator=(const Outage&) = delete;
  ~Outage() { end(); }
  void end() {
    if (over_) return;
    over_ = true;
    shard(number_).start();
  }

 private:
  int number_;
  bool over_ = false;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string readiness(const Proxy& of) { return of.http("/readyz"); }

/// Ends the server processes that run a statement like this one, as a crash of one backend does.
std::string kill_backends(int number, const std::string& like) {
  return on_shard(number, "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'app' and "
                          "state = 'active' and query like '%" + like + "%'");
}

}  // namespace

TEST_CASE("shards: one is down at the start, and comes back") {
  Outage outage(3);
  Proxy own;
  Client client(own.conninfo());
  REQUIRE_MESSAGE(client.alive(), client.problem());
  CHECK_EQ(client.run("select note from notes where id = 5").value(), "note 5");
  CHECK_EQ(client.run("select note from items where id = 1").value(), "i1");
  CHECK_EQ(client.run("insert into items values (9201, 'while down', 1)").tag, "INSERT 0 1");
  CHECK_EQ(client.run("delete from items where id = 9201").tag, "DELETE 1");
  for (const char* sql : {"select note from items where id = 2", "select count(*) from items",
                          "insert into items values (9202, 'no', 1)", "update countries set name = name"}) {
    const Answer answer = client.run(sql);
    CHECK_MESSAGE(answer.sqlstate == "08006", sql, ": ", answer.value());
    CHECK_MESSAGE(contains(answer.message, "s3"), answer.message);
  }
  CHECK(eventually([&] { return contains(readiness(own), "503") && contains(readiness(own), "s3"); }));
  CHECK(contains(own.http("/healthz"), "200 OK"));
  outage.end();
  CHECK(eventually([&] { return client.run("select note from items where id = 2").value() == "i2"; }));
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  CHECK(eventually([&] { return contains(readiness(own), "200 OK"); }));
}

TEST_CASE("shards: the default shard is down at the start") {
  Outage outage(1);
  Proxy own;
  CHECK(eventually([&] { return contains(readiness(own), "503"); }));
  {
    // Either the login or the first statement says it: where the settings cannot be asked for, the login does.
    Client client(own.conninfo());
    const std::string problem = client.alive() ? client.run("select 1").message : client.problem();
    CHECK_MESSAGE(contains(problem, "s1"), problem);
  }
  outage.end();
  CHECK(eventually([&] {
    Client client(own.conninfo());
    return client.alive() && client.run("select count(*) from items").value() == "20";
  }));
  CHECK(eventually([&] { return contains(readiness(own), "200 OK"); }));
}

TEST_CASE("shards: a server process dies in the middle of an answer") {
  Client client(proxy().conninfo());
  for (const char* sql :
       {"select id, repeat('x', 100) from items where id = 2 and nap(id, 100)",
        "select g, repeat('x', 1000), case when g = 30000 then pg_sleep(100) end "
        "from items cross join generate_series(1, 30000) g where id = 2",
        "select count(*), case when min(id) > 0 then 1 end from items where id <> 2 or nap(id, 100)",
        "select id, g, repeat('x', 1000), case when id = 18 and g = 3000 then nap(id, 100) end "
        "from items cross join generate_series(1, 3000) g",
        "update items set n = n where id <> 2 or nap(id, 100)"}) {
    Answer answer;
    std::thread asking([&] { answer = client.run(sql); });
    CHECK(eventually([] { return kill_backends(3, "100)") == "1"; }));
    asking.join();
    CHECK_MESSAGE((answer.sqlstate == "08006" || answer.sqlstate == "57P01"), sql, ": ", answer.sqlstate, " ",
                  answer.message);
    REQUIRE(client.alive());
    CHECK_EQ(client.run("select count(*), sum(n) from items").rows.at(0), std::vector<std::string>{"20", "2100"});
  }
  // Idle connections that have died meanwhile are not an error of whoever comes next.
  for (int i = 1; i <= 4; ++i) {
    on_shard(i, "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'app'");
  }
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  CHECK_EQ(client.run("select note from items where id = 2").value(), "i2");
}

TEST_CASE("shards: a server process dies in a transaction") {
  Client client(proxy().conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("insert into items values (9302, 'never', 1)").ok());
  REQUIRE(client.run("select count(*) from items").ok());
  on_shard(3, "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'app' and state = 'idle "
              "in transaction'");
  const Answer lost = client.run("select note from items where id = 2");
  CHECK_MESSAGE((lost.sqlstate == "08006" || lost.sqlstate == "57P01"), lost.value());
  CHECK_EQ(client.transaction(), PQTRANS_INERROR);
  CHECK_EQ(client.run("select 1").sqlstate, "25P02");
  CHECK_EQ(client.run("commit").tag, "ROLLBACK");
  CHECK_EQ(client.run("select count(*) from items where id = 9302").value(), "0");

  // Dead before COMMIT: it says so, and nothing is there.
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("insert into items values (9302, 'never', 1)").ok());
  on_shard(3, "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'app' and state = 'idle "
              "in transaction'");
  const Answer commit = client.run("commit");
  CHECK_MESSAGE(!commit.ok(), "COMMIT of a lost transaction answered ", commit.tag);
  CHECK_EQ(client.run("select count(*) from items where id = 9302").value(), "0");
  CHECK_EQ(client.transaction(), PQTRANS_IDLE);
}

TEST_CASE("shards: a whole server dies under load, and comes back") {
  Proxy own;
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> lost_sessions = 0;
  std::atomic<int> right = 0;
  std::string first_wrong;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Client client(own.conninfo());
      while (!done) {
        const Answer all = client.run("select count(*), sum(n) from items");
        const Answer rows = client.run("select id from items order by id");
        if (!client.alive()) {
          ++lost_sessions;
          return;
        }
        const bool all_fine = !all.ok() || (all.rows.at(0)[0] == "20" && all.rows.at(0)[1] == "2100");
        if (all_fine && (!rows.ok() || rows.rows.size() == 20)) {
          right += all.ok();
        } else if (wrong++ == 0) {
          first_wrong = all.value();
        }
      }
    });
  }
  CHECK(eventually([&] { return right > 20; }));
  {
    Outage outage(4);
    Client client(own.conninfo());
    CHECK(eventually([&] { return client.run("select count(*) from items").sqlstate == "08006"; }));
    CHECK_EQ(client.run("select note from items where id = 1").value(), "i1");
  }
  const int before = right;
  CHECK(eventually([&] { return right > before + 20; }));
  done = true;
  for (auto& thread : threads) thread.join();
  CHECK_MESSAGE(wrong == 0, first_wrong);
  CHECK_EQ(lost_sessions, 0);
}

}  // namespace faults
