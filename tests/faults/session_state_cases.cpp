#include <doctest/doctest.h>
#include <fmt/format.h>
#include <libpq/libpq-fs.h>

#include <memory>
#include <thread>

#include "world.h"

/// What lives in one server's session, over a pool of one connection a shard: it is the session's
/// while it is there, and nobody else's afterwards.
namespace faults {

namespace {

const Blanks one_connection = {{"POOL_SIZE", "1"}, {"WAIT_TIMEOUT", "300ms"}};

/// The default shard's only connection is to be had.
bool gets_default(Client& client) { return client.run("select count(*) from notes").ok(); }

/// The next notification, "channel payload"; empty: none came.
std::string notification(Client& client, int seconds = 20) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < until) {
    PQconsumeInput(client.get());
    if (PGnotify* got = PQnotifies(client.get())) {
      const std::string text = fmt::format("{} {}", got->relname, got->extra);
      PQfreemem(got);
      return text;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {};
}

}  // namespace

TEST_CASE("session state: a temporary table keeps the default shard's connection, and no other") {
  Proxy small(one_connection);
  Client owner(small.conninfo());
  Client other(small.conninfo());
  REQUIRE(owner.run("create temp table items (id bigint, note text)").ok());
  REQUIRE(owner.run("insert into items values (1, 'mine')").ok());
  CHECK_EQ(owner.run("select note from items").value(), "mine");
  CHECK_EQ(owner.run("select note from public.items where id = 1").value(), "i1");
  CHECK_EQ(other.run("select count(*) from items where id = 1").value(), "1");
  CHECK_EQ(other.run("select note from items where id = 2").value(), "i2");
  CHECK_EQ(other.run("select count(*) from notes").sqlstate, "53300");
  REQUIRE(owner.run("drop table pg_temp.items").ok());
  CHECK_EQ(owner.run("select note from items where id = 1").value(), "i1");
  CHECK(gets_default(other));
  CHECK_EQ(other.run("select count(*) from items").value(), "20");
}

TEST_CASE("session state: nothing of it is left for the next client") {
  Proxy small(one_connection);
  {
    Client owner(small.conninfo());
    REQUIRE(owner.run("create temp table secrets (a int)").ok());
    REQUIRE(owner.run("listen ch").ok());
    REQUIRE(owner.run("select pg_advisory_lock(99)").ok());
    REQUIRE(owner.run("declare c cursor with hold for select 1").ok());
  }
  Client next(small.conninfo());
  CHECK(eventually([&] { return gets_default(next); }));
  CHECK_EQ(next.run("select count(*) from secrets").sqlstate, "42P01");
  CHECK_EQ(next.run("select count(*) from pg_listening_channels()").value(), "0");
  CHECK_EQ(next.run("select count(*) from pg_cursors where is_holdable").value(), "0");
  CHECK_EQ(next.run("select pg_try_advisory_lock(99)").value(), "t");
  CHECK_EQ(next.run("select pg_advisory_unlock(99)").value(), "t");
}

TEST_CASE("session state: a client that dies within it leaves nothing") {
  Proxy small(one_connection);
  Client next(small.conninfo());
  {
    Wire gone = small.wire();
    gone.send(query("select pg_advisory_lock(98)"));
    gone.until_ready();
    gone.send(query("begin; create temp table t (a int)"));
    gone.until_ready();
    gone.close(true);
  }
  CHECK(eventually([&] { return next.run("select pg_try_advisory_lock(98)").value() == "t"; }));
  CHECK_EQ(next.run("select pg_advisory_unlock_all()").sqlstate, "");
}

TEST_CASE("session state: each reason ends by its own statement") {
  Proxy small(one_connection);
  Client owner(small.conninfo());
  Client other(small.conninfo());
  const std::vector<std::pair<std::string, std::string>> reasons = {
      {"create temp table t (a int)", "discard temp"},
      {"create temp view v as select 1", "drop view v"},
      {"select 1 as a into temp t", "drop table t"},
      {"listen ch", "unlisten ch"},
      {"listen ch", "unlisten *"},
      {"declare c cursor with hold for select 1", "close c"},
      {"declare c cursor with hold for select 1", "close all"},
      {"select pg_advisory_lock(1)", "select pg_advisory_unlock(1)"},
      {"select pg_advisory_lock_shared(1)", "select pg_advisory_unlock_shared(1)"},
      {"select pg_advisory_lock(1), pg_advisory_lock(2)", "select pg_advisory_unlock_all()"},
      {"create temp table t (a int)", "discard all"},
      {"listen ch", "discard all"},
  };
  for (const auto& [begin, end] : reasons) {
    INFO(begin, " … ", end);
    const Answer begun = owner.run(begin);
    REQUIRE_MESSAGE(begun.ok(), begun.message);
    CHECK_EQ(other.run("select count(*) from notes").sqlstate, "53300");
    const Answer ended = owner.run(end);
    CHECK_MESSAGE(ended.ok(), ended.message);
    CHECK(gets_default(other));
  }
  // Two reasons: both must go.
  REQUIRE(owner.run("listen ch").ok());
  REQUIRE(owner.run("select pg_advisory_lock(1)").ok());
  REQUIRE(owner.run("unlisten *").ok());
  CHECK_EQ(other.run("select count(*) from notes").sqlstate, "53300");
  REQUIRE(owner.run("select pg_advisory_unlock(1)").ok());
  CHECK(gets_default(other));
  // What fails, or is rolled back, leaves no reason.
  CHECK_EQ(owner.run("create temp table t (a no_such_type)").sqlstate, "42704");
  CHECK(gets_default(other));
  REQUIRE(owner.run("begin").ok());
  REQUIRE(owner.run("listen ch").ok());
  REQUIRE(owner.run("create temp table t (a int)").ok());
  REQUIRE(owner.run("rollback").ok());
  CHECK(gets_default(other));
  REQUIRE(owner.run("begin").ok());
  REQUIRE(owner.run("create temp table t (a int) on commit drop").ok());
  REQUIRE(owner.run("commit").ok());
  CHECK(gets_default(other));
}

TEST_CASE("session state: temporary tables of one name and other columns") {
  Proxy pooled({{"POOL_SIZE", "2"}});
  Client first(pooled.conninfo());
  Client second(pooled.conninfo());
  REQUIRE(first.run("create temp table t (a int)").ok());
  REQUIRE(second.run("create temp table t (b text, c text)").ok());
  REQUIRE(first.run("insert into t values (1)").ok());
  REQUIRE(second.run("insert into t values ('x', 'y')").ok());
  for (int round = 0; round < 2; ++round) {
    for (Client* client : {&first, &second}) {
      PQclear(PQprepare(client->get(), fmt::format("p{}", round).c_str(), "select * from t", 0, nullptr));
    }
    const auto run = [&](Client& client) {
      return take(client.get(), PQexecPrepared(client.get(), fmt::format("p{}", round).c_str(), 0, nullptr, nullptr, nullptr, 0));
    };
    CHECK_EQ(run(first).rows.at(0).size(), 1U);
    CHECK_EQ(run(second).rows.at(0).size(), 2U);
    const Answer one = first.run("select * from t", {});
    REQUIRE_MESSAGE(one.ok(), one.message);
    CHECK_EQ(one.value(), "1");
    CHECK_EQ(second.run("select * from t", {}).value(), "x");
  }
}

TEST_CASE("session state: notifications reach a client that is idle") {
  Proxy small({{"POOL_SIZE", "2"}});
  Client listener(small.conninfo());
  Client speaker(small.conninfo());
  REQUIRE(listener.run("listen ch").ok());
  REQUIRE(speaker.run("notify ch, 'first'").ok());
  CHECK_EQ(notification(listener), "ch first");
  REQUIRE(speaker.run("select pg_notify('ch', 'second')").ok());
  CHECK_EQ(notification(listener), "ch second");
  // Between statements, also those of other shards; and at the commit, not before.
  REQUIRE(speaker.run("begin").ok());
  REQUIRE(speaker.run("notify ch, 'third'").ok());
  CHECK_EQ(listener.run("select note from items where id = 1").value(), "i1");
  CHECK_EQ(notification(listener, 1), "");
  REQUIRE(speaker.run("commit").ok());
  CHECK_EQ(notification(listener), "ch third");
  // LISTEN takes effect at the commit.
  REQUIRE(listener.run("begin").ok());
  REQUIRE(listener.run("listen later").ok());
  REQUIRE(listener.run("commit").ok());
  REQUIRE(speaker.run("notify later, 'late'").ok());
  CHECK_EQ(notification(listener), "later late");
  // One's own come with the statement, under the process that the client knows.
  REQUIRE(listener.run("notify ch, 'mine'").ok());
  PGnotify* own = PQnotifies(listener.get());
  REQUIRE(own != nullptr);
  CHECK_EQ(own->be_pid, PQbackendPID(listener.get()));
  PQfreemem(own);
  CHECK_EQ(speaker.run("select pg_notify('ch', note) from items where id = 1").sqlstate, "0A000");
}

TEST_CASE("session state: the end of a kept connection is the session's end") {
  Proxy small({{"POOL_SIZE", "2"}});
  Client idle(small.conninfo());
  Client busy(small.conninfo());
  Client stranger(small.conninfo());
  REQUIRE(idle.run("listen ch").ok());
  REQUIRE(busy.run("create temp table t (a int)").ok());
  const std::string terminate = "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                                " where usename = 'app' and pid <> pg_backend_pid() and datname = 'shop'";
  on_shard(1, terminate);
  CHECK(eventually([&] {
    PQconsumeInput(idle.get());
    return !idle.alive();
  }));
  CHECK_EQ(busy.run("select * from t").ok(), false);
  CHECK(!busy.alive());
  // Who had nothing there goes on.
  CHECK(eventually([&] { return gets_default(stranger); }));
}

TEST_CASE("session state: a cancelled or failed statement does not cost it") {
  Proxy small({{"POOL_SIZE", "2"}});
  Client client(small.conninfo());
  REQUIRE(client.run("create temp table t (a int)").ok());
  REQUIRE(client.run("insert into t values (1)").ok());
  CHECK_EQ(client.run("select 1/0 from t").sqlstate, "22012");
  CHECK_EQ(client.run("select count(*) from items where nap(id, 0) and 1/(id-5) > 0").sqlstate, "22012");
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    client.cancel();
  });
  CHECK_EQ(client.run("select pg_sleep(20)").sqlstate, "57014");
  canceller.join();
  CHECK_EQ(client.run("select count(*) from t").value(), "1");
}

