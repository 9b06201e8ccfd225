#include "backends/transaction.h"

#include <doctest/doctest.h>

#include "fake_server.h"
#include "net/pg/stream.h"

using namespace anabranch::backends;
using anabranch::values::SqlError;
using fake::net::block_on;
using fake::net::Loop;
using fake::net::Socket;
using fake::net::spawn;
using fake::net::Task;
namespace pg = anabranch::net::pg;

namespace {

/// A server that answers every Query, writes down what it was asked, and at one of them does
/// something else.
struct Script {
  std::string die_at;     // closes instead of answering
  std::string refuse_at;  // answers an error
  std::vector<std::string> asked;
};

Task<void> serve(Socket socket, Script& script) {
  for (;;) {
    const auto message = co_await pg::read_message(socket);
    if (!message || message->type != pg::Query::type) co_return;
    const auto query = pg::Query::decode(message->payload);
    const std::string sql(query->sql);
    script.asked.push_back(sql);
    if (sql == script.die_at) co_return;
    const bool ends = sql == "COMMIT" || sql == "ROLLBACK";
    if (sql == script.refuse_at) {
      pg::ErrorResponse(pg::ErrorFields::make("ERROR", "40001", "again")).encode(socket.out());
    } else {
      pg::CommandComplete{sql.substr(0, sql.find(' '))}.encode(socket.out());
    }
    pg::ReadyForQuery{ends ? 'I' : 'T'}.encode(socket.out());
    socket.send_now();
  }
}

struct Fixture {
  Loop loop;
  anabranch::conf::Database database = fake::database(4, std::chrono::seconds(5), 3);
  fake::Farm farm;
  PoolRegistry registry;
  Pools pools{registry, farm.connector()};
  Holder holder;
  SettingsStack wanted;
  Transaction transaction{holder, wanted};
  std::vector<Script> scripts{3};

  Transaction::Enlisted* enlist(std::uint32_t shard) {
    auto* member =
        block_on(loop, transaction.enlist(shard, pools.target(database, shard, {}, "shop")));
    if (farm.ends[shard]) spawn(serve(Socket(std::move(farm.ends[shard])), scripts[shard]));
    return member;
  }
  SqlError commit() {
    try {
      block_on(loop, transaction.commit());
      return {"00000", ""};
    } catch (const SqlError& error) {
      return error;
    }
  }
};

}  // namespace

TEST_CASE("what goes ahead of a shard's first subquery") {
  Fixture f;
  f.wanted.set("timezone", "'CET'");
  f.transaction.begin("READ ONLY");
  block_on(f.loop, f.transaction.savepoint("a b"));
  f.enlist(0);
  block_on(f.loop, f.transaction.savepoint("c"));
  f.enlist(1);
  CHECK(f.commit().sqlstate == "00000");
  CHECK(f.scripts[0].asked ==
        std::vector<std::string>{"BEGIN READ ONLY; SET timezone TO 'CET'; SAVEPOINT \"a b\"",
                                 "SAVEPOINT \"c\"", "COMMIT"});
  CHECK(
      f.scripts[1].asked ==
      std::vector<std::string>{
          "BEGIN READ ONLY; SET timezone TO 'CET'; SAVEPOINT \"a b\"; SAVEPOINT \"c\"", "COMMIT"});
  CHECK(f.holder.held().empty());
}

TEST_CASE("a COMMIT whose answer is lost after another succeeded is 08007 with both sides") {
  Fixture f;
  const auto before = unknown_commits().load();
  f.transaction.begin_implicit();
  for (std::uint32_t shard = 0; shard < 3; ++shard) {
    f.enlist(shard);
    f.transaction.mark_written(shard);
  }
  f.scripts[1].die_at = "COMMIT";
  const SqlError error = f.commit();
  CHECK(error.sqlstate == "08007");
  CHECK(error.message ==
        "the commit is not known to have happened everywhere: committed on s1, s3; not committed "
        "or unknown on s2");
  CHECK(unknown_commits() == before + 1);
  CHECK(f.transaction.state() == TransactionState::none);
  CHECK(f.holder.held().empty());
}

