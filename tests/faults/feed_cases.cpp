#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <thread>
#include <vector>

#include "world.h"

/// INSERT … SELECT whose rows go to other shards than they come from, and writes that read rows of other shards: all of
/// them arrive, or none; nothing is left behind, and the session goes on.
namespace faults {

namespace {

/// `spare` takes what a row per item and number makes.
std::string feed(int numbers, const std::string& more = "") {
  return fmt::format("insert into spare select i.id * 1000000 + g, repeat('x', 100) from items i cross join generate_series(1, {}) g {}",
                     numbers, more);
}
constexpr const char* naps_on_shards = "insert into spare select i.id + 1, 'x' from items i where nap(i.id, 100)";
constexpr const char* naps_at_the_end = "insert into spare select i.id + 1, 'x' from items i on conflict (id) do update set filler = nap(2, 100)::text";

/// The table for one test.
class Spare {
 public:
  explicit Spare(Client& client) : client_(client) {
    REQUIRE(client.run("create table spare (id bigint primary key, filler text)").ok());
  }
  ~Spare() { CHECK(client_.run("drop table spare").ok()); }
  std::string count() const { return client_.run("select count(*) from spare").value(); }

 private:
  Client& client_;
};

void check_nothing_left() {
  CHECK(eventually([] {
    return on_all_shards("select count(*) from pg_stat_activity where state <> 'idle' and usename = 'app'") == 0;
  }));
  CHECK_EQ(on_all_shards("select count(*) from pg_class where relname like 'anabranch%'"), 0);
}

bool naps() {
  return on_all_shards("select count(*) from pg_stat_activity where wait_event = 'PgSleep' and usename = 'app'") > 0;
}

void lose_a_nap() {
  on_shard(2, "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 'app' and wait_event = 'PgSleep'");
}

template <class Meanwhile>
Answer run_while_it_naps(Client& client, const std::string& sql, Meanwhile meanwhile) {
  std::thread other([&] {
    CHECK(eventually(naps));
    meanwhile();
  });
  Answer answer = client.run(sql);
  other.join();
  return answer;
}

}  // namespace

TEST_CASE("feed: rows that memory does not hold go over the disk, and each to its shard") {
  Proxy own({{"LIMITS", "query_memory: 2MiB"}});
  Client client(own.conninfo());
  const Spare spare(client);
  const Answer answer = client.run(feed(5000));
  REQUIRE_MESSAGE(answer.ok(), answer.value());
  CHECK_EQ(answer.tag, "INSERT 0 100000");
  CHECK_GT(own.metric("anabranch_spilled_bytes_total"), 8e6);
  CHECK_EQ(client.run("select count(*), count(distinct id), min(id), max(id) from spare").rows.at(0), std::vector<std::string>{"100000", "100000", "1000001", "20005000"});
  // Key k is shard 1 + k % 4's.
  for (int number = 1; number <= 4; ++number) {
    CHECK_EQ(on_shard(number, fmt::format("select count(*) filter (where id % 4 = {}) = 25000 and count(*) = 25000 from spare", number - 1)), "t");
  }
  // Small in memory: 12 MiB have passed.
  CHECK_LT(own.resident(), 200);
  check_nothing_left();
}

TEST_CASE("feed: limits.spill ends the statement, not the session") {
  Proxy own({{"LIMITS", "query_memory: 2MiB, spill: 4MiB"}});
  Client client(own.conninfo());
  const Spare spare(client);
  const Answer answer = client.run(feed(5000));
  CHECK_EQ(answer.sqlstate, "53200");
  CHECK_MESSAGE(answer.message.find("limits.spill") != std::string::npos, answer.message);
  CHECK_EQ(spare.count(), "0");
  CHECK_EQ(client.run(feed(10)).tag, "INSERT 0 200");
  check_nothing_left();
}

TEST_CASE("feed: a cancel while rows are read, and while they are inserted") {
  Proxy own;
  Client client(own.conninfo());
  const Spare spare(client);
  CHECK_EQ(run_while_it_naps(client, naps_on_shards, [&] { client.cancel(); }).sqlstate, "57014");
  CHECK_EQ(spare.count(), "0");
  check_nothing_left();
  REQUIRE_EQ(client.run("insert into spare select i.id + 1, 'x' from items i").tag, "INSERT 0 20");
  CHECK_EQ(run_while_it_naps(client, naps_at_the_end, [&] { client.cancel(); }).sqlstate, "57014");
  CHECK_EQ(client.run("select count(*) filter (where filler = 'x') from spare").value(), "20");
  check_nothing_left();
}

TEST_CASE("feed: a server's process is lost while rows are read, and while they are inserted") {
  Proxy own;
  Client client(own.conninfo());
  const Spare spare(client);
  for (const char* sql : {naps_on_shards, naps_at_the_end}) {
    CAPTURE(sql);
    if (sql == naps_at_the_end) REQUIRE_EQ(client.run("insert into spare select i.id + 1, 'x' from items i").tag, "INSERT 0 20");
    const std::string before = spare.count();
    const Answer answer = run_while_it_naps(client, sql, lose_a_nap);
    CHECK_MESSAGE((answer.sqlstate == "57P01" || answer.sqlstate == "08006"), answer.value());
    CHECK_EQ(spare.count(), before);
    check_nothing_left();
  }
}

TEST_CASE("feed: one row is refused, and none stays on any shard") {
  Proxy own;
  Client client(own.conninfo());
  const Spare spare(client);
  REQUIRE(client.run("insert into spare values (7, 'here')").ok());
  CHECK_EQ(client.run("insert into spare select i.id, 'x' from items i where i.n > 0 order by i.n").sqlstate, "23505");
  CHECK_EQ(client.run("insert into items select i.id + 100, 'x', i.n * 10 from items i order by i.n").sqlstate, "23514");
  CHECK_EQ(spare.count(), "1");
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  check_nothing_left();
}

TEST_CASE("feed: in a transaction, of one shard's rows, and twice") {
  Proxy own;
  Client client(own.conninfo());
  const Spare spare(client);
  REQUIRE(client.run("begin").ok());
  CHECK_EQ(client.run("insert into spare select 4 * i.id, 'x' from items i").tag, "INSERT 0 20");
  CHECK_EQ(client.run("insert into spare select 4000 + id, filler from spare").tag, "INSERT 0 20");
  CHECK_EQ(spare.count(), "40");
  // Of two shards: a transaction writes to one.
  REQUIRE(client.run("savepoint here").ok());
  CHECK_EQ(client.run("insert into spare select id + 1, filler from spare").sqlstate, "0A000");
  REQUIRE(client.run("rollback to here").ok());
  CHECK_EQ(client.run("insert into spare select id + 8000, filler from spare").tag, "INSERT 0 40");
  REQUIRE(client.run("commit").ok());
  CHECK_EQ(spare.count(), "80");
  REQUIRE(client.run("begin read only").ok());
  CHECK_EQ(client.run("insert into spare select id + 1, filler from spare").sqlstate, "25006");
  REQUIRE(client.run("rollback").ok());
  check_nothing_left();
}

TEST_CASE("feed: a table that is made of a query is there with all its rows, or not at all") {
  Proxy own({{"LIMITS", "query_memory: 2MiB"}});
  Client client(own.conninfo());
  const auto there = [&] { return client.run("select to_regclass('made') is not null").value(); };
  const std::string many = "create table made as select i.id, g, repeat('x', 100) from items i cross join generate_series(1, 5000) g";
  REQUIRE_EQ(client.run(many).tag, "SELECT 100000");
  CHECK_GT(own.metric("anabranch_spilled_bytes_total"), 8e6);
  CHECK_EQ(client.run("select count(*), count(distinct (id, g)) from made").rows.at(0), std::vector<std::string>{"100000", "100000"});
  CHECK_EQ(client.run(many).sqlstate, "42P07");
  CHECK_EQ(client.run("create table if not exists made as select 1 as n from items").tag, "CREATE TABLE AS");
  REQUIRE(client.run("drop table made").ok());
  const char* naps = "create table made as select i.id from items i where nap(i.id, 100)";
  CHECK_EQ(run_while_it_naps(client, naps, [&] { client.cancel(); }).sqlstate, "57014");
  CHECK_EQ(there(), "f");
  CHECK_EQ(client.run("create table made as select 1 / (i.id - 7) as n from items i").sqlstate, "22012");
  CHECK_EQ(there(), "f");
  REQUIRE(client.run("create temporary table made as select count(*) as n from items").ok());
  CHECK_EQ(client.run("select n from made").value(), "20");
  CHECK_EQ(Client(own.conninfo()).run("select n from made").sqlstate, "42P01");
  check_nothing_left();
}

namespace {

/// `spare` with ids from 1 on, as many as said.
void fill(Client& client, int rows) {
  const std::string sql = fmt::format("insert into spare select g, 'x' from generate_series(1, {}) g", rows);
  REQUIRE_EQ(client.run(sql).tag, fmt::format("INSERT 0 {}", rows));
}

constexpr const char* naps_where_it_reads = "delete from spare where exists (select from items i where i.id + 1 = spare.id and nap(i.id, 100))";
constexpr const char* naps_where_it_writes = "update spare set filler = nap(2, 100)::text from items i where i.id + 1 = spare.id";
/// Which rows these are is found out once for all shards, before they are written to.
constexpr const char* of_one_moment = "update spare set filler = filler || 'y' where id in (select id from spare order by id limit 5)";

}  // namespace

TEST_CASE("feed: a write reads rows of other shards that memory does not hold") {
  Proxy own({{"LIMITS", "query_memory: 2MiB"}});
  Client client(own.conninfo());
  const Spare spare(client);
  fill(client, 100000);
  // Each shard has its own rows of `spare`, and is given those of the others.
  const Answer answer = client.run("update spare set filler = s.filler || s.id from spare s where s.id = spare.id % 100000 + 1");
  CHECK_EQ(answer.tag, "UPDATE 100000");
  CHECK_EQ(client.run("select count(*) from spare where filler = 'x' || id % 100000 + 1").value(), "100000");
  CHECK_GT(own.metric("anabranch_spilled_bytes_total"), 1e6);
  CHECK_EQ(client.run("delete from spare where (select count(*) from spare s where s.id = 100001 - spare.id) = 1").tag, "DELETE 100000");
  check_nothing_left();
}

TEST_CASE("feed: a cancel, and a lost process, while a write reads rows of other shards") {
  Proxy own;
  Client client(own.conninfo());
  const Spare spare(client);
  fill(client, 30);
  for (const char* sql : {naps_where_it_reads, naps_where_it_writes}) {
    CAPTURE(sql);
    CHECK_EQ(run_while_it_naps(client, sql, [&] { client.cancel(); }).sqlstate, "57014");
    check_nothing_left();
    const Answer lost = run_while_it_naps(client, sql, lose_a_nap);
    CHECK_MESSAGE((lost.sqlstate == "57P01" || lost.sqlstate == "08006"), lost.value());
    CHECK_EQ(client.run("select count(*) from spare where filler = 'x'").value(), "30");
    check_nothing_left();
  }
}

TEST_CASE("feed: rows that others change meanwhile are written after them") {
  Proxy own;
  Client client(own.conninfo());
  Client other(own.conninfo());
  const Spare spare(client);
  fill(client, 20);
  REQUIRE(other.run("begin").ok());
  REQUIRE_EQ(other.run("update spare set filler = 'z' where id = 3").tag, "UPDATE 1");
  std::thread later([&] {
    CHECK(eventually([] { return on_all_shards("select count(*) from pg_locks where not granted") > 0; }));
    CHECK(other.run("commit").ok());
  });
  const Answer answer = client.run(std::string(of_one_moment) + " returning id");
  later.join();
  CHECK_EQ(answer.tag, "UPDATE 5");
  CHECK_EQ(answer.rows.size(), 5);
  CHECK_EQ(client.run("select string_agg(filler, ',' order by id) from spare where id < 7").value(), "xy,xy,zy,xy,xy,x");
  REQUIRE(client.run("begin").ok());
  CHECK_EQ(client.run(of_one_moment).sqlstate, "0A000");
  REQUIRE(client.run("rollback").ok());
  check_nothing_left();
}

TEST_CASE("feed: a write that reads other shards in a transaction, and undone in part") {
  Proxy own;
  Client client(own.conninfo());
  const Spare spare(client);
  fill(client, 20);
  REQUIRE(client.run("begin").ok());
  const char* sum = "update spare set filler = (select sum(n) from items where items.id <= spare.id)::text where id = 4 returning filler";
  CHECK_EQ(client.run(sum).value(), "100");
  REQUIRE(client.run("savepoint here").ok());
  CHECK_EQ(client.run("update spare set filler = (select 1 / (n - 20) from items where items.id = spare.id - 2)::text where id = 4").sqlstate, "22012");
  REQUIRE(client.run("rollback to here").ok());
  CHECK_EQ(client.run(sum).value(), "100");
  CHECK_EQ(client.run("delete from spare where id in (select id from items) and id <> 4").sqlstate, "0A000");
  REQUIRE(client.run("rollback").ok());
  CHECK_EQ(client.run("select count(*) from spare where filler = 'x'").value(), "20");
  check_nothing_left();
}

TEST_CASE("feed: many sessions over few connections") {
  Proxy own({{"POOL_SIZE", "2"}});
  Client first(own.conninfo());
  const Spare spare(first);
  std::vector<std::thread> sessions;
  std::atomic<int> good = 0;
  for (int session = 0; session < 8; ++session) {
    sessions.emplace_back([&, session] {
      Client client(own.conninfo());
      for (int round = 0; round < 5; ++round) {
        const int begin = (session * 5 + round) * 100;
        const Answer answer = client.run(fmt::format("insert into spare select {} + row_number() over (order by id), note from items", begin));
        if (answer.tag == "INSERT 0 20") ++good;
        CHECK_MESSAGE(answer.ok(), answer.value());
        const Answer told = client.run(fmt::format("update spare set filler = i.n from items i where spare.id = {} + i.id", begin));
        CHECK_EQ(told.tag, "UPDATE 20");
      }
    });
  }
  for (auto& session : sessions) session.join();
  CHECK_EQ(good.load(), 40);
  CHECK_EQ(spare.count(), "800");
  check_nothing_left();
}

}  // namespace faults
