#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <thread>

#include "servers.h"

/// Queries of MySQL clients whose rows are gathered: whatever ends them, no server works on, nothing is left behind, and
/// the session goes on.
namespace faults::mysql {

namespace {

using Kind = Trouble::Kind;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* joined = "select count(*) from items a join items b on b.id * 10 = a.n";
/// The workspace is busy with it for hours.
constexpr const char* endless =
    "select count(*) from items a join items b on b.id * 10 = a.n join big c on c.id > a.id join big d on d.id <> c.id "
    "join big e on e.id + d.id <> c.id";

long busy() {
  return on_all_shards("select count(*) from information_schema.processlist where user = 'app' and command <> 'Sleep'");
}

bool rest_runs() {
  return shard(1).run("select count(*) from information_schema.processlist where user = 'app' and info like 'SELECT%anabranch rows%'")
             .value() == "1";
}

void check_usable(Client& client) {
  CHECK_EQ(client.run(joined).value(), "20");
  CHECK(eventually([] { return busy() == 0; }));
  // Whoever has that connection next finds no rows of others.
  const Answer rows = client.run("/* anabranch: shard=s1 */ select count(*) from `anabranch rows 1`");
  CHECK_MESSAGE(rows.error == 1146, rows.value());
}

/// Runs it, and something once the workspace is at work.
template <class Meanwhile>
Answer run_while(Client& client, Meanwhile meanwhile) {
  Answer answer;
  std::thread asking([&] { answer = client.run(endless); });
  CHECK(eventually(rest_runs));
  meanwhile();
  asking.join();
  return answer;
}

}  // namespace

TEST_CASE("mysql: gather: KILL QUERY while the rest runs, alone and in a transaction") {
  Proxy own(over_mysql({{"POOL_SIZE", "2"}}));
  Client client(own.port());
  Client other(own.port());
  const auto kill = [&] { CHECK(other.run(fmt::format("kill query {}", client.id())).ok()); };
  check_usable(client);
  CHECK_EQ(run_while(client, kill).error, 1317);
  check_usable(client);
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("update items set n = 11 where id = 1").ok());
  CHECK_EQ(client.run(joined).value(), "19");
  CHECK_EQ(run_while(client, kill).error, 1317);
  CHECK_EQ(client.run(joined).value(), "19");
  REQUIRE(client.run("rollback").ok());
  check_usable(client);
}

TEST_CASE("mysql: gather: a shard hangs while rows are fetched, and the client gives up") {
  Proxy own(over_mysql());
  Client client(own.port());
  Client other(own.port());
  check_usable(client);
  Trouble hanging(3, Kind::hanging);
  Answer answer;
  std::thread asking([&] { answer = client.run(joined); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(other.run(fmt::format("kill query {}", client.id())).ok());
  hanging.end();
  asking.join();
  CHECK_MESSAGE((answer.error == 1317 || answer.ok()), answer.value());
  check_usable(client);
}

TEST_CASE("mysql: gather: the statement's time is up") {
  Proxy own(over_mysql({{"LIMITS", "statement_timeout: 1s"}}));
  Client client(own.port());
  const Answer answer = client.run(endless);
  CHECK_MESSAGE((answer.error == 3024 && answer.sqlstate == "57014"), answer.value());
  check_usable(client);
}

TEST_CASE("mysql: gather: a shard is down, and the workspace's connection dies") {
  Proxy own(over_mysql());
  Client client(own.port());
  check_usable(client);
  {
    Trouble down(3, Kind::down);
    const Answer answer = client.run(joined);
    CHECK_MESSAGE((answer.sqlstate == "08006" && contains(answer.message, "s3")), answer.value());
  }
  CHECK(eventually([&] { return client.run(joined).value() == "20"; }));
  const Answer lost = run_while(client, [] {
    CHECK(eventually([] { return shard(1).kill_connections("anabranch rows") == 1; }));
  });
  CHECK_MESSAGE(!lost.ok(), lost.value());
  Client next(own.port());
  check_usable(next);
}

TEST_CASE("mysql: gather: an error on a shard, and one of the rest") {
  Client client(proxy().port());
  const Answer on_shard = client.run("select count(*) from items a join items b on b.id * 10 = a.n where exp(a.n * 100) > 1");
  CHECK_EQ(on_shard.error, 1690);
  const Answer of_rest = client.run("select exp(a.n * b.n * 100) from items a join items b on b.id * 10 = a.n");
  CHECK_EQ(of_rest.error, 1690);
  CHECK_EQ(client.run("show errors").rows.at(0).at(1), "1690");
  check_usable(client);
}

TEST_CASE("mysql: gather: more rows than limits.spill") {
  Proxy own(over_mysql({{"LIMITS", "spill: 4MiB"}}));
  Client client(own.port());
  const double before = own.resident();
  const Answer answer = client.run("select count(*) from big a join big b on a.filler = b.filler and a.id = b.id + 1");
  CHECK_MESSAGE((answer.error == 1038 && answer.sqlstate == "53200"), answer.value());
  CHECK_MESSAGE(contains(answer.message, "limits.spill"), answer.message);
  CHECK_LT(own.resident(), before + 64);
  check_usable(client);
}

TEST_CASE("mysql: merges that memory does not hold put rows on disk") {
  Proxy own(over_mysql({{"LIMITS", "query_memory: 2MiB"}}));
  Client client(own.port());
  const Answer rows = client.run("select distinct filler, id % 3000 from big");
  REQUIRE_MESSAGE(rows.ok(), rows.value());
  CHECK_EQ(rows.rows.size(), 3000);
  const Answer groups = client.run("select id % 3000 g, count(*), max(filler) from big group by g order by 2, 1 desc limit 2");
  REQUIRE_MESSAGE(groups.ok(), groups.value());
  CHECK_EQ(groups.rows.at(0).at(0), "2999");
  CHECK_EQ(groups.rows.at(0).at(1), "2");
  CHECK_GT(own.metric("anabranch_spilled_bytes_total"), 30e6);
  check_usable(client);
}

TEST_CASE("mysql: gather: more sessions than connections") {
  Proxy own(over_mysql({{"POOL_SIZE", "1"}, {"WAIT_TIMEOUT", "60s"}}));
  std::vector<std::string> problems(8);
  std::vector<std::thread> clients;
  for (std::string& problem : problems) {
    clients.emplace_back([&own, &problem] {
      Client client(own.port());
      for (int round = 0; round < 5; ++round) {
        const Answer answer = client.run(joined);
        if (answer.value() != "20") problem = answer.value();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  for (const std::string& problem : problems) CHECK_EQ(problem, "");
}

TEST_CASE("mysql: gather: a client goes away in the middle of the answer") {
  Proxy own(over_mysql({{"POOL_SIZE", "2"}}));
  {
    Client client(own.port());
    Reading reading(client, "select a.filler from big a join items b on b.id <> a.id");
    REQUIRE(reading.read(20));
    // Closed with much unread, that is a reset: a system that only says nothing more is a slow client.
    const linger at_once{1, 0};
    setsockopt(mysql_get_socket(client.get()), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    shutdown(mysql_get_socket(client.get()), SHUT_RDWR);
  }
  Client next(own.port());
  check_usable(next);
}

}  // namespace faults::mysql
