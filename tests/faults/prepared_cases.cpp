#include <doctest/doctest.h>
#include <fmt/format.h>

#include "world.h"

/// Prepared statements, portals and cursors where the server, or the sheer number, stands in the way.
namespace faults {

namespace {

void prepare(Client& client, const std::string& name, const std::string& sql) {
  PQclear(PQprepare(client.get(), name.c_str(), sql.c_str(), 0, nullptr));
}

Answer run_prepared(Client& client, const std::string& name) {
  return take(client.get(), PQexecPrepared(client.get(), name.c_str(), 0, nullptr, nullptr, nullptr, 0));
}

/// Takes the prepared statements of the only connection to a shard away behind the proxy's back.
void deallocate_on_shard(Client& client, int number) {
  const std::string sql = "/* anabranch: shard=s{} */ do $$ begin execute 'deallocate all'; end $$";
  REQUIRE_EQ(client.run(fmt::format(fmt::runtime(sql), number)).tag, "DO");
}

/// The SQLSTATE of what has failed until the next ReadyForQuery; empty: nothing.
std::string failure_of(Wire& wire) {
  std::string code;
  for (const WireMessage& message : wire.until_ready()) {
    if (message.type == 'E') code = error_field(message, 'C');
  }
  return code;
}

std::string in_list(const std::string& table, int count) {
  std::string sql = "select count(*) from " + table + " where id in (";
  for (int i = 1; i <= count; ++i) sql += fmt::format("{}${}::bigint", i == 1 ? "" : ",", i);
  return sql + ")";
}

}  // namespace

TEST_CASE("prepared: a server that has lost them") {
  Proxy pooled({{"POOL_SIZE", "1"}});
  Client client(pooled.conninfo());
  prepare(client, "relay", "select note from items where id = 4");
  prepare(client, "scatter", "select count(*) from items");
  REQUIRE_EQ(run_prepared(client, "relay").value(), "i4");
  REQUIRE_EQ(run_prepared(client, "scatter").value(), "20");
  const auto forget = [&] {
    for (int shard = 1; shard <= 4; ++shard) deallocate_on_shard(client, shard);
  };
  forget();
  CHECK_EQ(run_prepared(client, "relay").value(), "i4");
  // The first shard that says so has the others cancelled: no late cancel hits what they run next.
  for (int round = 0; round < 30; ++round) {
    forget();
    CHECK_EQ(run_prepared(client, "scatter").value(), "20");
  }
  // First in a transaction, with a savepoint.
  forget();
  client.run("begin");
  client.run("savepoint a");
  CHECK_EQ(run_prepared(client, "relay").value(), "i4");
  client.run("rollback to a");
  CHECK_EQ(run_prepared(client, "relay").value(), "i4");
  client.run("commit");
  forget();
  client.run("begin");
  CHECK_EQ(run_prepared(client, "scatter").value(), "20");
  client.run("commit");
  // What the transaction has done there already is not lost without a word.
  REQUIRE_EQ(run_prepared(client, "relay").value(), "i4");
  forget();
  client.run("begin");
  client.run("update items set note = note where id = 4");
  CHECK_EQ(run_prepared(client, "relay").sqlstate, "26000");
  client.run("rollback");
  CHECK_EQ(run_prepared(client, "relay").value(), "i4");
}

TEST_CASE("prepared: DDL through the proxy") {
  Proxy pooled({{"POOL_SIZE", "1"}});
  Client before(pooled.conninfo());
  Client other(pooled.conninfo());
  for (Client* client : {&before}) {
    client->run("drop table if exists shifting");
    REQUIRE_EQ(client->run("create table shifting (id bigint, a int)").tag, "CREATE TABLE");
    client->run("insert into shifting values (1, 2)");
  }
  const std::string sql = "select * from shifting";
  prepare(before, "p", sql);
  prepare(before, "narrow", "select id from shifting");
  before.run("prepare q as " + sql);
  REQUIRE_EQ(run_prepared(before, "p").value(), "1");
  REQUIRE_EQ(other.run("alter table shifting add b int").tag, "ALTER TABLE");
  // As one server has it: the client was told of other columns.
  const Answer old = run_prepared(before, "p");
  CHECK_EQ(old.sqlstate, "0A000");
  CHECK_MESSAGE(old.message.find("cached plan must not change result type") != std::string::npos, old.message);
  CHECK_EQ(before.run("execute q").sqlstate, "0A000");
  CHECK_EQ(run_prepared(before, "narrow").value(), "1");
  prepare(other, "p", sql);
  CHECK_EQ(run_prepared(other, "p").rows.at(0).size(), 3);
  prepare(before, "again", sql);
  CHECK_EQ(run_prepared(before, "again").rows.at(0).size(), 3);
  before.run("drop table shifting");
}

TEST_CASE("prepared: DDL behind the proxy's back") {
  Proxy pooled({{"POOL_SIZE", "2"}});
  Client first(pooled.conninfo());
  Client second(pooled.conninfo());
  first.run("drop table if exists moving");
  REQUIRE_EQ(first.run("create table moving (id bigint, a int)").tag, "CREATE TABLE");
  first.run("insert into moving values (1, 2)");
  const std::string sql = "select * from moving";
  // Prepared on both connections.
  for (Client* client : {&first, &second}) prepare(*client, "p", sql);
  for (Client* client : {&first, &second}) {
    client->run("begin");
    REQUIRE_EQ(run_prepared(*client, "p").value(), "1");
  }
  for (Client* client : {&first, &second}) client->run("commit");
  on_shard(1, "alter table moving add b int");
  CHECK_EQ(run_prepared(first, "p").sqlstate, "0A000");
  // The next ones are told of the new columns; one of the connections still has the old statement.
  for (Client* client : {&first, &second}) prepare(*client, "anew", sql);
  for (Client* client : {&first, &second}) {
    client->run("begin");
    const Answer answer = run_prepared(*client, "anew");
    REQUIRE_MESSAGE(answer.ok(), answer.message);
    CHECK_EQ(answer.rows.at(0).size(), 3);
  }
  for (Client* client : {&first, &second}) client->run("commit");
  first.run("drop table moving");
}

TEST_CASE("prepared: no connection keeps more than five hundred") {
  Proxy pooled({{"POOL_SIZE", "1"}});
  Client client(pooled.conninfo());
  constexpr int many = 620;
  for (int i = 0; i < many; ++i) {
    const std::string name = fmt::format("p{}", i);
    prepare(client, name, fmt::format("select {} from notes where id = 1", i));
    REQUIRE_EQ(run_prepared(client, name).value(), std::to_string(i));
  }
  const std::string count = "select count(*) from pg_prepared_statements where name like 'anabranch%'";
  const long kept = std::stol(client.run("/* anabranch: shard=s1 */ " + count).value());
  CHECK_LE(kept, 500);
  CHECK_GE(kept, 490);
  for (int i = 0; i < many; i += 7) CHECK_EQ(run_prepared(client, fmt::format("p{}", i)).value(), std::to_string(i));
}

TEST_CASE("prepared: 65,535 parameters") {
  constexpr int most = 65'535;
  std::vector<std::string> values;
  for (int i = 1; i <= most; ++i) values.push_back(std::to_string(i));
  Client client(proxy().conninfo());
  CHECK_EQ(client.run(in_list("notes", most), values).value(), "1000");
  CHECK_EQ(client.run(in_list("items", most), values).value(), "20");
}

TEST_CASE("portals: two million rows, a part at a time") {
  Proxy own;
  Wire wire = own.wire();
  wire.send(query("begin"));
  wire.until_ready();
  wire.send(parse("", "select i.id, repeat('x', 50) from items i, generate_series(1, 100000) g order by i.id") +
            bind_portal("p", "") + sync());
  wire.until_ready();
  const double before = own.resident();
  long rows = 0;
  double peak = 0;
  bool complete = false;
  while (!complete) {
    wire.send(execute("p", 50'000) + sync());
    while (const auto next = wire.read()) {
      rows += next->type == 'D';
      complete = complete || next->type == 'C' || next->type == 'E';
      if (next->type == 'Z') break;
    }
    peak = std::max(peak, own.resident());
    // Another statement on the same connections.
    wire.send(query("select count(*) from items"));
    wire.until_ready();
  }
  CHECK_EQ(rows, 2'000'000);
  CHECK_LT(peak - before, 60);
}

TEST_CASE("portals: COPY, and an empty statement, are no rows to fetch in parts") {
  Wire wire = proxy().wire();
  wire.send(query("begin"));
  wire.until_ready();
  for (const std::string copy : {"copy items to stdout", "copy (select id from items order by id) to stdout"}) {
    wire.send(parse("", copy) + bind_portal("", "") + execute("", 1) + sync());
    long data = 0;
    while (const auto next = wire.read()) {
      data += next->type == 'd';
      if (next->type == 'Z') break;
    }
    CHECK_EQ(data, 20);
  }
  wire.send(parse("", "copy items to stdout") + bind_portal("p", "") + sync());
  wire.until_ready();
  wire.send(query("fetch 1 from p"));
  CHECK_EQ(failure_of(wire), "0A000");
  wire.send(query("rollback"));
  wire.until_ready();
  wire.send(parse("e", "") + bind_portal("p", "e") + parse("", "fetch 1 from p") + bind_portal("", "") +
            execute("", 0) + sync());
  CHECK_EQ(failure_of(wire), "0A000");
  wire.send(query("select 1"));
  CHECK_EQ(failure_of(wire), "");
}

TEST_CASE("cursors: one that a COMMIT failed to hold is gone") {
  Client client(proxy().conninfo());
  client.run("begin");
  client.run("declare c cursor with hold for select id, 1 / (20 - id) from items");
  CHECK_EQ(client.run("commit").sqlstate, "22012");
  CHECK_EQ(client.run("fetch c").sqlstate, "34000");
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

TEST_CASE("cursors: what a session holds is bounded, all of it together") {
  Client client(proxy().conninfo());
  Answer last;
  for (int i = 0; i < 400 && last.ok(); ++i) {
    last = client.run(fmt::format("declare c{} cursor with hold for select i.id, repeat('x', 100) from items i, "
                                  "generate_series(1, 50000) g",
                                  i));
  }
  CHECK_EQ(last.sqlstate, "53200");
  client.run("close all");
  CHECK(client.run("declare c cursor with hold for select id from items").ok());
}

TEST_CASE("cursors: a cancel ends a fetch, and the transaction goes on from a savepoint") {
  Client client(proxy().conninfo());
  client.run("begin");
  client.run("declare slow cursor for select id, nap(id, 5) from items");
  client.run("savepoint s");
  REQUIRE_EQ(PQsendQuery(client.get(), "fetch all from slow"), 1);
  // The query is under way when the shards say so.
  CHECK(eventually([] { return on_all_shards("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") > 0; }));
  client.cancel();
  Answer last;
  while (PGresult* result = PQgetResult(client.get())) last = take(client.get(), result);
  CHECK_EQ(last.sqlstate, "57014");
  CHECK_EQ(client.run("rollback to s").tag, "ROLLBACK");
  CHECK_EQ(client.run("fetch slow").sqlstate, "55000");
  CHECK_EQ(client.run("rollback to s").tag, "ROLLBACK");
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  client.run("rollback");
}

}  // namespace faults
