#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <thread>

#include "world.h"

/// Pooling is invisible: forty sessions over two connections a shard, each with settings of its own.
namespace faults {

namespace {

struct Own {
  std::string name, zone, style, path, note;
};

Own own_of(int i) {
  static const char* zones[] = {"UTC", "Europe/Berlin", "Asia/Tokyo", "America/New_York"};
  static const char* styles[] = {"ISO, MDY", "German, DMY", "SQL, DMY", "Postgres, MDY"};
  return {fmt::format("session {}", i), zones[i % 4], styles[i / 4 % 4],
          i % 3 == 0 ? "public" : i % 3 == 1 ? "pg_catalog, public" : "public, pg_catalog", fmt::format("note {}", i)};
}

/// What the shard says of the session's settings, where the key leads (0: the default shard).
std::string seen_by(Client& client, int key) {
  const std::string settings =
      "current_setting('application_name') || '|' || current_setting('timezone') || '|' || "
      "current_setting('datestyle') || '|' || current_setting('search_path')";
  if (key == 0) return client.run("select " + settings).value();
  return client.run(fmt::format("select {} from items where id = {}", settings, key)).value();
}

std::string wanted(const Own& own) { return own.name + "|" + own.zone + "|" + own.style + "|" + own.path; }

}  // namespace

TEST_CASE("pooling: a prepared statement's literals are read as its session reads them") {
  Proxy pooled({{"POOL_SIZE", "1"}});
  Client american(pooled.conninfo());
  Client british(pooled.conninfo());
  american.run("set datestyle = 'ISO, MDY'");
  british.run("set datestyle = 'ISO, DMY'");
  const std::vector<std::string> texts = {
      "select distinct date '01/02/2020' from items where id = 1",  // relay
      "select date '01/02/2020', count(*) from items group by 1"};  // scatter
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string name = fmt::format("p{}", i);
    const auto prepare = [&](Client& client) {
      PQclear(PQprepare(client.get(), name.c_str(), texts[i].c_str(), 0, nullptr));
    };
    const auto run = [&](Client& client) {
      return take(client.get(), PQexecPrepared(client.get(), name.c_str(), 0, nullptr, nullptr, nullptr, 0)).value();
    };
    prepare(american);
    CHECK_EQ(run(american), "2020-01-02");
    prepare(british);
    CHECK_EQ(run(british), "2020-02-01");
    CHECK_EQ(run(american), "2020-01-02");
    // The server reads literals at Parse: a later SET changes nothing.
    american.run("set datestyle = 'ISO, YMD'");
    CHECK_EQ(run(american), "2020-01-02");
    american.run("set datestyle = 'ISO, MDY'");
  }
  // Not yet on any connection when the setting changes.
  PQclear(PQprepare(american.get(), "late", "select date '03/04/2020' from items where id = 1", 0, nullptr));
  american.run("set datestyle = 'ISO, DMY'");
  CHECK_EQ(take(american.get(), PQexecPrepared(american.get(), "late", 0, nullptr, nullptr, nullptr, 0)).value(),
           "2020-03-04");
}

TEST_CASE("pooling: preparing as before leaves a transaction's own settings to it") {
  Client client(proxy().conninfo());
  const auto run = [&](const char* name) {
    return take(client.get(), PQexecPrepared(client.get(), name, 0, nullptr, nullptr, nullptr, 0)).value();
  };
  for (const char* name : {"own", "kept"}) {
    PQclear(PQprepare(client.get(), name, fmt::format("select '{}'::text, timestamptz '2020-01-01 00:00'", name).c_str(), 0, nullptr));
  }
  // Prepared on the server when the setting is another, and then set back.
  client.run("begin");
  client.run("select set_config('TimeZone', 'Asia/Tokyo', true)");
  CHECK_EQ(run("own"), "own");
  CHECK_EQ(client.run("select current_setting('TimeZone')").value(), "Asia/Tokyo");
  client.run("commit");
  CHECK_EQ(std::string(PQparameterStatus(client.get(), "TimeZone")), "UTC");
  CHECK_EQ(client.run("show timezone").value(), "UTC");

  client.run("begin");
  client.run("select set_config('TimeZone', 'Asia/Tokyo', false)");
  CHECK_EQ(run("kept"), "kept");
  client.run("commit");
  CHECK_EQ(client.run("show timezone").value(), "Asia/Tokyo");
}