namespace {

/// Two clients of the database without schemes, over one connection.
struct Plain {
  Proxy small{one_connection};
  Client one{conninfo()};
  Client two{conninfo()};
  std::string conninfo() const { return small.conninfo("dbname=other user=limited password=limited-secret"); }
};

}  // namespace

TEST_CASE("session state: a database without schemes pools by transaction") {
  Plain plain;
  Client& one = plain.one;
  Client& two = plain.two;
  for (int round = 0; round < 3; ++round) {
    for (Client* client : {&one, &two}) {
      CHECK_EQ(client->run("select count(*) from notes").value(), "1000");
      CHECK_EQ(client->run("select upper(note) from notes where id = $1", {"7"}).value(), "NOTE 7");
      CHECK(client->run("update notes set note = 'note 7' where id = 7").ok());
    }
  }
  REQUIRE(one.run("begin").ok());
  REQUIRE(one.run("select 1").ok());
  CHECK_EQ(two.run("select 1").sqlstate, "53300");
  REQUIRE(one.run("commit").ok());
  CHECK(two.run("select 1").ok());
  REQUIRE(one.run("set work_mem = '7MB'").ok());
  CHECK_EQ(two.run("select current_setting('work_mem') = '7MB'").value(), "f");
  CHECK_EQ(one.run("select current_setting('work_mem')").value(), "7MB");
  // What may leave anything is asked about.
  REQUIRE(one.run("do $$ begin perform set_config('work_mem', '9MB', false); end $$").ok());
  CHECK_EQ(two.run("select current_setting('work_mem') = '9MB'").value(), "f");
  CHECK_EQ(one.run("select current_setting('work_mem')").value(), "9MB");
}

