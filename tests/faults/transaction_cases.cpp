#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "world.h"

/// Transactions over several shards: all of it or nothing, and where that cannot be kept, it is said.
namespace faults {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void on_server(int number, const std::string& sql) {
  Client client(shard(number).conninfo());
  const Answer answer = client.run(sql);
  REQUIRE_MESSAGE(answer.ok(), answer.message);
}

}  // namespace

TEST_CASE("transactions: a second writing shard is refused") {
  Client client(proxy().conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("insert into items values (9401, 'kept', 1)").ok());
  REQUIRE(client.run("insert into items values (9405, 'kept', 1)").ok());
  REQUIRE(client.run("select count(*) from items").ok());
  REQUIRE(client.run("savepoint s").ok());
  const Answer refused = client.run("insert into items values (9402, 'no', 1)");
  CHECK_EQ(refused.sqlstate, "0A000");
  CHECK_MESSAGE((contains(refused.message, "s2") && contains(refused.message, "s3")), refused.message);
  CHECK_EQ(client.run("select 1").sqlstate, "25P02");
  REQUIRE(client.run("rollback to s").ok());
  CHECK_EQ(client.run("select count(*) from items where id > 9400").value(), "2");
  CHECK_EQ(client.run("commit").tag, "COMMIT");
  CHECK_EQ(client.run("delete from items where id > 9400").tag, "DELETE 2");
}

TEST_CASE("transactions: several writing shards, where the operator takes the risk") {
  Proxy risky({{"TWO_PHASE", "off"}});
  Client client(risky.conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("insert into items values (9401, 'kept', 1)").ok());
  REQUIRE(client.run("savepoint s").ok());
  REQUIRE(client.run("insert into items values (9402, 'kept', 1)").ok());
  REQUIRE(client.run("insert into countries values ('ES', 'Spain')").ok());
  CHECK_EQ(client.run("update items set n = n + 801").sqlstate, "23514");
  CHECK_EQ(client.run("select 1").sqlstate, "25P02");
  REQUIRE(client.run("rollback to s").ok());
  CHECK_EQ(client.copy_in("copy items from stdin", "9403\tcopied\t1\n9404\tcopied\t2\n").tag, "COPY 2");
  CHECK_EQ(on_all_shards("select count(*) from items where id > 9400"), 0);
  CHECK_EQ(client.run("commit").tag, "COMMIT");
  CHECK_EQ(client.run("select count(*), min(id), sum(id) from items where id > 9400").rows.at(0),
           std::vector<std::string>{"3", "9401", "28208"});
  CHECK_EQ(on_all_shards("select count(*) from countries where code = 'ES'"), 0);

  // A deferred constraint refuses before anything is committed.
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("delete from items where id > 9400").ok());
  REQUIRE(client.run("insert into late values (3, 1), (3, 1)").ok());
  CHECK_EQ(client.run("commit").sqlstate, "23505");
  CHECK_EQ(on_all_shards("select count(*) from items where id > 9400"), 3);
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("delete from items where id > 9400").ok());
  REQUIRE(client.run("rollback").ok());
  CHECK_EQ(client.run("delete from items where id > 9400").tag, "DELETE 3");
}