TEST_CASE("pooling: a setting made by a function outlasts SET LOCAL of the same") {
  Client client(proxy().conninfo());
  client.run("begin");
  client.run("set local work_mem = '7MB'");
  CHECK_EQ(client.run("select set_config('work_mem', '8MB', false)").value(), "8MB");
  client.run("commit");
  CHECK_EQ(client.run("show work_mem").value(), "8MB");
  CHECK_EQ(client.run("select current_setting('work_mem') from items where id = 2").value(), "8MB");

  client.run("begin");
  client.run("set local work_mem = '7MB'");
  CHECK_EQ(client.run("select set_config('work_mem', '9MB', true)").value(), "9MB");
  client.run("commit");
  CHECK_EQ(client.run("show work_mem").value(), "8MB");
}

TEST_CASE("pooling: a statement that cannot be prepared as before is not taken for prepared") {
  Proxy pooled({{"POOL_SIZE", "1"}});
  Client client(pooled.conninfo());
  const auto run = [&] {
    return take(client.get(), PQexecPrepared(client.get(), "p", 0, nullptr, nullptr, nullptr, 0));
  };
  PQclear(PQprepare(client.get(), "p", "select note from items where id = 1", 0, nullptr));
  client.run("set default_text_search_config = 'pg_catalog.simple'");
  CHECK_EQ(run().sqlstate, "0A000");
  client.run("reset default_text_search_config");
  const Answer again = run();
  CHECK_MESSAGE(again.ok(), again.message);
}

