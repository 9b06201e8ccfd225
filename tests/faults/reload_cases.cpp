#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include "world.h"

/// SIGHUP: what is new takes effect, what is wrong changes nothing, and no client notices either.
namespace faults {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// One client that works until it is told to stop; an empty text if nothing ever went wrong.
std::string work(const std::string& conninfo, int number, const std::atomic<bool>& done, std::atomic<long>& answers) {
  Client client(conninfo);
  if (!client.alive()) return client.problem();
  const int key = number % 20 + 1;
  PQclear(PQprepare(client.get(), "s", "select note from items where id = $1::bigint", 0, nullptr));
  const auto expect = [&](const Answer& answer, const std::string& value) {
    ++answers;
    return answer.value() == value ? std::string() : answer.value();
  };
  for (int round = 0; !done; ++round) {
    const std::string key_text = std::to_string(key);
    const char* values[] = {key_text.c_str()};
    std::string problem =
        expect(take(client.get(), PQexecPrepared(client.get(), "s", 1, values, nullptr, nullptr, 0)),
               fmt::format("i{}", key));
    if (problem.empty() && round % 3 == number % 3) problem = expect(client.run("select count(*) from items"), "20");
    if (problem.empty() && round % 3 == 1) {
      const long id = 20000 + number;
      for (const auto& sql : {std::string("begin"), fmt::format("insert into items values ({}, 'x', 1)", id),
                              fmt::format("select 1 from items where id = {}", id), std::string("rollback")}) {
        const Answer answer = client.run(sql);
        ++answers;
        if (!answer.ok()) problem = sql + ": " + answer.value();
      }
    }
    if (!problem.empty()) return problem;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // leaves the servers time for catalogs
  }
  return {};
}

}  // namespace

TEST_CASE("reload: 200 times under 16 busy clients") {
  Proxy own;
  std::atomic<bool> done = false;
  std::atomic<long> answers = 0;
  std::vector<std::string> problems(16);
  std::vector<std::thread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&, i] { problems[static_cast<std::size_t>(i)] = work(own.conninfo(), i, done, answers); });
  }
  CHECK(eventually([&] { return answers > 500; }));
  const auto configuration = [&](int i) {
    return own.map({{"POOL_SIZE", std::to_string(4 + i % 7)},
                    {"USERS", i % 2 ? "  - {name: guest, password: guest-secret}" : ""},
                    {"TABLES", i % 10 ? "      extra: {scheme: by_id, key: id}" : ""},
                    {"LIMITS", i % 4 ? "query_memory: 128MiB, statement_timeout: 100s" : "query_memory: 256MiB"}});
  };
  const int reloads = rounds(200);
  const int warm_up = reloads / 4;
  double settled = 0;
  for (int i = 0; i < reloads; ++i) {
    REQUIRE_MESSAGE(own.reload(configuration(i)), own.log_tail());
    if (i == warm_up) settled = own.resident();
  }
  const long so_far = answers;
  CHECK(eventually([&] { return answers > so_far + 100; }));
  const double now = own.resident();
  done = true;
  for (auto& client : clients) client.join();
  for (const std::string& problem : problems) CHECK_EQ(problem, "");
  const double slack = rounds(200) == 200 ? 20 : 80;  // a sanitizer keeps what has been freed
  CHECK_MESSAGE(now < settled + slack, "memory grew from ", settled, " to ", now, " MiB");
  CHECK_EQ(own.metric("anabranch_config_version"), reloads + 1);
  CHECK_EQ(own.metric("anabranch_config_reload_failures_total"), 0);
}

