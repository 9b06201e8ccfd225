#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

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

TEST_CASE("copy: binary, there and back") {
  Client client(proxy().conninfo());
  CHECK_EQ(client.copy_in("copy items from stdin", rows(100'000, 8'000)).tag, "COPY 8000");
  const Answer out = client.copy_out("copy items to stdout (format binary)");
  CHECK_EQ(out.tag, "COPY 8020");
  std::string data;
  for (const auto& row : out.rows) data += row[0];
  CHECK_EQ(client.run("delete from items").tag, "DELETE 8020");
  CHECK_EQ(client.copy_in("copy items from stdin (format binary)", data).tag, "COPY 8020");
  for (int i = 1; i <= 4; ++i) {
    CHECK_EQ(on_shard(i, fmt::format("select count(*) from items where id >= 100000 and id % 4 = {}", i - 1)), "2000");
  }
  CHECK_EQ(client.run("delete from items where id >= 100000").tag, "DELETE 8000");
  CHECK_EQ(client.run("select count(*), sum(n) from items").rows.at(0), std::vector<std::string>{"20", "2100"});
}

TEST_CASE("copy: a shard fails early, while the client goes on sending") {
  Client client(proxy().conninfo());
  for (const char* sql : {"copy items from stdin", "copy items (id, note, n) from stdin (format csv, delimiter E'\\t')"}) {
    const Answer answer = client.copy_in(sql, rows(100'000, 300'000, 1));
    CHECK_EQ(answer.sqlstate, "22P02");
    CHECK_MESSAGE(contains(answer.message, "line 1,"), answer.message);
    CHECK_EQ(client.run("select count(*) from items").value(), "20");
  }
  // A piece of a large CopyData that nobody wants any more.
  Wire wire = proxy().wire();
  const std::string tail(200'000, 'x');
  const std::string data = message('d', "bad\t" + tail);
  wire.send(query("copy items from stdin") + data.substr(0, 150'000));
  wire.send(data.substr(150'000) + message('d', "\n") + message('c', ""));
  CHECK_EQ(error_field(wire.until_ready().at(1), 'C'), "22P02");
  wire.send(query("select 1"));
  CHECK_EQ(lines(wire.until_ready()).at(1), "DataRow \"1\"");
}

TEST_CASE("copy: the connection to a shard is lost in the middle") {
  const auto end_on_shard = [](int number) {
    on_shard(number, "select pg_terminate_backend(pid) from pg_stat_activity where query like 'copy %' "
                     "and pid <> pg_backend_pid()");
  };
  Wire wire = proxy().wire();
  wire.send(query("copy items from stdin") + message('d', rows(100'000, 1'000)));
  REQUIRE(eventually([] { return on_shard(3, "select count(*) from pg_stat_activity where query like 'copy %' and pid <> pg_backend_pid()") == "1"; }));
  end_on_shard(3);
  wire.send(message('d', rows(101'000, 1'000)) + message('c', ""));
  const auto answer = wire.until_ready();
  CHECK_EQ(answer.back().type, 'Z');
  CHECK(std::ranges::any_of(answer, [](const WireMessage& each) { return each.type == 'E'; }));
  CHECK(std::ranges::none_of(answer, [](const WireMessage& each) { return each.type == 'C'; }));
  nothing_stays();

  // Out: an error, or no end at all; never a short answer that looks whole.
  Client client(proxy().conninfo());
  on_shard(2, "insert into big select 4 * g + 1, repeat('f', 1000) from generate_series(1, 60000) g");
  Wire reader = proxy().wire();
  reader.send(query("copy big to stdout"));
  REQUIRE(reader.read());
  end_on_shard(2);
  bool whole = false;
  while (const auto next = reader.read()) {
    whole |= next->type == 'C' || next->type == 'c';
    if (next->type == 'Z') break;
  }
  CHECK_FALSE(whole);
  CHECK_EQ(client.run("select count(*) from big").value(), "60000");
  REQUIRE(client.run("delete from big").ok());
}

TEST_CASE("copy: what comes out") {
  Client client(proxy().conninfo());
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