TEST_CASE("transactions: savepoints reach shards that come later") {
  Client client(proxy().conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("savepoint a").ok());
  REQUIRE(client.run("insert into items values (9401, 'a', 1)").ok());
  REQUIRE(client.run("savepoint b").ok());
  CHECK_EQ(client.run("select note from items where id = 2").value(), "i2");
  CHECK_EQ(client.run("insert into items values (9401, 'again', 1)").sqlstate, "23505");
  REQUIRE(client.run("rollback to b").ok());
  CHECK_EQ(client.run("select count(*) from items").value(), "21");
  REQUIRE(client.run("rollback to a").ok());
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  CHECK_EQ(client.run("commit").tag, "COMMIT");
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

TEST_CASE("transactions: one statement over several shards is whole or nothing") {
  Client client(proxy().conninfo());
  for (const char* sql : {"insert into items values (9400, 'a', 1), (9401, 'b', 2), (9402, 'c', 5000), (9403, 'd', 4)",
                          "insert into items values (9400, 'a', 1), (9401, 'b', 2), (1, 'double', 3)",
                          "update items set n = n + 801", "update items set n = 1 / (id - 7)"}) {
    const Answer answer = client.run(sql);
    CHECK_MESSAGE((answer.sqlstate == "23514" || answer.sqlstate == "23505" || answer.sqlstate == "22012"), sql, ": ",
                  answer.value());
    CHECK_EQ(on_all_shards("select count(*) from items"), 20);
    CHECK_EQ(on_all_shards("select coalesce(sum(n), 0) from items"), 2100);
  }
  CHECK_EQ(client.run("insert into items values (9400, 'a', 1), (9401, 'b', 2), (9402, 'c', 5), (9403, 'd', 4)").tag,
           "INSERT 0 4");
  for (int i = 1; i <= 4; ++i) CHECK_EQ(on_shard(i, "select count(*) from items"), "6");
  CHECK_EQ(client.run("delete from items where n < 10").tag, "DELETE 4");
}

TEST_CASE("transactions: reference tables are written everywhere or nowhere") {
  Client client(proxy().conninfo());
  CHECK_EQ(client.run("insert into countries values ('AT', 'Austria')").tag, "INSERT 0 1");
  for (int i = 1; i <= 4; ++i) CHECK_EQ(on_shard(i, "select count(*) from countries"), "4");
  CHECK_EQ(client.run("insert into countries values ('BE', 'Belgium'), ('AT', 'again')").sqlstate, "23505");
  // One copy alone refuses.
  on_server(3, "insert into countries values ('CH', 'only here')");
  CHECK_EQ(client.run("insert into countries values ('CH', 'Switzerland')").sqlstate, "23505");
  for (int i = 1; i <= 4; ++i) CHECK_EQ(on_shard(i, "select count(*) from countries"), i == 3 ? "5" : "4");
  on_server(3, "delete from countries where code = 'CH'");
  CHECK_EQ(client.run("delete from countries where code = 'AT'").tag, "DELETE 1");
  for (int i = 1; i <= 4; ++i) CHECK_EQ(on_shard(i, "select count(*) from countries"), "3");
}

TEST_CASE("transactions: isolation that several shards cannot give is refused") {
  Client client(proxy().conninfo());
  for (const char* level : {"repeatable read", "serializable"}) {
    REQUIRE(client.run(std::string("begin isolation level ") + level).ok());
    CHECK_EQ(client.run("select note from items where id = 1").value(), "i1");
    CHECK_EQ(client.run("select note from items where id = 5").value(), "i5");
    CHECK_EQ(client.run("select note from items where id = 2").sqlstate, "0A000");
    REQUIRE(client.run("rollback").ok());
    REQUIRE(client.run("begin").ok());
    REQUIRE(client.run(std::string("set transaction isolation level ") + level).ok());
    CHECK_EQ(client.run("select count(*) from items").sqlstate, "0A000");
    REQUIRE(client.run("rollback").ok());
  }
  CHECK_EQ(client.run("begin isolation level repeatable read").tag, "BEGIN");
  const Answer advised = client.run("select count(*) from items");
  CHECK_MESSAGE(contains(advised.message, "READ ONLY"), advised.message);
  REQUIRE(client.run("rollback").ok());
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

TEST_CASE("transactions: REPEATABLE READ, READ ONLY sees all shards at one moment") {
  Client client(proxy().conninfo());
  Client writer(proxy().conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("set transaction isolation level repeatable read, read only").ok());
  REQUIRE(client.run("set local datestyle to iso").ok());
  CHECK_EQ(client.run("select note from items where id = 1").value(), "i1");
  // On a shard that has not been read yet.
  REQUIRE(writer.run("insert into items values (9402, 'later', 1), (9403, 'later', 1)").ok());
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  CHECK_EQ(client.run("select count(*) from items where id = 9402").value(), "0");
  REQUIRE(client.run("lock table items, notes, countries in access share mode").ok());
  CHECK_EQ(client.run("commit").tag, "COMMIT");
  CHECK_EQ(client.run("select count(*) from items").value(), "22");
  REQUIRE(writer.run("delete from items where id > 9400").ok());
}

TEST_CASE("transactions: no commit over several shards straddles a moment") {
  Client writer(proxy().conninfo());
  REQUIRE(writer.run("insert into big values (1, '0'), (2, '0'), (3, '0'), (4, '0')").ok());
  std::atomic<bool> over = false;
  std::thread writing([&] {
    for (int i = 1; !over; ++i) writer.run("update big set filler = '" + std::to_string(i) + "'");
  });
  Client client(proxy().conninfo());
  int torn = 0;
  for (int i = 0; i < rounds(60); ++i) {
    REQUIRE(client.run("begin isolation level repeatable read read only").ok());
    const Answer seen = client.run("select count(distinct filler) from big");
    if (seen.value() != "1") ++torn;
    REQUIRE(client.run("commit").ok());
  }
  over = true;
  writing.join();
  CHECK_EQ(torn, 0);
  CHECK_EQ(writer.run("truncate big").tag, "TRUNCATE TABLE");
}

TEST_CASE("transactions: uncommitted definitions are nobody else's") {
  Client client(proxy().conninfo());
  Client other(proxy().conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("create table spare (id bigint primary key, note text)").ok());
  REQUIRE(client.run("insert into spare values (1, 'a'), (2, 'b'), (3, 'c')").ok());
  REQUIRE(client.run("insert into notes values (9501, 'with it')").ok());
  CHECK_EQ(client.run("select count(*) from spare").value(), "3");
  // The same text, planned for this session alone.
  CHECK_EQ(other.run("select count(*) from spare").sqlstate, "42P01");
  CHECK_EQ(client.run("select count(*) from spare").value(), "3");
  REQUIRE(client.run("rollback").ok());
  CHECK_EQ(client.run("select count(*) from spare").sqlstate, "42P01");
  for (int i = 1; i <= 4; ++i) CHECK_EQ(on_shard(i, "select to_regclass('spare') is null"), "t");
  CHECK_EQ(client.run("select count(*) from notes where id = 9501").value(), "0");

  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("create table spare (id bigint primary key, note text)").ok());
  REQUIRE(client.run("insert into spare values (1, 'a'), (2, 'b'), (3, 'c')").ok());
  REQUIRE(client.run("commit").ok());
  // Known to everybody when COMMIT is answered, whichever loop serves them.
  for (int i = 0; i < 4; ++i) {
    Client late(proxy().conninfo());
    CHECK_EQ(late.run("select count(*) from spare").value(), "3");
  }
  CHECK_EQ(other.run("select count(*) from spare").value(), "3");
  CHECK_EQ(on_shard(2, "select count(*) from spare"), "1");
  REQUIRE(client.run("drop table spare").ok());
}

TEST_CASE("transactions: a schema change lets later writes go anywhere, but not earlier ones") {
  Client client(proxy().conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("insert into items values (9401, 'kept', 1)").ok());
  REQUIRE(client.run("savepoint s").ok());
  REQUIRE(client.run("alter table doomed add column more int").ok());
  REQUIRE(client.run("insert into items values (9402, 'kept', 1), (9403, 'kept', 1)").ok());
  REQUIRE(client.run("rollback to s").ok());
  CHECK_EQ(client.run("insert into items values (9402, 'no', 1)").sqlstate, "0A000");
  REQUIRE(client.run("rollback to s").ok());
  REQUIRE(client.run("alter table doomed add column more int").ok());
  REQUIRE(client.run("insert into items values (9402, 'kept', 1)").ok());
  CHECK_EQ(client.run("commit").tag, "COMMIT");
  CHECK_EQ(client.run("delete from items where id > 9400").tag, "DELETE 2");
  CHECK_EQ(client.run("select count(more) from doomed").value(), "0");
  REQUIRE(client.run("alter table doomed drop column more").ok());
}

TEST_CASE("transactions: a schema change that one shard refuses is nowhere") {
  on_server(3, "create table spare (only_here int); alter table spare owner to app");
  Client client(proxy().conninfo());
  CHECK_EQ(client.run("create table spare (id bigint)").sqlstate, "42P07");
  for (int i : {1, 2, 4}) CHECK_EQ(on_shard(i, "select to_regclass('spare') is null"), "t");
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("insert into notes values (9502, 'no')").ok());
  CHECK_EQ(client.run("create table spare (id bigint)").sqlstate, "42P07");
  CHECK_EQ(client.run("commit").tag, "ROLLBACK");
  for (int i : {1, 2, 4}) CHECK_EQ(on_shard(i, "select to_regclass('spare') is null"), "t");
  on_server(3, "drop table spare");
}

