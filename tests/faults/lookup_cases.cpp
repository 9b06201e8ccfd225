#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "world.h"

/// Tables of keys: what changes there is believed at once, or after max_age, and whoever cannot ask says so.
namespace faults {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Three tenants of a scheme of its own. The rows of `mover` lie on s2 and on s3, each with another note, so that a
/// read tells which of the two it has asked.
class Tenants {
 public:
  Tenants() {
    for (int i = 1; i <= 4; ++i) {
      on_shard(i, "create table accounts (tenant text, note text)");
      on_shard(i, "grant all on accounts to app");
    }
    on_shard(1, "create table tenancies (key text primary key, shard text)");
    on_shard(1, "grant all on tenancies to app");
    on_shard(1, "insert into tenancies values ('still', 's2'), ('mover', 's2'), ('wrong', 's9'), ('void', null)");
    on_shard(2, "insert into accounts values ('still', 'here'), ('mover', 'on s2')");
    on_shard(3, "insert into accounts values ('mover', 'on s3')");
  }
  Tenants(const Tenants&) = delete;
  Tenants& operator=(const Tenants&) = delete;
  ~Tenants() {
    for (int i = 1; i <= 4; ++i) on_shard(i, "drop table accounts");
    on_shard(1, "drop table tenancies");
  }

  /// The map with their scheme.
  static Blanks blanks(const std::string& max_age) {
    return {{"SCHEMES", "      by_tenant: {type: text, strategy: lookup, table: tenancies, max_age: " + max_age + "}"},
            {"TABLES", "      accounts: {scheme: by_tenant, key: tenant}"}};
  }
};

const std::string where = "select note from accounts where tenant = 'mover'";

/// Sessions of both loops.
std::vector<std::unique_ptr<Client>> clients(const Proxy& of) {
  std::vector<std::unique_ptr<Client>> list;
  for (int i = 0; i < 4; ++i) list.push_back(std::make_unique<Client>(of.conninfo()));
  return list;
}

}  // namespace

TEST_CASE("lookup: a change through the proxy is believed on every loop at once") {
  const Tenants tenants;
  Proxy own(Tenants::blanks("1h"));
  const auto readers = clients(own);
  const auto all_read = [&](const std::string& note) {
    for (const auto& reader : readers) CHECK_EQ(reader->run(where).value(), note);
  };
  all_read("on s2");
  Client writer(own.conninfo());
  CHECK_EQ(writer.run("update tenancies set shard = 's3' where key = 'mover'").tag, "UPDATE 1");
  all_read("on s3");
  // Its own change counts for a transaction, and for nobody else.
  CHECK(writer.run("begin").ok());
  CHECK(writer.run("update tenancies set shard = 's2' where key = 'mover'").ok());
  CHECK_EQ(writer.run(where).value(), "on s2");
  all_read("on s3");
  CHECK(writer.run("rollback").ok());
  CHECK_EQ(writer.run(where).value(), "on s3");
  all_read("on s3");
  CHECK(writer.run("begin").ok());
  CHECK(writer.run("update tenancies set shard = 's2' where key = 'mover'").ok());
  CHECK(writer.run("commit").ok());
  all_read("on s2");
  CHECK_EQ(writer.run("delete from tenancies where key = 'mover'").tag, "DELETE 1");
  for (const auto& reader : readers) CHECK(reader->run(where).rows.empty());
  CHECK(writer.run("insert into tenancies values ('mover', 's3')").ok());
  all_read("on s3");
  CHECK(writer.run("insert into tenancies values ('mover', 's2') on conflict (key) do update set shard = excluded.shard").ok());
  all_read("on s2");
}

TEST_CASE("lookup: a change behind the proxy's back is believed after max_age, and after a reload") {
  const Tenants tenants;
  Proxy quick(Tenants::blanks("200ms"));
  Proxy slow(Tenants::blanks("1h"));
  Client of_quick(quick.conninfo());
  Client of_slow(slow.conninfo());
  CHECK_EQ(of_quick.run(where).value(), "on s2");
  CHECK_EQ(of_slow.run(where).value(), "on s2");
  on_shard(1, "update tenancies set shard = 's3' where key = 'mover'");
  CHECK(eventually([&] { return of_quick.run(where).value() == "on s3"; }));
  CHECK_EQ(of_slow.run(where).value(), "on s2");
  REQUIRE_MESSAGE(slow.reload(slow.map(Tenants::blanks("2h"))), slow.log_tail());
  CHECK_EQ(of_slow.run(where).value(), "on s3");
}