TEST_CASE("a check that refuses rolls back everywhere") {
  Fixture f;
  f.transaction.begin_implicit();
  for (std::uint32_t shard = 0; shard < 2; ++shard) {
    f.enlist(shard);
    f.transaction.mark_written(shard);
  }
  f.scripts[1].refuse_at = "SET CONSTRAINTS ALL IMMEDIATE";
  CHECK(f.commit().sqlstate == "40001");
  CHECK(f.scripts[0].asked.back() == "ROLLBACK");
  CHECK(f.scripts[1].asked.back() == "ROLLBACK");
}

TEST_CASE("a shard that dies at any moment of one writer's commit") {
  for (const bool writer : {false, true}) {
    Fixture f;
    f.transaction.begin("");
    f.enlist(0);
    f.enlist(1);
    f.transaction.mark_written(0);
    f.scripts[writer ? 0 : 1].die_at = "COMMIT";
    const SqlError error = f.commit();
    CHECK(error.sqlstate == (writer ? "08007" : "00000"));
    CHECK(f.transaction.state() == TransactionState::none);
    CHECK(f.holder.held().empty());
  }
}

TEST_CASE("a failed transaction ends in ROLLBACK") {
  Fixture f;
  f.transaction.begin("");
  f.enlist(0);
  f.transaction.fail();
  CHECK(f.transaction.status() == 'E');
  CHECK(block_on(f.loop, f.transaction.commit()) == "ROLLBACK");
  CHECK(f.scripts[0].asked.back() == "ROLLBACK");
  CHECK(f.transaction.status() == 'I');
}

TEST_CASE("settings of a rolled back transaction are forgotten on both sides") {
  Fixture f;
  f.transaction.begin("");
  f.wanted.set("timezone", "'CET'");
  auto* member = f.enlist(0);
  ServerConnection* connection = &*member->lease;
  CHECK(*connection->applied.find("timezone") == "'CET'");
  block_on(f.loop, f.transaction.rollback());
  CHECK_FALSE(f.wanted.find("timezone"));
  CHECK_FALSE(connection->applied.find("timezone"));
  CHECK(connection->state() == ConnectionState::idle);
}

TEST_CASE("a lease that holds something of the session's outlasts the transaction") {
  Fixture f;
  f.transaction.begin("");
  f.enlist(0)->kept = true;
  f.enlist(1)->unsettled = true;
  f.enlist(2);
  CHECK(f.commit().sqlstate == "00000");
  CHECK(f.transaction.find(0) != nullptr);
  // Nobody has looked what is there yet.
  CHECK(f.transaction.find(1) != nullptr);
  CHECK(f.transaction.find(2) == nullptr);
  CHECK(f.transaction.first_begun() == nullptr);
  // Nobody ever did: it is closed, not given to the next.
  f.transaction.give_back();
  CHECK(f.transaction.find(1) == nullptr);
  CHECK(f.registry.rows()[1].metrics->open == 0);
  CHECK_FALSE(f.transaction.lost_kept());
  f.transaction.find(0)->lease->mark_broken();
  f.transaction.give_back();
  CHECK(f.transaction.lost_kept());
  CHECK(f.holder.held().empty());
}

TEST_CASE("a kept lease is no second shard of a snapshot, until it is touched") {
  Fixture f;
  f.transaction.begin("");
  f.enlist(0)->kept = true;
  CHECK(f.commit().sqlstate == "00000");
  f.transaction.begin("ISOLATION LEVEL REPEATABLE READ");
  CHECK(f.enlist(1) != nullptr);
  CHECK_THROWS_AS(f.enlist(0), SqlError);
  f.transaction.drop();
}