TEST_CASE("pooling: everybody sees their own settings only") {
  Proxy pooled({{"POOL_SIZE", "2"}});
  constexpr int sessions = 40;
  std::atomic<int> wrong = 0;
  std::vector<std::string> problems(sessions);
  std::vector<std::thread> threads;
  for (int i = 0; i < sessions; ++i) {
    threads.emplace_back([&, i] {
      const Own own = own_of(i);
      Client client(pooled.conninfo());
      const auto expect = [&](const std::string& got, const std::string& expected) {
        if (got == expected || wrong++ > 0) return;
        problems[static_cast<std::size_t>(i)] = "expected " + expected + " and got " + got;
      };
      expect(client.run("set application_name = '" + own.name + "'").tag, "SET");
      expect(client.run("set timezone = '" + own.zone + "'").tag, "SET");
      expect(client.run("set datestyle = '" + own.style + "'").tag, "SET");
      expect(client.run("set search_path = " + own.path).tag, "SET");
      const char* plan = "select note || $1 from items where id = $2::bigint";
      PQclear(PQprepare(client.get(), "mine", plan, 0, nullptr));
      for (int round = 0; round < rounds(12); ++round) {
        const int key = (round + i) % 20 + 1;
        expect(seen_by(client, key), wanted(own));
        expect(seen_by(client, 0), wanted(own));
        const std::string suffix = " of " + own.name;
        const std::string key_text = std::to_string(key);
        const char* values[] = {suffix.c_str(), key_text.c_str()};
        const Answer prepared =
            take(client.get(), PQexecPrepared(client.get(), "mine", 2, values, nullptr, nullptr, 0));
        expect(prepared.value(), fmt::format("i{}{}", key, suffix));
      }
      expect(PQparameterStatus(client.get(), "TimeZone"), own.zone);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const std::string& problem : problems) CHECK_EQ(problem, "");
  CHECK_EQ(wrong, 0);
  for (int i = 1; i <= 4; ++i) {
    const int open = std::stoi(on_shard(i, "select count(*) from pg_stat_activity where usename = 'app' and query <> ''"
                                           " and backend_type = 'client backend' and application_name like 'session%'"));
    CHECK_MESSAGE(open <= 2, "shard ", i, " had ", open, " connections");
  }
}

TEST_CASE("pooling: settings follow transactions") {
  Client client(proxy().conninfo());
  const auto show = [&](const std::string& name) { return client.run("show " + name).value(); };
  const auto on_key = [&](int key) {
    return client.run(fmt::format("select current_setting('work_mem') from items where id = {}", key)).value();
  };
  const std::string before = show("work_mem");
  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("set work_mem = '7MB'").ok());
  CHECK_EQ(on_key(1), "7MB");
  CHECK_EQ(on_key(2), "7MB");
  REQUIRE(client.run("rollback").ok());
  CHECK_EQ(on_key(1), before);
  CHECK_EQ(show("work_mem"), before);

  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("set local work_mem = '8MB'").ok());
  CHECK_EQ(on_key(3), "8MB");
  REQUIRE(client.run("savepoint s").ok());
  REQUIRE(client.run("set work_mem = '9MB'").ok());
  CHECK_EQ(on_key(3), "9MB");
  REQUIRE(client.run("rollback to s").ok());
  CHECK_EQ(on_key(3), "8MB");
  CHECK_EQ(on_key(2), "8MB");
  REQUIRE(client.run("commit").ok());
  CHECK_EQ(on_key(3), before);

  REQUIRE(client.run("set work_mem = '10MB'").ok());
  CHECK_EQ(on_key(4), "10MB");
  REQUIRE(client.run("reset work_mem").ok());
  CHECK_EQ(on_key(4), before);
  REQUIRE(client.run("set work_mem = '11MB'").ok());
  REQUIRE(client.run("reset all").ok());
  CHECK_EQ(on_key(4), before);
  CHECK_EQ(client.run("set work_mem = 'a lot'").sqlstate, "22023");
  CHECK_EQ(client.run("set no_such_setting = 1").sqlstate, "42704");
  CHECK_EQ(on_key(4), before);

  REQUIRE(client.run("set timezone = 'Asia/Tokyo'").ok());
  PQclear(PQprepare(client.get(), "gone", "select 1", 0, nullptr));
  CHECK_EQ(client.run("discard all").tag, "DISCARD ALL");
  CHECK_EQ(show("timezone"), "UTC");
  CHECK_EQ(take(client.get(), PQexecPrepared(client.get(), "gone", 0, nullptr, nullptr, nullptr, 0)).sqlstate,
           "26000");
}

TEST_CASE("pooling: settings of the startup packet") {
  Client client(proxy().conninfo("application_name='by startup' options='-c timezone=Asia/Tokyo -c work_mem=5MB'"));
  REQUIRE_MESSAGE(client.alive(), client.problem());
  CHECK_EQ(std::string(PQparameterStatus(client.get(), "TimeZone")), "Asia/Tokyo");
  CHECK_EQ(client.run("select current_setting('application_name') || current_setting('work_mem') from items where id = 6")
               .value(),
           "by startup5MB");
  REQUIRE(client.run("set timezone = 'UTC'").ok());
  REQUIRE(client.run("reset timezone").ok());
  CHECK_EQ(client.run("show timezone").value(), "Asia/Tokyo");
}