TEST_CASE("lookup: the default shard is down while it is asked") {
  const Tenants tenants;
  Proxy own(Tenants::blanks("1h"));
  Client client(own.conninfo());
  CHECK_EQ(client.run("select note from accounts where tenant = 'still'").value(), "here");
  Client late(own.conninfo());
  shard(1).stop();
  const Answer known = client.run("select note from accounts where tenant = 'still'");
  const Answer unknown = client.run(where);
  const Answer row = client.run("insert into accounts values ('mover', 'lost')");
  shard(1).start();
  CHECK_EQ(known.value(), "here");
  CHECK_EQ(unknown.sqlstate, "08006");
  CHECK_MESSAGE(contains(unknown.message, "s1"), unknown.message);
  CHECK_EQ(row.sqlstate, "08006");
  CHECK(eventually([&] { return client.run(where).value() == "on s2"; }));
  CHECK_EQ(late.run(where).value(), "on s2");
}

TEST_CASE("lookup: a cancel while the table is asked") {
  const Tenants tenants;
  Proxy own(Tenants::blanks("1h"));
  Client locker(shard(1).conninfo() + " dbname=shop");
  CHECK(locker.run("begin").ok());
  REQUIRE(locker.run("lock table tenancies in access exclusive mode").ok());
  Client client(own.conninfo());
  Answer answer;
  std::thread running([&] { answer = client.run(where); });
  const std::string asking = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%tenancies%'";
  CHECK(eventually([&] { return on_shard(1, asking) == "1"; }));
  client.cancel();
  running.join();
  CHECK_EQ(answer.sqlstate, "57014");
  CHECK_EQ(on_shard(1, asking), "0");
  CHECK_EQ(client.run("select note from notes where id = 5").value(), "note 5");
  CHECK(locker.run("rollback").ok());
  CHECK_EQ(client.run(where).value(), "on s2");
}

TEST_CASE("lookup: rows that name no shard, or none") {
  const Tenants tenants;
  Proxy own(Tenants::blanks("1h"));
  Client client(own.conninfo());
  for (const char* tenant : {"wrong", "void"}) {
    const Answer read = client.run(std::string("select * from accounts where tenant = '") + tenant + "'");
    CHECK_EQ(read.sqlstate, "55000");
    CHECK_MESSAGE(contains(read.message, tenant), read.message);
  }
  CHECK_EQ(client.run("select note from accounts where tenant in ('still', 'wrong')").sqlstate, "55000");
  CHECK_EQ(client.run("insert into accounts values ('nobody', 'x')").sqlstate, "23514");
  CHECK_EQ(client.copy_in("copy accounts from stdin", "still\tcopied\nnobody\tx\n").sqlstate, "23514");
  CHECK_EQ(client.run("select count(*) from accounts where note = 'copied'").value(), "0");
  const std::string said = check_data(own.map(Tenants::blanks("1h")), "-d shop");
  CAPTURE(said);
  CHECK(contains(said, "public.tenancies: 4 rows checked, 2 name no shard\n"));
  CHECK(contains(said, "key = 'wrong' names no shard, but 's9'\n"));
  CHECK(contains(said, "key = 'void' names no shard, but NULL\n"));
  CHECK(contains(said, "public.accounts: 3 rows checked, 1 on a wrong shard\n"));
  CHECK(contains(said, "tenant = 'mover' belongs on s2\n"));
  CHECK(said.ends_with("exit 1\n"));
}

TEST_CASE("lookup: a table that is not there, or is of another form") {
  const Tenants tenants;
  for (const char* change : {"alter table tenancies rename to elsewhere", "alter table tenancies rename column key to name",
                             "alter table tenancies drop constraint tenancies_pkey",
                             "alter table tenancies alter column shard type int using 1"}) {
    CAPTURE(change);
    on_shard(1, change);
    {
      Proxy own(Tenants::blanks("1h"));
      CHECK_MESSAGE(contains(own.log(), "scheme by_tenant looks keys up in table public.tenancies: "), own.log_tail());
      Client client(own.conninfo());
      CHECK_FALSE(client.run(where).ok());
      CHECK_EQ(client.run("select note from items where id = 1").value(), "i1");
    }
    on_shard(1, "drop table if exists tenancies, elsewhere");
    on_shard(1, "create table tenancies (key text primary key, shard text)");
    on_shard(1, "grant all on tenancies to app");
  }
}

}  // namespace faults
