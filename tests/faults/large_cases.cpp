#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>

#include "world.h"

/// Values of a hundred megabytes: passed on in pieces where they can be, within the statement's budget
/// where they must be held; and lengths that nobody may have.
namespace faults {

namespace {

constexpr std::size_t large = 100'000'000;

/// The most that was ever resident, in MiB.
double peak(const Proxy& of) {
  const std::string status = read_text(fmt::format("/proc/{}/status", of.pid()));
  return std::stod(status.substr(status.find("VmHWM:") + 6)) / 1024;
}

/// A sanitizer keeps what has been freed: there nothing is said of memory.
bool memory_is_exact() { return std::getenv("FAULTS_SANITIZED") == nullptr; }

void check_growth(const Proxy& of, double before, double most) {
  const double after = peak(of);
  if (memory_is_exact()) CHECK_MESSAGE(after < before + most, "memory grew from ", before, " to ", after, " MiB");
}

}  // namespace

TEST_CASE("large: what one shard answers is passed on in pieces") {
  Proxy own;
  Client client(own.conninfo());
  REQUIRE_EQ(client.run("select note from notes where id = 1").value(), "note 1");
  const double before = peak(own);
  for (const char* sql : {"select repeat('x', 100000000) from notes where id = 1",
                          "select repeat('x', 100000000) from items where id = 1"}) {
    const Answer answer = client.run(sql);
    CHECK_EQ(answer.value().size(), large);
    CHECK_EQ(answer.tag, "SELECT 1");
  }
  const Answer copied = client.copy_out("copy (select repeat('x', 100000000)) to stdout");
  REQUIRE_EQ(copied.rows.size(), 1);
  CHECK_EQ(copied.rows[0][0].size(), large + 1);
  check_growth(own, before, 40);
  CHECK_EQ(client.run("select 1").value(), "1");
}

TEST_CASE("large: parameters, literals and COPY, there and back") {
  Proxy own;
  Client client(own.conninfo());
  const std::string value(large, 'v');
  CHECK_EQ(client.run("insert into big values ($1, $2)", {"1001", value}).tag, "INSERT 0 1");
  const Answer literal = client.run("insert into big values (1002, '" + value + "')");
  CHECK_MESSAGE(literal.tag == "INSERT 0 1", literal.sqlstate, " ", literal.message.substr(0, 300));
  CHECK_EQ(client.copy_in("copy big from stdin", "1003\t" + value + "\n1004\tshort\n").tag, "COPY 2");
  CHECK_EQ(client.run("select sum(length(filler)) from big where id > 1000").value(), std::to_string(3 * large + 5));
  CHECK_EQ(client.run("select filler from big where id = 1003").value(), value);
  REQUIRE(client.run("delete from big where id in (1001, 1002)").ok());
  // Of several shards, a row is whole before it goes on; of a COPY it is not.
  CHECK_EQ(client.run("select filler from big where id > 1000 order by id").value(), value);
  const Answer copied = client.copy_out("copy big to stdout");
  CHECK_EQ(copied.tag, "COPY 2");
  std::size_t bytes = 0;
  for (const auto& row : copied.rows) bytes += row[0].size();
  CHECK_EQ(bytes, large + 5 + 2 * 6);
  REQUIRE(client.run("delete from big where id > 1000").ok());
}

TEST_CASE("large: a sharded table's rows are copied out in pieces") {
  Client filling(proxy().conninfo());
  for (const int id : {1005, 1006}) {
    on_shard(1 + id % 4, fmt::format("insert into big select {}, repeat('y', {})", id, large));
  }
  {
    Proxy own;
    Client client(own.conninfo());
    REQUIRE_EQ(client.copy_out("copy items to stdout").tag, "COPY 20");
    const double before = peak(own);
    CHECK_EQ(client.copy_out("copy big to stdout").tag, "COPY 2");
    check_growth(own, before, 40);
  }
  REQUIRE(filling.run("delete from big where id > 1000").ok());
}

TEST_CASE("large: more than a merge may hold is refused before it is held") {
  Proxy own({{"LIMITS", "query_memory: 16MiB"}});
  Client client(own.conninfo());
  REQUIRE(client.run("select id from items order by id").ok());
  const double before = peak(own);
  const Answer answer = client.run("select id, repeat('x', 100000000) from items order by id");
  CHECK_EQ(answer.sqlstate, "53200");
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  const Answer copied = client.copy_in("copy big from stdin", "1003\t" + std::string(large, 'v') + "\n");
  CHECK_EQ(copied.sqlstate, "53200");
  CHECK_EQ(client.run("select count(*) from big where id = 1003").value(), "0");
  check_growth(own, before, 128);
}

TEST_CASE("large: lengths that no message may have end the connection") {
  Proxy own;
  {
    Client client(own.conninfo());
    REQUIRE(client.run("select 1").ok());
  }
  const double before = peak(own);
  for (const char type : {'Q', 'P', 'B', 'd', 'S'}) {
    for (const std::int64_t length : {0x3fffffffLL, 0x40000000LL, 0x7fffffffLL, 0xffffffffLL, 3LL}) {
      Wire wire = own.wire();
      wire.send(std::string(1, type) + int32(length) + "some bytes");
      const auto answer = wire.read();
      REQUIRE(answer);
      CHECK_EQ(error_field(*answer, 'C'), "08P01");
      CHECK_EQ(error_field(*answer, 'S'), "FATAL");
      CHECK(wire.ends());
    }
  }
  // One that may be is waited for, and nothing is taken for it.
  Wire wire = own.wire();
  wire.send(std::string("Q") + int32(0x3ffffffe) + "some bytes");
  CHECK_FALSE(wire.readable(300));
  check_growth(own, before, 16);
}

}  // namespace faults