TEST_CASE("session state: settings of one's own names follow their session, and it alone") {
  Proxy small(one_connection);
  const std::string plain = small.conninfo("dbname=other user=limited password=limited-secret");
  for (const std::string& where : {small.conninfo(), plain}) {
    Client one(where);
    Client two(where);
    const auto tenant = [](Client& client) {
      return client.run("select coalesce(current_setting('app.tenant', true), '')").value();
    };
    CHECK_EQ(one.run("select set_config('app.tenant', '7', false)").value(), "7");
    CHECK_EQ(tenant(two), "");
    CHECK_EQ(tenant(one), "7");
    REQUIRE(one.run("begin").ok());
    REQUIRE(one.run("select set_config('app.tenant', '8', false)").ok());
    CHECK_EQ(tenant(one), "8");
    REQUIRE(one.run("rollback").ok());
    CHECK_EQ(tenant(one), "7");
    REQUIRE(one.run("select set_config('app.tenant', $1, false)", {"9"}).ok());
    CHECK_EQ(tenant(two), "");
    CHECK_EQ(tenant(one), "9");
    // Who hides the name keeps the connection.
    REQUIRE(one.run("select set_config('app.' || 'other', '1', false)").ok());
    CHECK_EQ(two.run("select 1").sqlstate, "53300");
  }
  Client one(plain);
  Client two(plain);
  REQUIRE(one.run("do $$ begin perform set_config('app.hidden', '1', false); end $$").ok());
  CHECK_EQ(two.run("select coalesce(current_setting('app.hidden', true), '')").value(), "");
}

