#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "servers.h"

/// Tables of keys: what changes there is believed at once, or after max_age, and whoever cannot ask says so.
namespace faults::mysql {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The rows of `mover` lie on s2 and on s3, each with another note, so that a read tells which of the two it has asked.
class Tenants {
 public:
  Tenants() {
    for (int i = 1; i <= 4; ++i) {
      REQUIRE(shard(i).run("create table shop.accounts (tenant varchar(20) character set utf8mb4 collate utf8mb4_bin, note text)").ok());
    }
    REQUIRE(shard(1).run("create table shop.tenancies (`key` varchar(20) character set utf8mb4 collate utf8mb4_bin primary key,"
                         " shard varchar(20))").ok());
    REQUIRE(shard(1).run("insert into shop.tenancies values ('still', 's2'), ('mover', 's2'), ('wrong', 's9')").ok());
    REQUIRE(shard(2).run("insert into shop.accounts values ('still', 'here'), ('mover', 'on s2')").ok());
    REQUIRE(shard(3).run("insert into shop.accounts values ('mover', 'on s3')").ok());
  }
  Tenants(const Tenants&) = delete;
  Tenants& operator=(const Tenants&) = delete;
  ~Tenants() {
    for (int i = 1; i <= 4; ++i) CHECK(shard(i).run("drop table shop.accounts").ok());
    CHECK(shard(1).run("drop table shop.tenancies").ok());
  }

  /// The map with their scheme.
  static Blanks blanks(const std::string& max_age) {
    return over_mysql({{"SCHEMES", "      by_tenant: {type: text, strategy: lookup, table: tenancies, max_age: " + max_age + "}"},
                       {"TABLES", "      accounts: {scheme: by_tenant, key: tenant}"}});
  }
};

const std::string where = "select note from accounts where tenant = 'mover'";

}  // namespace

TEST_CASE("mysql: lookup: changes through the proxy, and behind its back") {
  const Tenants tenants;
  Proxy own(Tenants::blanks("1h"));
  Proxy quick(Tenants::blanks("200ms"));
  std::vector<std::unique_ptr<Client>> readers;
  for (int i = 0; i < 4; ++i) readers.push_back(std::make_unique<Client>(own.port()));
  const auto all_read = [&](const std::string& note) {
    for (const auto& reader : readers) CHECK_EQ(reader->run(where).value(), note);
  };
  all_read("on s2");
  Client writer(own.port());
  CHECK(writer.run("update tenancies set shard = 's3' where `key` = 'mover'").ok());
  all_read("on s3");
  CHECK(writer.run("begin").ok());
  CHECK(writer.run("update tenancies set shard = 's2' where `key` = 'mover'").ok());
  CHECK_EQ(writer.run(where).value(), "on s2");
  all_read("on s3");
  CHECK(writer.run("rollback").ok());
  all_read("on s3");
  CHECK(writer.run("replace into tenancies values ('mover', 's2')").ok());
  all_read("on s2");
  CHECK(writer.run("insert into tenancies values ('mover', 's2') on duplicate key update shard = 's3'").ok());
  all_read("on s3");

  Client of_quick(quick.port());
  CHECK_EQ(of_quick.run(where).value(), "on s3");
  CHECK(shard(1).run("update shop.tenancies set shard = 's2' where `key` = 'mover'").ok());
  CHECK(eventually([&] { return of_quick.run(where).value() == "on s2"; }));
  all_read("on s3");
  REQUIRE_MESSAGE(own.reload(own.map(Tenants::blanks("2h"))), own.log_tail());
  all_read("on s2");
}

TEST_CASE("mysql: lookup: the default shard is down while it is asked, and rows that name no shard") {
  const Tenants tenants;
  Proxy own(Tenants::blanks("1h"));
  Client client(own.port());
  CHECK_EQ(client.run("select note from accounts where tenant = 'still'").value(), "here");
  CHECK_EQ(client.run("select note from accounts where tenant = 'wrong'").sqlstate, "55000");
  {
    Trouble down(1, Trouble::Kind::down);
    CHECK_EQ(client.run("select note from accounts where tenant = 'still'").value(), "here");
    const Answer unknown = client.run(where);
    CHECK_EQ(unknown.sqlstate, "08006");
    CHECK_MESSAGE(contains(unknown.message, "s1"), unknown.message);
  }
  CHECK(eventually([&] { return client.run(where).value() == "on s2"; }));
  const std::string said = check_data(own.map(Tenants::blanks("1h")));
  CAPTURE(said);
  CHECK(contains(said, "shop.tenancies: 3 rows checked, 1 name no shard\n"));
  CHECK(contains(said, "tenant = 'mover' belongs on s2\n"));
}

}  // namespace faults::mysql
