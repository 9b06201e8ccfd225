#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <thread>

#include "world.h"

/// Tables that have one for each bucket: writes of several of one shard are all done or not at all, and buckets move only
/// with their rows.
namespace faults {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Eight tables papers0 to papers7, those of 0 and 4 on s1 and so on, with three rows each.
class Papers {
 public:
  Papers() {
    for (int bucket = 0; bucket < 8; ++bucket) {
      on_shard(home(bucket), fmt::format("create table papers{} (id bigint primary key, n int check (n < 100))", bucket));
      on_shard(home(bucket), fmt::format("grant all on papers{} to app", bucket));
      on_shard(home(bucket), fmt::format("insert into papers{0} values ({0}, 1), ({0} + 8, 1), ({0} + 16, 1)", bucket));
    }
  }
  Papers(const Papers&) = delete;
  Papers& operator=(const Papers&) = delete;
  ~Papers() {
    for (int shard = 1; shard <= 4; ++shard) {
      for (int bucket = 0; bucket < 8; ++bucket) on_shard(shard, fmt::format("drop table if exists papers{}", bucket));
    }
  }

  static int home(int bucket) { return 1 + bucket % 4; }

  static Blanks blanks(const std::string& more = {}) {
    return {{"SCHEMES", "      by_paper: {type: bigint, hash: none, strategy: buckets, buckets: 8" + more + "}"},
            {"TABLES", "      papers: {scheme: by_paper, key: id, physical: 'papers{}'}"}};
  }
};

const std::string all = "select count(*) || ' ' || sum(n) from papers";

}  // namespace

TEST_CASE("buckets: a write that fails in one leaves the others as they were") {
  const Papers papers;
  Proxy own(Papers::blanks());
  Client client(own.conninfo());
  REQUIRE_EQ(client.run(all).value(), "24 24");
  CHECK_EQ(client.run("update papers set n = n + 1").tag, "UPDATE 24");
  // The row that fails is in the last bucket of its shard.
  CHECK_EQ(client.run("update papers set n = case when id = 7 then 100 else 50 end").sqlstate, "23514");
  CHECK_EQ(client.run("insert into papers values (32, 1), (36, 1), (40, 1), (4, 1)").sqlstate, "23505");
  CHECK_EQ(client.run(all).value(), "24 48");
  CHECK_EQ(client.run("insert into papers values (32, 1), (36, 1), (40, 1), (44, 1) returning id").rows.size(), 4);
  CHECK_EQ(client.run("delete from papers where id >= 32 returning id").rows.size(), 4);
  CHECK_EQ(client.run(all).value(), "24 48");
}

TEST_CASE("buckets: a write is cancelled, and a shard dies, between two of them") {
  const Papers papers;
  Proxy own(Papers::blanks());
  Client client(own.conninfo());
  Client blocker("host=127.0.0.1 port=" + std::to_string(shard(1).port()) + " user=app password=app-secret dbname=shop");
  REQUIRE(blocker.run("begin").ok());
  REQUIRE(blocker.run("update papers4 set n = 5").ok());
  const auto while_it_waits = [&](const auto& then) {
    Answer answer;
    std::thread writer([&] { answer = client.run("update papers set n = 9"); });
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    then();
    writer.join();
    return answer;
  };
  CHECK_EQ(while_it_waits([&] { client.cancel(); }).sqlstate, "57014");
  CHECK_EQ(client.run(all).value(), "24 24");
  const Answer lost = while_it_waits([&] {
    on_shard(1, "select pg_terminate_backend(pid) from pg_stat_activity where query like 'UPDATE public.papers4%'");
  });
  CHECK((lost.sqlstate == "57P01" || lost.sqlstate == "08006"));
  REQUIRE(blocker.run("rollback").ok());
  CHECK_EQ(client.run(all).value(), "24 24");
}

TEST_CASE("buckets: one moves when its table has moved") {
  const Papers papers;
  Proxy own(Papers::blanks());
  Client client(own.conninfo());
  const auto moved = own.map(Papers::blanks(", epoch: 2, assignment: {s1: [0], s2: [1, 5], s3: [2, 6], s4: [3, 7, 4]}"));
  const std::size_t said = own.log().size();
  on_shard(4, "create table papers4 (id bigint primary key, n int check (n < 100))");
  on_shard(4, "grant all on papers4 to app");
  CHECK_FALSE(own.reload(moved));
  CHECK_MESSAGE(contains(own.log().substr(said), "table public.papers4: it has rows here, but its place is elsewhere"),
                own.log_tail());
  CHECK_EQ(client.run(all).value(), "24 24");
  on_shard(4, "insert into papers4 values (4, 1), (12, 1), (20, 1)");
  on_shard(1, "drop table papers4");
  CHECK_MESSAGE(own.reload(moved), own.log_tail());
  CHECK_EQ(client.run(all).value(), "24 24");
  CHECK_EQ(client.run("update papers set n = 3 where id = 12").tag, "UPDATE 1");
  CHECK_EQ(on_shard(4, "select n from papers4 where id = 12"), "3");
  for (int i = 1; i <= 4; ++i) on_shard(i, "drop schema anabranch");
}

TEST_CASE("buckets: where one has no table, nothing is answered of the rest") {
  const Papers papers;
  on_shard(3, "drop table papers6");
  Proxy own(Papers::blanks());
  Client client(own.conninfo());
  const Answer answer = client.run(all);
  CHECK_EQ(answer.sqlstate, "0A000");
  CHECK(contains(answer.message, "papers6"));
}

}  // namespace faults
