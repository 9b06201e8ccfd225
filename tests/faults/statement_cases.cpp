#include <doctest/doctest.h>
#include <fmt/format.h>

#include <thread>

#include "world.h"

/// Statements too deep, too long, too slow; values and answers too large to be held.
namespace faults {

namespace {

std::string repeated(const std::string& part, int times) {
  std::string all;
  all.reserve(part.size() * static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

/// Reads a large answer as a client does that has little time; the most memory the proxy took meanwhile.
struct Slowly {
  long rows = 0;
  double peak = 0;
  bool complete = false;
};

Slowly read_slowly(const Proxy& from, const std::string& sql) {
  Slowly result;
  Wire wire = from.wire();
  wire.send(query(sql));
  // Nothing is read for a while: what piles up now piles up in the proxy.
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    result.peak = std::max(result.peak, from.resident());
  }
  while (const auto next = wire.read()) {
    if (next->type == 'D' && ++result.rows % 100'000 == 0) result.peak = std::max(result.peak, from.resident());
    if (next->type == 'C') result.complete = true;
    if (next->type == 'Z') break;
  }
  return result;
}

}  // namespace

TEST_CASE("statements: nesting and chains") {
  Client client(proxy().conninfo());
  const int many = 100'000;
  for (const std::string& sql :
       {"select " + repeated("(", many) + "1" + repeated(")", many), "select 1" + repeated("+1", many),
        "select " + repeated("not ", many) + "true", "select " + repeated("- ", many) + "1",
        "select 1" + repeated(" union all select 1", many),
        "select " + repeated("(select ", many) + "1" + repeated(")", many),
        "select " + repeated("case when true then ", many) + "1" + repeated(" end", many),
        "select '{}'::jsonb" + repeated("->'a'", many), "select " + repeated("[", many), repeated("(", many),
        "select 1" + repeated("::int", many)}) {
    const Answer answer = client.run(sql);
    CHECK_MESSAGE((answer.sqlstate == "54001" || answer.sqlstate == "42601"), sql.substr(0, 60), ": ", answer.sqlstate,
                  " ", answer.message.substr(0, 300));
    REQUIRE(client.alive());
    const Answer extended = client.run(sql, {});
    CHECK_MESSAGE(extended.sqlstate == answer.sqlstate, sql.substr(0, 60), ": ", extended.sqlstate);
  }
  // A flat chain of OR is a list to the server's parser, and to ours.
  const Answer chain = client.run("select count(*) from items where id = 1" + repeated(" or id = 1", 2000));
  CHECK_EQ(chain.value(), "1");
  CHECK_EQ(client.run("select " + repeated("(", 200) + "1" + repeated(")", 200)).value(), "1");
  CHECK_EQ(client.run("select 1" + repeated("+1", 500)).value(), "501");
}

TEST_CASE("statements: long texts and large values") {
  Client client(proxy().conninfo());
  const std::string large(20'000'000, 'x');
  CHECK_EQ(client.run("select length('" + large + "')").value(), "20000000");
  CHECK_EQ(client.run("select length($1)", {large}).value(), "20000000");
  CHECK_EQ(client.run("select count(*) from items where note <> '" + large + "'").value(), "20");
  CHECK_EQ(client.run("/* " + large + " */ select 1").value(), "1");
  const std::string huge(50'000'000, 'y');
  CHECK(client.run("select $1::text", {huge}).value() == huge);
  REQUIRE_EQ(client.run("insert into items values (9801, $1, 1)", {huge}).tag, "INSERT 0 1");
  CHECK(client.run("select note from items where id = 9801").value() == huge);
  CHECK_EQ(client.run("delete from items where id = 9801").tag, "DELETE 1");
  CHECK(client.run("select max(repeat('z', 10000000)) from items").value() == std::string(10'000'000, 'z'));
  // Thousands of rows in one statement, split over the shards.
  std::string rows = "insert into parts values ";
  for (int i = 0; i < 20'000; ++i) rows += fmt::format("{}({}, 7)", i ? ", " : "", 50'000 + i);
  CHECK_EQ(client.run(rows).tag, "INSERT 0 20000");
  for (int i = 1; i <= 4; ++i) CHECK_EQ(on_shard(i, "select count(*) from parts where part = 7"), "5000");
  CHECK_EQ(client.run("delete from parts where part = 7").tag, "DELETE 20000");
}

TEST_CASE("statements: bytes that are no text") {
  Wire wire = proxy().wire();
  const auto error_of = [&](const std::string& bytes) {
    wire.send(bytes);
    for (const WireMessage& one : wire.until_ready()) {
      if (one.type == 'E') return error_field(one, 'C');
    }
    return std::string("answered");
  };
  CHECK_EQ(error_of(query("select '\xff\xfe'")), "22021");
  CHECK_EQ(error_of(query("select * from items where note = '\xc3'")), "22021");
  CHECK_EQ(error_of(query("select count(*) from items where note > '\xc3('")), "22021");
  CHECK_EQ(error_of(query("select \x01")), "42601");
  CHECK_EQ(error_of(message('Q', std::string("select 'a\0b'", 12) + '\0')), "08P01");
  CHECK_EQ(error_of(parse("", "select '\xff'") + sync()), "22021");
  CHECK_EQ(error_of(parse("", "select id from items where note = $1") + bind_portal("", "", {"\xff"}) + execute("") + sync()),
           "22021");
  CHECK_EQ(error_of(parse("", "select count(*) from items where note = $1") + bind_portal("", "", {std::string("a\0b", 3)}) +
                    execute("") + sync()),
           "22021");
  CHECK_EQ(error_of(query("select 'fine: ä'")), "answered");
}

TEST_CASE("statements: time limits") {
  Proxy own({{"LIMITS", "statement_timeout: 500ms"}});
  Client client(own.conninfo());
  for (const char* sql : {"select pg_sleep(100)", "select count(*) from items where nap(id, 100)",
                          "update items set n = n where nap(id, 100)"}) {
    const Answer answer = client.run(sql);
    CHECK_EQ(answer.sqlstate, "57014");
    CHECK_MESSAGE(answer.message.find("statement timeout") != std::string::npos, answer.message);
    CHECK_EQ(client.run("select count(*) from items").value(), "20");
  }
  // The server's own limit, set by the session.
  Client session(proxy().conninfo());
  REQUIRE(session.run("set statement_timeout = '300ms'").ok());
  CHECK_EQ(session.run("select count(*) from items where nap(id, 100)").sqlstate, "57014");
  CHECK_EQ(session.run("select pg_sleep(100) from items where id = 1").sqlstate, "57014");
}

TEST_CASE("statements: memory of one statement is bounded") {
  Proxy own({{"LIMITS", "query_memory: 1MiB, spill: 0"}});
  Client client(own.conninfo());
  const Answer groups = client.run("select p.g, count(*) from items i cross join generate_series(1, 100000) p(g) group by p.g");
  CHECK_MESSAGE(groups.sqlstate == "53200", groups.value());
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

TEST_CASE("statements: an answer of two million rows flows through") {
  Proxy own;
  const std::string wide = "repeat('w', 60)";
  // Warm: buffers, code, allocator.
  read_slowly(own, "select g, " + wide + " from generate_series(1, 100000) g");
  const double baseline = own.resident();
  const int rows = rounds(2'000'000);
  const Slowly relayed = read_slowly(own, fmt::format("select g, {} from generate_series(1, {}) g", wide, rows));
  CHECK(relayed.complete);
  CHECK_EQ(relayed.rows, rows);
  CHECK_MESSAGE(relayed.peak < baseline + 64, "relay: from ", baseline, " to ", relayed.peak, " MiB");

  const int each = rows / 20;
  const Slowly scattered =
      read_slowly(own, fmt::format("select id, g, {} from items cross join generate_series(1, {}) g", wide, each));
  CHECK(scattered.complete);
  CHECK_EQ(scattered.rows, each * 20);
  CHECK_MESSAGE(scattered.peak < baseline + 64, "scatter: from ", baseline, " to ", scattered.peak, " MiB");

  const Slowly ordered = read_slowly(
      own, fmt::format("select id, g, {} from items cross join generate_series(1, {}) g order by id, g", wide, each));
  CHECK(ordered.complete);
  CHECK_EQ(ordered.rows, each * 20);
  CHECK_MESSAGE(ordered.peak < baseline + 64, "ordered: from ", baseline, " to ", ordered.peak, " MiB");
}

TEST_CASE("statements: rows are placed at random, and what each shard has for itself proves nothing") {
  const Blanks blanks{{"TABLES", "      spread: {scheme: anywhere}"}};
  Proxy own(blanks);
  Client client(own.conninfo());
  REQUIRE(client.run("create table spread (id bigint, n int)").ok());
  // Behind the proxy's back.
  for (int number = 1; number <= 4; ++number) on_shard(number, "alter table spread add primary key (id)");
  REQUIRE_MESSAGE(own.reload(own.map(blanks)), own.log_tail());
  CHECK(own.log().find("\"spread_pkey\" does not hold the key") != std::string::npos);
  REQUIRE_EQ(client.run("insert into spread select g, 0 from generate_series(1, 40) g").tag, "INSERT 0 40");
  CHECK_EQ(client.run("insert into spread values (1, 1) on conflict (id) do update set n = 1").sqlstate, "0A000");
  CHECK_EQ(client.run("insert into spread select id, 2 from items on conflict do nothing").sqlstate, "0A000");
  CHECK_EQ(client.run("alter table spread add foreign key (n) references spread (id)").sqlstate, "0A000");
  CHECK_EQ(client.run("select count(*), sum(n) from spread").rows.at(0), std::vector<std::string>{"40", "0"});
  CHECK_GE(on_all_shards("select (count(*) > 0)::int from spread"), 2);
  REQUIRE(client.run("drop table spread").ok());
}

}  // namespace faults
