#include "backends/pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <latch>
#include <thread>

#include "backends/cancel.h"
#include "backends/exchange.h"
#include "fake_server.h"

using namespace std::chrono_literals;
using fake::Farm;
using fake::net::block_on;
using fake::net::CancelSource;
using fake::net::CancelToken;
using fake::net::Event;
using fake::net::Loop;
using fake::net::sleep;
using fake::net::spawn;
using fake::net::Task;
using namespace anabranch::backends;
using anabranch::values::SqlError;

namespace {

const Identity nobody;

std::string sqlstate_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const SqlError& failure) {
    return failure.sqlstate + " " + failure.message;
  }
}

Task<void> expect_failure(ShardTarget target, Holder& holder, CancelToken token,
                          std::string& text) {
  try {
    Lease lease = co_await acquire(target, holder, token);
    text = "leased";
  } catch (...) {
    text = sqlstate_of(std::current_exception());
  }
}

struct Fixture {
  explicit Fixture(std::uint32_t size, anabranch::conf::Milliseconds wait = 5s)
      : database(fake::database(size, wait)) {}
  ShardTarget target(std::uint32_t shard = 0) {
    return pools.target(database, shard, nobody, "shop");
  }
  const PoolMetrics& metrics(std::size_t row = 0) { return *registry.rows().at(row).metrics; }

  Loop loop;
  anabranch::conf::Database database;
  Farm farm;
  PoolRegistry registry;
  Pools pools{registry, farm.connector()};
};

}  // namespace

TEST_CASE("a released connection is lent again, without waiting") {
  Fixture f(2);
  const ShardTarget target = f.target();
  Holder holder;
  CHECK_FALSE(try_acquire(target, holder));
  Lease first = block_on(f.loop, acquire(target, holder));
  ServerConnection* connection = &*first;
  CHECK(connection->state() == ConnectionState::leased);
  CHECK(holder.holds_any());
  first.release();
  CHECK_FALSE(holder.holds_any());
  CHECK(connection->state() == ConnectionState::idle);
  auto again = try_acquire(target, holder);
  REQUIRE(again);
  CHECK(&**again == connection);
  CHECK(connection->leases() == 2);
  CHECK(f.farm.ends.size() == 1);
  CHECK(f.metrics().open == 1);
  CHECK(f.metrics().leased == 1);
}

TEST_CASE("an unclean connection is closed at its release") {
  Fixture f(2);
  Holder holder;
  Lease lease = block_on(f.loop, acquire(f.target(), holder));
  SUBCASE("broken") {
    lease->mark_broken();
  }
  SUBCASE("in the middle of a request") {
    lease->set_mid_request(true);
  }
  SUBCASE("settings whose transaction was not ended") {
    lease->applied.begin();
  }
  lease.release();
  CHECK(f.metrics().open == 0);
  CHECK_FALSE(try_acquire(f.target(), holder));
}

TEST_CASE("what still runs at its release is cancelled") {
  Fixture f(1);
  Holder holder;
  Event hold;
  f.farm.hold_cancel = &hold;
  Lease lease = block_on(f.loop, acquire(f.target(), holder));
  send_query(lease, "select pg_sleep(1000)");
  lease.release();
  CHECK(f.farm.cancels == 1);
  CHECK(f.metrics().open == 1);  // its slot is free when the cancel has ended
  hold.set();
  block_on(f.loop, sleep(5ms));
  CHECK(f.metrics().open == 0);
}

TEST_CASE("a lease being cancelled goes home when cancel and answer are both there") {
  Fixture f(1);
  Holder holder;
  Event hold;
  f.farm.hold_cancel = &hold;
  Lease lease = block_on(f.loop, acquire(f.target(), holder));
  request_cancel(lease);
  CHECK(f.farm.cancels == 0);  // nothing runs
  send_query(lease, "select 1");
  request_cancel(lease);
  request_cancel(lease);
  CHECK(f.farm.cancels == 1);
  f.farm.say(0, fake::ready);
  block_on(f.loop, drain(lease));
  ServerConnection* connection = &*lease;
  lease.release();
  CHECK(connection->state() == ConnectionState::cancelling);
  CHECK_FALSE(try_acquire(f.target(), holder));
  hold.set();
  block_on(f.loop, sleep(5ms));
  CHECK(connection->state() == ConnectionState::idle);
  CHECK(try_acquire(f.target(), holder));
}

namespace {

Task<void> take_turn(ShardTarget target, int number, std::vector<int>& order) {
  Holder holder;
  Lease lease = co_await acquire(target, holder);
  order.push_back(number);
  co_await sleep(1ms);
}

}  // namespace