TEST_CASE("reload: users, pools, tables and limits take effect") {
  Proxy own;
  Client before(own.conninfo());
  REQUIRE(before.alive());
  CHECK_FALSE(Client(own.conninfo("user=guest password=guest-secret")).alive());
  REQUIRE(own.reload(own.map({{"USERS", "  - {name: guest, password: guest-secret}"},
                              {"LIMITS", "statement_timeout: 700ms"},
                              {"TABLES", "      added: {scheme: by_id, key: id}"}})));
  Client guest(own.conninfo("user=guest password=guest-secret"));
  REQUIRE_MESSAGE(guest.alive(), guest.problem());
  CHECK_EQ(before.run("select pg_sleep(50)").sqlstate, "57014");
  REQUIRE(before.run("create table added (id bigint primary key, v int)").ok());
  CHECK_EQ(before.run("insert into added values (0, 1), (1, 1), (2, 1), (3, 1)").tag, "INSERT 0 4");
  for (int i = 1; i <= 4; ++i) CHECK_EQ(on_shard(i, "select count(*) from added"), "1");
  REQUIRE(before.run("drop table added").ok());
  REQUIRE(own.reload(own.map({})));
  CHECK_FALSE(Client(own.conninfo("user=guest password=guest-secret")).alive());
  CHECK_EQ(before.run("select pg_sleep(1), 'no limit'").rows.at(0).at(1), "no limit");
}

TEST_CASE("reload: a transaction ends on the map it began with") {
  Proxy own;
  Client client(own.conninfo());
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("insert into items values (9501, 'kept', 1)").ok());
  REQUIRE(own.reload(own.map({{"POOL_SIZE", "3"}})));
  CHECK_EQ(client.run("select note from items where id = 9501").value(), "kept");
  CHECK_EQ(client.run("select count(*) from items").value(), "21");
  CHECK_EQ(client.run("commit").tag, "COMMIT");
  CHECK_EQ(client.run("delete from items where id = 9501").tag, "DELETE 1");
}