TEST_CASE("session state: each reason in a database without schemes") {
  Plain plain;
  const std::vector<std::pair<std::string, std::string>> reasons = {
      {"create temp table t (a int)", "drop table t"},
      {"do $$ begin create temp table t (a int); end $$", "do $$ begin drop table t; end $$"},
      {"do $$ begin perform pg_advisory_lock(1); end $$", "select pg_advisory_unlock(1)"},
      {"create temp view v as select 1", "drop view v"},
      {"select 1 as a into temp t", "drop table t"},
      {"set search_path = pg_temp, public; create table t (a int)", "drop table t"},
      {"create temp sequence s", "drop sequence s"},
      {"listen ch", "unlisten *"},
      {"prepare p as select 1", "deallocate p"},
      {"declare c cursor with hold for select 1", "close c"},
      {"select pg_try_advisory_lock(1)", "select pg_advisory_unlock_all()"},
      {"create function pg_temp.f() returns int language sql as 'select 1'", "drop function pg_temp.f()"},
      {"listen ch; prepare p as select 1; create temp table t (a int)", "discard all"},
  };
  for (const auto& [begin, end] : reasons) {
    INFO(begin, " … ", end);
    const Answer begun = plain.one.run(begin);
    REQUIRE_MESSAGE(begun.ok(), begun.message);
    CHECK_EQ(plain.two.run("select 1").sqlstate, "53300");
    const Answer ended = plain.one.run(end);
    CHECK_MESSAGE(ended.ok(), ended.message);
    CHECK_EQ(plain.two.run("select 1").value(), "1");
  }
  for (Client* client : {&plain.one, &plain.two}) {
    PQclear(PQprepare(client->get(), "q", "select 5", 0, nullptr));
  }
  const auto run = [](Client& client) {
    return take(client.get(), PQexecPrepared(client.get(), "q", 0, nullptr, nullptr, nullptr, 0));
  };
  CHECK_EQ(run(plain.one).value(), "5");
  REQUIRE(plain.one.run("prepare p as select 6").ok());
  REQUIRE(plain.one.run("deallocate all").ok());
  CHECK_EQ(plain.one.run("execute p").sqlstate, "26000");
  CHECK_EQ(run(plain.one).sqlstate, "26000");
  CHECK_EQ(run(plain.two).value(), "5");
  REQUIRE(plain.two.run("deallocate q").ok());
  CHECK_EQ(run(plain.two).sqlstate, "26000");
  REQUIRE(plain.one.run("prepare p as select 1 + $1::int").ok());
  CHECK_EQ(plain.one.run("execute p (2)").value(), "3");
}