TEST_CASE("waiters are served in the order they came") {
  Fixture f(1);
  std::vector<int> order;
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 8; ++i) tasks.push_back(take_turn(f.target(), i, order));
  block_on(f.loop, fake::net::when_all(std::move(tasks)));
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(f.farm.ends.size() == 1);
  CHECK(f.metrics().waits == 7);
  CHECK(f.metrics().waiting == 0);
}

TEST_CASE("nobody waits longer than wait_timeout, and the error names the pool") {
  Fixture f(1, 20ms);
  Holder holder;
  Lease lease = block_on(f.loop, acquire(f.target(), holder));
  Holder other;
  std::string error;
  block_on(f.loop, expect_failure(f.target(), other, {}, error));
  CHECK(error ==
        "53300 no connection to shard s1 (127.0.0.1:1000) in the pool of shop for app, which has 1 "
        "became free within 20 ms");
  CHECK(f.metrics().wait_timeouts == 1);
}

TEST_CASE("a cancelled wait ends") {
  Fixture f(1);
  Holder holder;
  Lease lease = block_on(f.loop, acquire(f.target(), holder));
  Holder other;
  std::string error;
  CancelSource source;
  spawn(expect_failure(f.target(), other, source.token(), error));
  source.cancel();
  block_on(f.loop, sleep(1ms));
  CHECK(error.starts_with("57014"));
  CHECK(f.metrics().waiting == 0);
}

TEST_CASE("connecting is tried several times, then the error names shard and address") {
  Fixture f(1);
  Holder holder;
  std::string error;
  f.farm.refuse = 2;
  block_on(f.loop, expect_failure(f.target(), holder, {}, error));
  CHECK(error == "leased");
  CHECK(f.metrics().connect_failures == 2);
  f.farm.ends.clear();  // the servers close
  f.farm.refuse = 3;
  block_on(f.loop, sleep(1ms));
  CHECK(f.metrics().open == 0);  // noticed while idle
  block_on(f.loop, expect_failure(f.target(), holder, {}, error));
  CHECK(error == "08006 shard s1 (127.0.0.1:1000) cannot be reached: refused");
  CHECK(f.metrics().open == 0);
}

TEST_CASE("an idle connection takes late settings and notices the server's last words") {
  Fixture f(1);
  Holder holder;
  block_on(f.loop, acquire(f.target(), holder)).release();
  f.farm.say(0, std::string_view("S\0\0\0\x0f"
                                 "zone\0"
                                 "UTC+1\0",
                                 16));
  block_on(f.loop, sleep(1ms));
  {
    auto lease = try_acquire(f.target(), holder);
    REQUIRE(lease);
    CHECK(*(*lease)->parameter("zone") == "UTC+1");
  }
  f.farm.say(0, std::string_view("E\0\0\0\x05\0", 6));
  block_on(f.loop, sleep(1ms));
  CHECK(f.metrics().open == 0);
}

namespace {

Task<void> hold_and_want(ShardTarget first, ShardTarget second, std::string& outcome) {
  Holder holder;
  try {
    Lease one = co_await acquire(first, holder);
    co_await sleep(2ms);
    Lease two = co_await acquire(second, holder);
    co_await sleep(2ms);
    outcome = "both";
  } catch (const SqlError& error) {
    outcome = error.sqlstate;
  }
}

}  // namespace

TEST_CASE("a cycle of waits ends with one giving way, at once") {
  Fixture f(1);
  // One reserve slot on each shard: two transactions pass by it, more must wait for each other.
  std::vector<std::string> outcomes(6);
  std::vector<Task<void>> tasks;
  f.database.pool.size = 3;
  const ShardTarget a = f.target(0);
  const ShardTarget b = f.target(1);
  for (std::size_t i = 0; i < 6; ++i) {
    tasks.push_back(i % 2 == 0 ? hold_and_want(a, b, outcomes[i])
                               : hold_and_want(b, a, outcomes[i]));
  }
  const auto begin = std::chrono::steady_clock::now();
  block_on(f.loop, fake::net::when_all(std::move(tasks)));
  CHECK(std::chrono::steady_clock::now() - begin < 4s);
  const auto both = std::ranges::count(outcomes, "both");
  const auto gave_way = std::ranges::count(outcomes, "53300");
  CHECK(both + gave_way == 6);
  CHECK(both >= 2);
  CHECK(f.registry.wait_graph().size() == 0);
}