TEST_CASE("pooling: a failed string of statements takes its settings back, and the client hears of it") {
  Proxy pooled({{"POOL_SIZE", "1"}});
  Client other(pooled.conninfo());
  REQUIRE(other.run("set application_name = 'other'; set timezone = 'Asia/Tokyo'").ok());
  Client client(pooled.conninfo("application_name=own"));
  const auto reported = [&](const char* name) { return std::string(PQparameterStatus(client.get(), name)); };
  CHECK_EQ(client.run("set datestyle = 'German'; set work_mem = '9MB'; select 1/0").sqlstate, "22012");
  CHECK_EQ(reported("DateStyle"), "ISO, MDY");
  CHECK_EQ(reported("application_name"), "own");
  CHECK_EQ(reported("TimeZone"), "UTC");
  CHECK_EQ(client.run("select current_setting('datestyle') || current_setting('work_mem') from items where id = 2").value(),
           "ISO, MDY4MB");

  REQUIRE(client.run("begin").ok());
  REQUIRE(client.run("set application_name = 'inside'").ok());
  CHECK_EQ(reported("application_name"), "inside");
  REQUIRE(client.run("rollback").ok());
  CHECK_EQ(reported("application_name"), "own");

  // A part of a value leaves the other part, on whichever connection.
  REQUIRE(client.run("set \"DateStyle\" = 'SQL, MDY'; set datestyle = 'DMY'").ok());
  REQUIRE(other.run("select 1").ok());
  CHECK_EQ(client.run("select current_setting('datestyle') from items where id = 3").value(), "SQL, DMY");
  CHECK_EQ(client.run("discard all; select 1").sqlstate, "25001");
}

TEST_CASE("pooling: a statement prepared once runs on every lease") {
  Proxy pooled({{"POOL_SIZE", "2"}});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<Client>(pooled.conninfo()));
    // The same name, and two texts: a name is the client's, not the connection's.
    const std::string sql = i % 2 ? "select note from items where id = $1" : "select n from items where id = $1";
    const Answer prepared = take(clients.back()->get(), PQprepare(clients.back()->get(), "s", sql.c_str(), 0, nullptr));
    REQUIRE_MESSAGE(prepared.ok(), prepared.message);
  }
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 12; ++i) {
      const int key = (round * 7 + i) % 20 + 1;
      const std::string key_text = std::to_string(key);
      const char* values[] = {key_text.c_str()};
      PGconn* connection = clients[static_cast<std::size_t>(i)]->get();
      const Answer answer = take(connection, PQexecPrepared(connection, "s", 1, values, nullptr, nullptr, 0));
      CHECK_EQ(answer.value(), i % 2 ? fmt::format("i{}", key) : std::to_string(key * 10));
    }
  }
}

TEST_CASE("pooling: an exhausted pool says so after wait_timeout") {
  Proxy small({{"POOL_SIZE", "1"}, {"WAIT_TIMEOUT", "300ms"}});
  Client first(small.conninfo());
  Client second(small.conninfo());
  REQUIRE(first.run("begin").ok());
  REQUIRE(first.run("select 1 from items where id = 1").ok());
  const Answer refused = second.run("select 1 from items where id = 1");
  CHECK_EQ(refused.sqlstate, "53300");
  CHECK_MESSAGE(refused.message.find("s2") != std::string::npos, refused.message);
  CHECK_EQ(second.run("select 1 from items where id = 2").value(), "1");
  REQUIRE(first.run("commit").ok());
  CHECK_EQ(second.run("select 1 from items where id = 1").value(), "1");
}

TEST_CASE("pooling: transactions that wait for each other's connections do not hang") {
  Proxy small({{"POOL_SIZE", "1"}, {"WAIT_TIMEOUT", "60s"}});
  Client first(small.conninfo());
  Client second(small.conninfo());
  for (int round = 0; round < 3; ++round) {
    REQUIRE(first.run("begin").ok());
    REQUIRE(second.run("begin").ok());
    REQUIRE(first.run("select 1 from items where id = 1").ok());
    REQUIRE(second.run("select 1 from items where id = 2").ok());
    Answer one;
    Answer two;
    const auto begun = std::chrono::steady_clock::now();
    std::thread other([&] {
      two = second.run("select 1 from items where id = 1");
      second.run("rollback");
    });
    one = first.run("select 1 from items where id = 2");
    first.run("rollback");
    other.join();
    CHECK_MESSAGE((one.ok() || one.sqlstate == "53300"), one.value());
    CHECK_MESSAGE((two.ok() || two.sqlstate == "53300"), two.value());
    CHECK_MESSAGE((one.ok() || two.ok()), "both gave way");
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(50));
  }
}

}  // namespace faults
