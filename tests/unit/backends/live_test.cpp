#include "live.h"

#include <doctest/doctest.h>

#include "backends/cancel.h"
#include "backends/exchange.h"
#include "backends/transaction.h"
#include "net/loop.h"

using namespace std::chrono_literals;
using namespace anabranch::backends;
using anabranch::net::block_on;
using anabranch::net::Loop;
using anabranch::net::sleep;
using anabranch::net::spawn;
using anabranch::net::Task;
using anabranch::values::SqlError;

namespace {

struct Session {
  Loop loop;
  anabranch::conf::Database database = live::database();
  PoolRegistry registry;
  Pools pools{registry};
  Holder holder;
  SettingsStack wanted;
  Transaction transaction{holder, wanted};

  ShardTarget target(std::uint32_t shard) { return pools.target(database, shard, {}, "shop"); }
  Lease lease(std::uint32_t shard) { return block_on(loop, acquire(target(shard), holder)); }
  Transaction::Enlisted* enlist(std::uint32_t shard) {
    return block_on(loop, transaction.enlist(shard, target(shard)));
  }
  // The only value of a command's only row; "!sqlstate" when it fails.
  std::string ask(Lease& on, std::string sql) {
    auto result = block_on(loop, run_command(on, std::move(sql)));
    if (!result) return "!" + std::string(result.error().sqlstate());
    if (result->rows.empty()) return result->tag;
    return result->rows[0][0].value_or("NULL");
  }
  std::string ask(std::uint32_t shard, std::string sql) {
    Lease on = lease(shard);
    return ask(on, std::move(sql));
  }
  void fresh_table() {
    for (std::uint32_t shard = 0; shard < 2; ++shard) {
      ask(shard,
          "drop table if exists live_t; create table live_t (id int primary key, "
          "next int references live_t deferrable initially deferred)");
    }
  }
  std::string count(std::uint32_t shard) { return ask(shard, "select count(*) from live_t"); }
};

template <typename Run>
SqlError failure(Run run) {
  try {
    run();
  } catch (const SqlError& error) {
    return error;
  }
  return {"00000", "no failure"};
}

auto live_only() {
  return doctest::skip(!live::available());
}

}  // namespace

TEST_CASE("live: commands, errors and describe" * live_only()) {
  Session s;
  Lease lease = s.lease(0);
  CHECK(s.ask(lease, "select 1") == "1");
  CHECK(s.ask(lease, "select nothing") == "!42703");
  CHECK(s.ask(lease, "select null") == "NULL");
  CHECK(lease->clean());
  const auto described = block_on(
      s.loop,
      describe(lease, "select $1::int8 + 1 as sum, relname from pg_class where oid = $2", {}));
  REQUIRE(described);
  CHECK(described->parameters == std::vector<anabranch::values::Oid>{20, 26});
  REQUIRE(described->columns);
  CHECK(described->columns->at(0).name == "sum");
  CHECK(described->columns->at(0).type == 20);
  CHECK(described->columns->at(1).table == 1259);
  CHECK_FALSE(block_on(s.loop, describe(lease, "create table a(b int)", {}))->columns);
  CHECK(block_on(s.loop, describe(lease, "selec", {})).error().sqlstate() == "42601");
  CHECK(lease->clean());
}

TEST_CASE("live: settings are replayed, and leak to nobody" * live_only()) {
  Session s;
  s.wanted.set("timezone", "'Asia/Tokyo'");
  Lease lease = s.lease(0);
  CHECK(pipeline_context(lease, s.wanted.current()));
  CHECK(s.ask(lease, "show timezone") == "Asia/Tokyo");
  CHECK(*lease->parameter("TimeZone") == "Asia/Tokyo");
  s.wanted.set("role", "pg_monitor");
  CHECK_FALSE(pipeline_context(lease, s.wanted.current()));
  block_on(s.loop, apply_context(lease, s.wanted));
  CHECK(s.ask(lease, "select current_user") == "pg_monitor");
  SettingsStack other;
  other.set("role", "nobody_at_all");
  CHECK(failure([&] { block_on(s.loop, apply_context(lease, other)); }).sqlstate == "22023");
  CHECK(s.ask(lease, "select current_user") == "pg_monitor");  // nothing half done
  block_on(s.loop, apply_context(lease, SettingsStack()));
  CHECK(s.ask(lease, "select current_user") == "postgres");
  CHECK(s.ask(lease, "show timezone") != "Asia/Tokyo");
}

TEST_CASE("live: a context that fails behind the back throws, and the connection is gone" *
          live_only()) {
  Session s;
  Lease lease = s.lease(0);
  s.wanted.set("datestyle", "'no such style'");
  CHECK(pipeline_context(lease, s.wanted.current()));
  CHECK(failure([&] { s.ask(lease, "select 1"); }).sqlstate == "22023");
  CHECK(lease->broken());
}