TEST_CASE("the graph breaks what waits for itself, and nothing else") {
  const Server server;
  PoolBudget a(server, 1);
  PoolBudget b(server, 1);
  a.metrics->open = b.metrics->open = 1;
  WaitGraph graph;
  Holder older;
  Holder younger;
  older.took(&a);
  younger.took(&b);
  std::string gave_way;
  graph.wait(older, &b, [&] { gave_way += "older"; });
  CHECK(gave_way.empty());
  SUBCASE("a cycle") {
    graph.wait(younger, &a, [&] { gave_way += "younger"; });
    CHECK(gave_way == "younger");
  }
  SUBCASE("somebody else has a connection there") {
    a.metrics->open = 2;
    graph.wait(younger, &a, [&] { gave_way += "younger"; });
    CHECK(gave_way.empty());
  }
}

TEST_CASE("a reload closes what changed, and resizes the rest") {
  Fixture f(1);
  Holder holder;
  const ShardTarget kept = f.target(0);
  const ShardTarget gone = f.target(1);
  block_on(f.loop, acquire(kept, holder)).release();
  Lease leased = block_on(f.loop, acquire(gone, holder));
  anabranch::conf::Config config;
  config.databases.push_back(f.database);
  config.databases[0].pool.size = 2;
  config.databases[0].shards[1].primary.address.port = 9;
  f.pools.update(config);
  CHECK(f.registry.rows().at(0).size == 2);
  CHECK(f.metrics(0).idle == 1);
  CHECK(f.metrics(1).open == 1);
  leased.release();
  CHECK(f.metrics(1).open == 0);
  CHECK(f.pools.target(config.databases[0], 0, nobody, "shop") == kept);
  CHECK(f.pools.target(config.databases[0], 1, nobody, "shop") != gone);
}

TEST_CASE("after shut_down nobody gets a lease, and who waits is told") {
  Fixture f(1);
  Holder holder;
  Lease lease = block_on(f.loop, acquire(f.target(), holder));
  Holder other;
  std::string waiting;
  spawn(expect_failure(f.target(), other, {}, waiting));
  f.pools.shut_down();
  block_on(f.loop, sleep(1ms));
  CHECK(waiting.starts_with("57P01"));
  std::string late;
  block_on(f.loop, expect_failure(f.target(), other, {}, late));
  CHECK(late.starts_with("57P01"));
  lease.release();
  CHECK(f.metrics().open == 0);
}

namespace {

Task<void> lease_for(ShardTarget target, Holder& holder, std::chrono::milliseconds time, bool breaks,
                     int& leased, CancelToken token) {
  try {
    Lease lease = co_await acquire(target, holder, token);
    ++leased;
    co_await sleep(time);
    if (breaks) lease->mark_broken();
  } catch (const SqlError&) {
  }
}

Task<void> lease_again_and_again(ShardTarget target, const bool& enough) {
  Holder holder;
  while (!enough) {
    Lease lease = co_await acquire(target, holder);
    co_await sleep(1ms);
  }
}

Task<void> until(const int& count, int wanted, std::chrono::milliseconds limit) {
  for (auto waited = 0ms; count < wanted && waited < limit; waited += 1ms) co_await sleep(1ms);
}

}  // namespace

TEST_CASE("who waits is not forgotten when a slot comes that only holders of leases may have") {
  Fixture f(1);
  const ShardTarget target = f.target();
  Holder holder;
  Holder other;
  int leased = 0;
  Lease lease = block_on(f.loop, acquire(target, holder));
  spawn(lease_for(target, other, 0ms, false, leased, {}));
  lease->mark_broken();
  lease.release();  // its slot is under way to the one who waits
  REQUIRE(target->budget()->take(true));
  block_on(f.loop, sleep(2ms));
  CHECK(leased == 0);  // the pool was fuller than its size when it came
  target->budget()->put();
  block_on(f.loop, until(leased, 1, 1s));
  CHECK(leased == 1);
}

TEST_CASE("the slot beyond the size goes to whoever holds leases, wherever it stands") {
  Fixture f(1);
  const ShardTarget target = f.target(0);
  f.database.pool.size = 10;
  const ShardTarget elsewhere = f.target(1);
  SUBCASE("freed between asking and queueing") {
    PoolBudget& budget = *target->budget();
    REQUIRE(budget.take(false));
    REQUIRE(budget.take(true));
    REQUIRE_FALSE(budget.take(true));
    budget.put();
    budget.hunger(target, false, true);
    CHECK(budget.open() == 2);  // granted
    block_on(f.loop, sleep(1ms));
    CHECK(budget.open() == 1);  // nobody wanted it any more
    budget.put();
  }
  SUBCASE("behind one who holds none") {
    Holder first;
    Lease lease = block_on(f.loop, acquire(target, first));
    std::vector<Holder> holders(3);
    std::vector<Lease> held;
    for (auto& holder : holders) held.push_back(block_on(f.loop, acquire(elsewhere, holder)));
    int waited = 0;
    int leased = 0;
    Holder plain;
    spawn(lease_for(target, holders[0], 5ms, true, leased, {}));
    spawn(lease_for(target, plain, 0ms, false, waited, {}));
    spawn(lease_for(target, holders[1], 5ms, true, leased, {}));
    spawn(lease_for(target, holders[2], 5ms, true, leased, {}));
    block_on(f.loop, until(leased, 3, 1s));
    CHECK(leased == 3);
    CHECK(waited == 0);
    lease.release();
    block_on(f.loop, until(waited, 1, 1s));
    CHECK(waited == 1);
    block_on(f.loop, sleep(10ms));
  }
}