TEST_CASE("transactions: a constraint that fails at COMMIT") {
  Client client(proxy().conninfo());
  CHECK_EQ(client.run("insert into late values (1, 1), (2, 1), (2, 1), (3, 1)").sqlstate, "23505");
  CHECK_EQ(on_all_shards("select count(*) from late"), 0);
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("insert into late values (2, 1), (2, 1)").ok());
  REQUIRE(client.run("select count(*) from late").ok());
  CHECK_EQ(client.run("commit").sqlstate, "23505");
  CHECK_EQ(client.transaction(), PQTRANS_IDLE);
  CHECK_EQ(on_all_shards("select count(*) from late"), 0);
  CHECK_EQ(client.run("insert into late values (1, 1), (2, 1), (3, 1)").tag, "INSERT 0 3");
  CHECK_EQ(client.run("delete from late").tag, "DELETE 3");
}

TEST_CASE("transactions: a shard dies between the commits") {
  // On shard 3 COMMIT itself ends the server process: the deferred trigger, when it is checked early,
  // only defers a second one, which nothing but COMMIT carries out.
  on_server(3,
            "create table fuse (id int); alter table fuse owner to app; "
            "create function burn() returns trigger language plpgsql security definer as $$ begin "
            "  perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return null; end $$; "
            "create function light() returns trigger language plpgsql security definer as $$ begin "
            "  set constraints burning deferred; insert into fuse values (1); return null; end $$; "
            "create constraint trigger burning after insert on fuse deferrable initially deferred "
            "  for each row execute function burn(); "
            "create constraint trigger lighting after insert on doomed deferrable initially deferred "
            "  for each row execute function light()");
  Client client(proxy().conninfo());
  const double before = proxy().metric("anabranch_commits_unknown_total");
  REQUIRE(client.run("delete from doomed").ok());  // what other cases have left there
  const Answer answer = client.run("insert into doomed values (1), (2), (3)");
  CHECK_EQ(answer.sqlstate, "08007");
  for (const char* name : {"s2", "s3", "s4"}) CHECK_MESSAGE(contains(answer.message, name), answer.message);
  CHECK_EQ(on_shard(2, "select count(*) from doomed"), "1");
  CHECK_EQ(on_shard(3, "select count(*) from doomed"), "0");
  CHECK_EQ(on_shard(4, "select count(*) from doomed"), "1");
  CHECK_EQ(proxy().metric("anabranch_commits_unknown_total"), before + 1);
  CHECK_MESSAGE(contains(proxy().log(), "08007"), proxy().log_tail());
  REQUIRE(client.alive());
  CHECK_EQ(client.run("select count(*) from doomed").value(), "2");
  // One writer alone: its outcome is unknown too, and must not be reported as done.
  const Answer single = client.run("insert into doomed values (2)");
  CHECK_MESSAGE(!single.ok(), single.tag);
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  on_server(3, "drop trigger lighting on doomed; drop table fuse; drop function burn, light");
  CHECK_EQ(client.run("delete from doomed").tag, "DELETE 2");
}

}  // namespace faults