namespace {

struct Rows {
  std::size_t count = 0;
  std::size_t largest_batch = 0;
};

Task<std::vector<Rows>> read_all(Exchange& exchange) {
  std::vector<Rows> seen(exchange.size());
  exchange.send();
  while (auto next = co_await exchange.next()) {
    if (next->reply.kind != Reply::Kind::rows) continue;
    auto& rows = exchange.stream(next->source).rows;
    seen[next->source].count += rows.size();
    seen[next->source].largest_batch = std::max(seen[next->source].largest_batch, rows.byte_size());
  }
  co_return seen;
}

}  // namespace

TEST_CASE("live: several shards answer at once, in bounded batches" * live_only()) {
  Session s;
  Lease one = s.lease(0);
  Lease two = s.lease(1);
  Exchange exchange;
  exchange.add(one);
  exchange.add(two);
  send_query(one, "select g, repeat('x', 100) from generate_series(1, 50000) g");
  send_query(two, "select g, repeat('x', 200000) from generate_series(1, 20) g");
  const auto seen = block_on(s.loop, read_all(exchange));
  CHECK(seen[0].count == 50000);
  CHECK(seen[0].largest_batch < 70'000);
  CHECK(seen[1].count == 20);
  CHECK(one->clean());
  CHECK(two->clean());
}

TEST_CASE("live: a large request is written while its reply is read" * live_only()) {
  Session s;
  Lease lease = s.lease(0);
  // Each statement answers at once: neither side may wait for the other to have finished.
  for (int i = 0; i < 3000; ++i) {
    send_query(lease, "select repeat('y', 3000) /* " + std::string(3000, 'z') + " */");
  }
  Exchange exchange;
  exchange.add(lease);
  const auto seen = block_on(s.loop, read_all(exchange));
  CHECK(seen[0].count == 3000);
  CHECK(lease->clean());
}

TEST_CASE("live: a cancelled statement answers 57014, and the next user is not hit" * live_only()) {
  Session s;
  s.database.pool.size = 1;
  for (int i = 0; i < 10; ++i) {
    Lease lease = s.lease(0);
    send_query(lease, "select pg_sleep(20)");
    lease->socket().send_now();
    request_cancel(lease);
    ReplyStream stream(lease);
    std::string state;
    for (;;) {
      const Reply reply = block_on(s.loop, stream.next());
      if (reply.kind == Reply::Kind::ready) break;
      if (reply.message.type != 'E') continue;
      state = anabranch::net::pg::ErrorResponse::decode(reply.message.payload)->sqlstate();
    }
    // Cancelled before it began or while it ran: both are answers.
    CHECK((state == "57014" || state.empty()));
    lease.release();
    CHECK(s.ask(0, "select pg_sleep(0.001)") == "");
  }
}

TEST_CASE("live: a statement whose session is gone does not run on" * live_only()) {
  Session s;
  {
    Lease lease = s.lease(0);
    send_query(lease, "select pg_sleep(60) /* left alone */");
    lease->socket().send_now();
    block_on(s.loop, sleep(50ms));
  }
  std::string left = "?";
  for (int i = 0; i < 100 && left != "0"; ++i) {
    block_on(s.loop, sleep(20ms));
    left = s.ask(0,
                 "select count(*) from pg_stat_activity where query like '%left alone%' and "
                 "pid <> pg_backend_pid() and state = 'active'");
  }
  CHECK(left == "0");
}

TEST_CASE("live: a killed server process gives 08006 with the shard's name" * live_only()) {
  Session s;
  Lease victim = s.lease(0);
  Lease killer = s.lease(0);
  s.ask(killer, "select pg_terminate_backend(" + std::to_string(victim->process()) + ")");
  const SqlError error = failure([&] {
    const std::string state = s.ask(victim, "select 1");
    throw SqlError(state.substr(1), "s1");
  });
  CHECK((error.sqlstate == "57P01" || error.sqlstate == "08006"));
  CHECK(error.message.find("s1") != std::string::npos);
  CHECK(victim->broken());
}

TEST_CASE("live: a transaction over shards, with savepoints and settings" * live_only()) {
  Session s;
  s.fresh_table();
  s.wanted.set("timezone", "'CET'");
  s.transaction.begin("");
  auto* one = s.enlist(0);
  s.transaction.mark_written(0);
  CHECK(s.ask(one->lease, "insert into live_t values (1)") == "INSERT 0 1");
  CHECK(s.ask(one->lease, "show timezone") == "CET");
  block_on(s.loop, s.transaction.savepoint("a"));
  auto* two = s.enlist(1);
  CHECK(s.ask(two->lease, "select count(*) from live_t") == "0");
  const SqlError second = failure([&] { s.transaction.mark_written(1); });
  CHECK(second.sqlstate == "0A000");
  CHECK(second.message.find("s1 and would now write to s2") != std::string::npos);
  s.wanted.set("timezone", "'UTC'");
  s.enlist(1);
  CHECK(s.ask(two->lease, "show timezone") == "UTC");
  CHECK(s.ask(two->lease, "select 1/0") == "!22012");
  s.transaction.fail();
  CHECK(s.transaction.status() == 'E');
  block_on(s.loop, s.transaction.rollback_to("a"));
  CHECK(s.transaction.status() == 'T');
  CHECK(*s.wanted.find("timezone") == "'CET'");
  s.enlist(1);
  CHECK(s.ask(two->lease, "show timezone") == "CET");
  CHECK(failure([&] { block_on(s.loop, s.transaction.rollback_to("b")); }).sqlstate == "3B001");
  CHECK(block_on(s.loop, s.transaction.commit()) == "COMMIT");
  CHECK(s.transaction.enlisted().empty());
  CHECK(s.count(0) == "1");
}

TEST_CASE("live: rollback undoes, on all shards" * live_only()) {
  Session s;
  s.fresh_table();
  s.transaction.begin_implicit();
  for (std::uint32_t shard = 0; shard < 2; ++shard) {
    auto* member = s.enlist(shard);
    s.transaction.mark_written(shard);
    s.ask(member->lease, "insert into live_t values (1)");
  }
  SUBCASE("asked for") {
    block_on(s.loop, s.transaction.rollback());
  }
  SUBCASE("client gone") {
    s.transaction.drop();
  }
  CHECK(s.transaction.state() == TransactionState::none);
  CHECK(s.count(0) == "0");
  CHECK(s.count(1) == "0");
}

TEST_CASE("live: a statement that writes to two shards commits on both or on none" * live_only()) {
  Session s;
  s.fresh_table();
  s.transaction.begin_implicit();
  for (std::uint32_t shard = 0; shard < 2; ++shard) {
    auto* member = s.enlist(shard);
    s.transaction.mark_written(shard);
    s.ask(member->lease, "insert into live_t values (1)");
  }
  SUBCASE("well") {
    CHECK(block_on(s.loop, s.transaction.commit()) == "COMMIT");
    CHECK(s.count(0) == "1");
    CHECK(s.count(1) == "1");
  }
  SUBCASE("a deferred constraint fails on the second") {
    s.ask(s.transaction.find(1)->lease, "insert into live_t values (2, 99)");
    const SqlError error = failure([&] { block_on(s.loop, s.transaction.commit()); });
    CHECK(error.sqlstate == "23503");
    CHECK(s.count(0) == "0");
    CHECK(s.count(1) == "0");
  }
  SUBCASE("the second has died before") {
    s.ask(0, "select 1");
    const auto pid = s.transaction.find(1)->lease->process();
    s.ask(1, "select pg_terminate_backend(" + std::to_string(pid) + ")");
    block_on(s.loop, sleep(20ms));
    const SqlError error = failure([&] { block_on(s.loop, s.transaction.commit()); });
    CHECK(error.sqlstate == "08006");
    CHECK(s.count(0) == "0");
    CHECK(s.count(1) == "0");
  }
  CHECK(s.transaction.state() == TransactionState::none);
}

TEST_CASE("live: snapshots over two shards are refused" * live_only()) {
  Session s;
  s.transaction.begin("ISOLATION LEVEL REPEATABLE READ");
  s.enlist(0);
  CHECK(failure([&] { s.enlist(1); }).sqlstate == "0A000");
  block_on(s.loop, s.transaction.rollback());
  s.wanted.set("default_transaction_isolation", "'serializable'");
  s.transaction.begin("");
  s.enlist(1);
  CHECK(failure([&] { s.enlist(0); }).message.find("SERIALIZABLE") != std::string::npos);
  block_on(s.loop, s.transaction.rollback());
  s.transaction.begin("ISOLATION LEVEL READ COMMITTED");
  s.enlist(0);
  s.enlist(1);
  CHECK(block_on(s.loop, s.transaction.commit()) == "COMMIT");
}

TEST_CASE("live: a login that the server refuses is the server's own error" * live_only()) {
  Session s;
  s.database.shards[0].primary.backend.database = "no_such_database";
  const SqlError error = failure([&] { s.lease(0); });
  CHECK(error.sqlstate == "3D000");
  CHECK(error.context.find("s1") != std::string::npos);
}