TEST_CASE("reload: keys move only when their rows have moved and old transactions have ended") {
  Proxy own;
  const auto map = [&](int bound, int epoch) {
    std::string yaml = own.map({{"TABLES", "      roving: {scheme: halves, key: id}"}});
    const std::string scheme = fmt::format(
        "    schemes:\n      halves: {{type: bigint, strategy: range, epoch: {}, "
        "ranges: [{{below: {}, shard: s1}}, {{shard: s2}}]}}\n", epoch, bound);
    const std::string mark = "    schemes:\n";
    return yaml.replace(yaml.find(mark), mark.size(), scheme);
  };
  REQUIRE_MESSAGE(own.reload(map(100, 1)), own.log_tail());
  Client client(own.conninfo());
  REQUIRE(client.run("create table roving (id bigint primary key)").ok());
  Proxy second;  // a proxy of the same shards that nobody tells of the new map
  REQUIRE_MESSAGE(second.reload(map(100, 1)), second.log_tail());
  REQUIRE_EQ(client.run("insert into roving select g from generate_series(1, 200) g").tag, "INSERT 0 200");

  std::size_t said = own.log().size();
  CHECK_FALSE(own.reload(map(50, 1)));
  CHECK_MESSAGE(contains(own.log().substr(said), "epoch"), own.log_tail());
  said = own.log().size();
  CHECK_FALSE(own.reload(map(50, 2)));
  CHECK_MESSAGE(contains(own.log().substr(said), "table public.roving: the row of id"), own.log_tail());
  CHECK_MESSAGE(contains(own.log().substr(said), "lies here, but its place is s2"), own.log_tail());
  CHECK_EQ(client.run("select count(*) from roving").value(), "200");

  on_shard(2, "insert into roving select g from generate_series(50, 99) g");
  on_shard(1, "delete from roving where id >= 50");
  REQUIRE(client.run("begin").ok());
  CHECK_EQ(client.run("select count(*) from roving where id = 7").value(), "1");
  std::atomic<bool> accepted = false;
  std::thread reload([&] { accepted = own.reload(map(50, 2)); });
  std::atomic<bool> answered = false;
  std::string found;
  CHECK(eventually([&] {  // the map is held: what begins now waits
    Client probe(own.conninfo("options='-c statement_timeout=300'"));
    PQsendQuery(probe.get(), "select count(*) from roving where id = 60");
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    PQconsumeInput(probe.get());
    return PQisBusy(probe.get()) == 1;
  }));
  std::thread waiting([&] {
    Client other(own.conninfo());
    found = other.run("select count(*) from roving where id = 60").value();
    answered = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK_FALSE(accepted);
  CHECK_FALSE(answered);
  CHECK_EQ(client.run("commit").tag, "COMMIT");
  reload.join();
  waiting.join();
  CHECK_MESSAGE(accepted, own.log_tail());
  CHECK_EQ(found, "1");
  CHECK_EQ(client.run("select count(*) from roving").value(), "200");

  // What the shards remember stops the other proxy's writes, and lets it read.
  CHECK(contains(on_shard(1, "select obj_description('anabranch'::regnamespace)"), "2 halves"));
  Client left_behind(second.conninfo());
  CHECK(eventually([&] { return left_behind.run("insert into roving values (1000)").sqlstate == "55000"; },
                   std::chrono::seconds(30)));
  CHECK_EQ(left_behind.run("select 1").value(), "1");
  CHECK_FALSE(second.reload(map(60, 1)));
  CHECK_MESSAGE(second.reload(map(50, 2)), second.log_tail());
  CHECK_EQ(left_behind.run("insert into roving values (1001)").tag, "INSERT 0 1");
  for (int i = 1; i <= 4; ++i) on_shard(i, "drop schema anabranch");
  REQUIRE(client.run("drop table roving").ok());
}

TEST_CASE("reload: bad files change nothing") {
  Proxy own;
  Client client(own.conninfo());
  const std::string good = own.map({});
  const auto replaced = [&](const std::string& what, const std::string& with) {
    std::string changed = good;
    const std::size_t at = changed.find(what);
    REQUIRE(at != std::string::npos);
    return changed.replace(at, what.size(), with);
  };
  const struct {
    std::string yaml;
    std::string log;  // what the log says of it
  } bad[] = {
      {"", own.config_path()},
      {"listen: [", own.config_path() + ":"},
      {good + "\nsurprise: 1\n", fmt::format("{}:", own.config_path())},
      {replaced("strategy: modulo", "strategy: modolo"), "modulo"},
      {replaced("default_shard: s1", "default_shard: s9"), "s9"},
      {replaced("scheme: by_id, key: id", "scheme: by_it, key: id"), "by_it"},
      {replaced("size: 10", "size: many"), "many"},
      {replaced("strategy: modulo", "strategy: modulo, shards: [s1, s2]"), "epoch"},
      {own.map({{"WEIGHT_4", ", weight: 3"}}), "epoch"},
      {replaced("threads: 2", "tls: {mode: require, certificate: /nowhere.crt, key: /nowhere.key}\nthreads: 2"),
       "nowhere"},
  };
  double failures = 0;
  for (const auto& one : bad) {
    const std::size_t said = own.log().size();
    // The map has a `tls` of its own: the last case gives it twice, which is an error as well.
    CHECK_FALSE_MESSAGE(own.reload(one.yaml), one.yaml);
    ++failures;
    const std::string log = own.log().substr(said);
    CHECK_MESSAGE(contains(log, "configuration refused"), log);
    CHECK_MESSAGE((contains(log, one.log) || contains(log, "tls")), one.log, " is not in:\n", log);
    CHECK_EQ(client.run("select count(*) from items").value(), "20");
  }
  CHECK_EQ(own.metric("anabranch_config_version"), 1);
  CHECK_EQ(own.metric("anabranch_config_reload_failures_total"), failures);
  // The file is gone altogether.
  REQUIRE_EQ(remove(own.config_path().c_str()), 0);
  own.signal(SIGHUP);
  CHECK(eventually([&] { return own.metric("anabranch_config_reload_failures_total") == failures + 1; }));
  CHECK(own.reload(good));
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

}  // namespace faults