TEST_CASE("a pool that loses its share gets it back, however busy the others are") {
  Fixture f(2);
  Pools others(f.registry, f.farm.connector());
  const ShardTarget target = f.target();
  const ShardTarget busy = others.target(f.database, 0, nobody, "shop");
  Holder holder;
  Holder waiting;
  int leased = 0;
  bool enough = false;
  Lease lease = block_on(f.loop, acquire(target, holder));
  for (int i = 0; i < 4; ++i) spawn(lease_again_and_again(busy, enough));
  block_on(f.loop, sleep(5ms));
  spawn(lease_for(target, waiting, 0ms, false, leased, {}));
  lease->mark_broken();
  lease.release();
  block_on(f.loop, until(leased, 1, 500ms));
  CHECK(leased == 1);
  enough = true;
  block_on(f.loop, sleep(20ms));
}

TEST_CASE("a slot that comes for a pool that is gone is not lost") {
  Fixture f(1);
  const ShardTarget target = f.target();
  Holder holder;
  Holder other;
  int leased = 0;
  CancelSource source;
  Lease lease = block_on(f.loop, acquire(target, holder));
  {
    Pools others(f.registry, f.farm.connector());
    spawn(lease_for(others.target(f.database, 0, nobody, "shop"), other, 0ms, false, leased, source.token()));
    lease->mark_broken();
    lease.release();
    source.cancel();
  }
  block_on(f.loop, sleep(2ms));
  CHECK(leased == 0);
  CHECK(f.metrics().open == 0);
  spawn(lease_for(target, holder, 0ms, false, leased, {}));
  block_on(f.loop, until(leased, 1, 1s));
  CHECK(leased == 1);
}

namespace {

Task<void> serve_some(ShardTarget target, int rounds, std::atomic<int>& served) {
  Holder holder;
  for (int i = 0; i < rounds; ++i) {
    Lease lease = co_await acquire(target, holder);
    ++served;
    co_await fake::net::yield();
  }
}

// All loops are made before any ends: libuv closes descriptors behind the thread sanitizer's back,
// and their numbers would be seen to race.
void run_loop(PoolRegistry& registry, const anabranch::conf::Database& database,
              std::atomic<int>& served, std::latch& made) {
  Loop loop;
  made.arrive_and_wait();
  Farm farm;
  Pools pools(registry, farm.connector());
  const ShardTarget target = pools.target(database, 0, nobody, "shop");
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(serve_some(target, 50, served));
  block_on(loop, fake::net::when_all(std::move(tasks)));
}

}  // namespace

TEST_CASE("loops share one budget: the idle connections of one end for another") {
  const auto database = fake::database(2, 5s);
  PoolRegistry registry;
  Loop loop;
  Farm farm;
  Pools pools(registry, farm.connector());
  const ShardTarget target = pools.target(database, 0, nobody, "shop");
  Holder one;
  Holder two;
  {
    Lease first = block_on(loop, acquire(target, one));
    Lease second = block_on(loop, acquire(target, two));
  }
  CHECK(registry.rows().at(0).metrics->idle == 2);
  std::atomic<int> served = 0;
  std::latch made(1);
  std::thread other([&] { run_loop(registry, database, served, made); });
  block_on(loop, [](std::atomic<int>& count) -> Task<void> {
    while (count < 200) co_await sleep(1ms);
  }(served));
  other.join();
  block_on(loop, sleep(1ms));
  CHECK(served == 200);
  CHECK(registry.rows().at(0).metrics->open <= 2);
}

TEST_CASE("many loops that all want more than there is serve everybody") {
  const auto database = fake::database(2, 30s);
  PoolRegistry registry;
  std::atomic<int> served = 0;
  {
    std::latch made(4);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { run_loop(registry, database, served, made); });
    }
  }
  CHECK(served == 4 * 200);
}
