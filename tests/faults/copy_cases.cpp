#include <doctest/doctest.h>
#include <fmt/format.h>

#include "world.h"

/// COPY split by key: in order of the client's data, whole or not at all.
namespace faults {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string rows(int first, int count, int bad_line = 0) {
  std::string data;
  for (int i = 0; i < count; ++i) {
    data += i + 1 == bad_line ? fmt::format("{}\tbad\tnot a number\n", first + i)
                              : fmt::format("{}\trow {}\t{}\n", first + i, i, i % 900);
  }
  return data;
}

void nothing_stays() { CHECK_EQ(on_all_shards("select count(*) from items where id >= 100000"), 0); }

}  // namespace

TEST_CASE("copy: many rows over four shards") {
  Client client(proxy().conninfo());
  CHECK_EQ(client.copy_in("copy items from stdin", rows(100'000, 40'000)).tag, "COPY 40000");
  for (int i = 1; i <= 4; ++i) CHECK_EQ(on_shard(i, "select count(*) from items where id >= 100000"), "10000");
  CHECK_EQ(client.run("select count(*), min(note), max(id) from items where id >= 100000").rows.at(0),
           std::vector<std::string>{"40000", "row 0", "139999"});
  CHECK_EQ(client.run("delete from items where id >= 100000").tag, "DELETE 40000");
}

TEST_CASE("copy: a bad row fails the whole, and is named by its line in the client's data") {
  Client client(proxy().conninfo());
  for (const int line : {1, 2, 7'777, 9'999, 10'000}) {
    const Answer answer = client.copy_in("copy items from stdin", rows(100'000, 10'000, line));
    CHECK_EQ(answer.sqlstate, "22P02");
    CHECK_MESSAGE(contains(answer.message, fmt::format("line {},", line)), answer.message);
    nothing_stays();
  }
  Answer answer = client.copy_in("copy items (id, note) from stdin (format csv, header)",
                                 "id,note\n100000,\"two\nlines\"\n100001,fine\n100002,a,b\n");
  CHECK_EQ(answer.sqlstate, "22P04");
  CHECK_MESSAGE(contains(answer.message, "line 5"), answer.message);
  answer = client.copy_in("copy items (id, note) from stdin (format csv)", "100000,a\n100001,\"never closed\n");
  CHECK_EQ(answer.sqlstate, "22P04");
  answer = client.copy_in("copy items from stdin", "100000\ta\t1\n100001\ta\t1\n100000\ttwice\t1\n");
  CHECK_EQ(answer.sqlstate, "23505");
  answer = client.copy_in("copy items (note, n) from stdin", "no key\t1\n");
  CHECK_FALSE(answer.ok());
  answer = client.copy_in("copy items from stdin", "100000\ta\t1\n\\N\tb\t2\n");
  CHECK_MESSAGE(answer.sqlstate == "23502", answer.value());
  answer = client.copy_in("copy items from stdin", "100000\ta\t1\n99999999999999999999\tb\t2\n");
  CHECK_EQ(answer.sqlstate, "22003");
  nothing_stays();
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

TEST_CASE("copy: the client gives up") {
  Client client(proxy().conninfo());
  const Answer answer = client.copy_in("copy items from stdin", rows(100'000, 5'000), "enough");
  CHECK_EQ(answer.sqlstate, "57014");
  CHECK_MESSAGE(contains(answer.message, "enough"), answer.message);
  nothing_stays();
  for (int i = 0; i < 4; ++i) {
    Wire wire = proxy().wire();
    wire.send(query("copy items from stdin") + message('d', rows(100'000, 5'000)) + (i % 2 ? "" : "d\x00\x00"));
    if (i < 2) wire.read();
    wire.close(i == 3);
  }
  CHECK(eventually([] { return proxy().metric("anabranch_clients") == 1; }));
  nothing_stays();
}

TEST_CASE("copy: in a transaction") {
  Client client(proxy().conninfo());
  REQUIRE(client.run("begin").ok());
  CHECK_EQ(client.copy_in("copy items from stdin", "100001\ta\t1\n100005\tb\t1\n").tag, "COPY 2");
  CHECK_EQ(client.run("select count(*) from items").value(), "22");
  REQUIRE(client.run("rollback").ok());
  nothing_stays();
}

TEST_CASE("copy: what is refused, and what comes out") {
  Client client(proxy().conninfo());
  CHECK_EQ(client.run("copy items from stdin (format binary)").sqlstate, "0A000");
  CHECK_EQ(client.copy_out("copy countries to stdout").rows,
           std::vector<std::vector<std::string>>{{"DE\tGermany\n"}, {"FR\tFrance\n"}, {"JP\tJapan\n"}});
  CHECK_EQ(client.copy_out("copy (select id, note from notes where id < 3 order by id) to stdout (format csv)").rows,
           std::vector<std::vector<std::string>>{{"1,note 1\n"}, {"2,note 2\n"}});
  CHECK_EQ(client.copy_out("copy (select g from generate_series(1, 50000) g) to stdout").rows.size(), 50'000);
  const Answer sharded = client.copy_out("copy items to stdout");
  CHECK_EQ(sharded.tag, "COPY 20");
  CHECK_EQ(sharded.rows.size(), 20);
  CHECK_EQ(client.run("select 1").value(), "1");
}

}  // namespace faults