TEST_CASE("session state: the function call protocol, where there is one server") {
  Proxy plain({{"USERS", "  - {name: plain, password: plain-secret, databases: [other]}"}});
  Client sql(plain.conninfo("dbname=other user=plain password=plain-secret"));
  REQUIRE_MESSAGE(sql.alive(), sql.problem());
  const auto call = [&](unsigned function, int left, int right) {
    const int values[] = {left, right};
    PQArgBlock arguments[2];
    for (int i = 0; i < 2; ++i) {
      arguments[i].isint = 1;
      arguments[i].len = 4;
      arguments[i].u.integer = values[i];
    }
    int result = 0;
    int length = 0;
    PGresult* answer = PQfn(sql.get(), static_cast<int>(function), &result, &length, 1, arguments, 2);
    const bool good = PQresultStatus(answer) == PGRES_COMMAND_OK;
    PQclear(answer);
    return good ? std::to_string(result) : std::string("failed");
  };
  constexpr unsigned int4pl = 177;
  constexpr unsigned int4div = 154;
  CHECK_EQ(call(int4pl, 2, 3), "5");
  CHECK_EQ(call(int4div, 1, 0), "failed");
  CHECK_EQ(call(int4div, 9, 3), "3");
  CHECK_EQ(sql.run("select 1").value(), "1");
}

TEST_CASE("session state: large objects are the default shard's") {
  Client one(proxy().conninfo());
  Client two(proxy().conninfo());
  const auto begin = [](Client& client) { REQUIRE(client.run("begin").ok()); };
  begin(one);
  const Oid made = lo_creat(one.get(), INV_READ | INV_WRITE);
  REQUIRE(made != 0);
  int object = lo_open(one.get(), made, INV_WRITE);
  CHECK_EQ(lo_write(one.get(), object, "0123456789", 10), 10);
  CHECK_EQ(lo_lseek64(one.get(), object, 4, SEEK_SET), 4);
  CHECK_EQ(lo_truncate(one.get(), object, 8), 0);
  REQUIRE(one.run("commit").ok());
  CHECK_EQ(on_shard(1, fmt::format("select lo_get({})", made)), "\\x3031323334353637");

  begin(two);
  // Reading writes nothing: another shard may be written to.
  REQUIRE(two.run("update items set note = 'read' where id = 1").ok());
  object = lo_open(two.get(), made, INV_READ);
  char buffer[16] = {};
  CHECK_EQ(lo_read(two.get(), object, buffer, sizeof buffer), 8);
  CHECK_EQ(std::string(buffer), "01234567");
  REQUIRE(two.run("update items set note = 'i1' where id = 1").ok());
  REQUIRE(two.run("commit").ok());

  begin(two);
  CHECK_EQ(lo_open(two.get(), 1, INV_READ), -1);
  CHECK_EQ(two.run("select 1").sqlstate, "25P02");
  REQUIRE(two.run("rollback").ok());
  // By itself, without a transaction block.
  CHECK_EQ(lo_unlink(one.get(), made), 1);
  CHECK_EQ(on_shard(1, "select count(*) from pg_largeobject_metadata"), "0");

  int result = 0;
  int length = 0;
  constexpr int pg_backend_pid = 2026;
  PGresult* answer = PQfn(one.get(), pg_backend_pid, &result, &length, 1, nullptr, 0);
  CHECK_EQ(std::string(PQresultErrorField(answer, PG_DIAG_SQLSTATE)), "0A000");
  PQclear(answer);
  CHECK_EQ(one.run("select 1").value(), "1");
}

TEST_CASE("session state: currval belongs to its session") {
  Plain plain;
  Client& one = plain.one;
  Client& two = plain.two;
  REQUIRE(one.run("create table counted (id serial, note text)").ok());
  REQUIRE(one.run("insert into counted (note) values ('one')").ok());
  // Another had the connection meanwhile: the value is gone, and nobody sees it.
  CHECK_EQ(two.run("select 1").value(), "1");
  CHECK_EQ(one.run("select lastval()").sqlstate, "55000");
  // Who has asked once keeps the connection.
  REQUIRE(one.run("insert into counted (note) values ('two')").ok());
  CHECK_EQ(one.run("select lastval()").value(), "2");
  CHECK_EQ(one.run("select currval('counted_id_seq')").value(), "2");
  CHECK_EQ(two.run("select 1").sqlstate, "53300");
  REQUIRE(one.run("drop table counted").ok());
}

TEST_CASE("session state: currval of the default shard, where rows are sharded") {
  Proxy pooled({{"POOL_SIZE", "2"}, {"WAIT_TIMEOUT", "300ms"}});
  Client one(pooled.conninfo());
  Client two(pooled.conninfo());
  REQUIRE(one.run("create table counted (id serial, note text)").ok());
  CHECK_EQ(one.run("select lastval()").sqlstate, "55000");
  CHECK_EQ(one.run("insert into counted (note) values ('one') returning id").value(), "1");
  CHECK_EQ(two.run("insert into counted (note) values ('two') returning id").value(), "2");
  for (int round = 0; round < 3; ++round) CHECK_EQ(two.run("select count(*) from counted").value(), "2");
  CHECK_EQ(one.run("select currval('counted_id_seq'), lastval()").rows.at(0), std::vector<std::string>{"1", "1"});
  CHECK_EQ(two.run("select currval(pg_get_serial_sequence('counted', 'id'))").value(), "2");

  // Each shard has the sequence, and only the default shard's counts.
  CHECK_EQ(one.run("select nextval('counted_id_seq') from items where id = 1").sqlstate, "0A000");
  CHECK_EQ(one.run("insert into items (id, n) values (101, nextval('counted_id_seq'))").sqlstate, "0A000");
  CHECK_EQ(one.run("update items set n = currval('counted_id_seq') where id = 1").sqlstate, "0A000");
  REQUIRE(one.run("begin").ok());
  REQUIRE(one.run("select note from items where id = 1").ok());
  CHECK_EQ(one.run("select nextval('counted_id_seq')").value(), "3");
  REQUIRE(one.run("rollback").ok());

  // What ran on another shard is not what the default shard says.
  REQUIRE(one.run("/* anabranch: shard=s2 */ create sequence apart start 1000").ok());
  CHECK_EQ(one.run("/* anabranch: shard=s2 */ select nextval('apart')").value(), "1000");
  CHECK_EQ(one.run("select lastval()").sqlstate, "0A000");
  CHECK_EQ(two.run("select lastval()").value(), "2");
  REQUIRE(one.run("/* anabranch: shard=s2 */ drop sequence apart").ok());
  REQUIRE(one.run("drop table counted").ok());
}

TEST_CASE("session state: while nobody else lacks a connection, currval stays") {
  Proxy pooled({{"POOL_SIZE", "4"}});
  const std::string where = pooled.conninfo("dbname=other user=limited password=limited-secret");
  Client one(where);
  Client two(where);
  REQUIRE(one.run("create table numbered (id serial, note text)").ok());
  REQUIRE(one.run("insert into numbered (note) values ('one')").ok());
  REQUIRE(two.run("insert into numbered (note) values ('two')").ok());
  for (int round = 0; round < 3; ++round) CHECK_EQ(two.run("select count(*) from numbered").value(), "2");
  CHECK_EQ(one.run("select currval('numbered_id_seq')").value(), "1");
  CHECK_EQ(two.run("select currval('numbered_id_seq')").value(), "2");
  REQUIRE(one.run("drop table numbered").ok());
}

}  // namespace faults
