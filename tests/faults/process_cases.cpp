#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include "world.h"

/// How the process starts and ends, and what its HTTP port says.
namespace faults {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("process: SIGTERM drains") {
  Proxy own;
  Client busy(own.conninfo());
  Client failed(own.conninfo());
  Wire idle = own.wire();
  REQUIRE(busy.run("begin").ok());
  REQUIRE(busy.run("insert into items values (9601, 'drained', 1)").ok());
  REQUIRE(failed.run("begin").ok());
  REQUIRE_FALSE(failed.run("select 1/0").ok());
  own.signal(SIGTERM);
  const auto goodbye = idle.read();
  REQUIRE(goodbye);
  CHECK_EQ(error_field(*goodbye, 'S') + " " + error_field(*goodbye, 'C'), "FATAL 57P01");
  CHECK(idle.ends());
  CHECK(eventually([&] { return !Client(own.conninfo()).alive(); }));
  CHECK_EQ(busy.run("select note from items where id = 9601").value(), "drained");
  CHECK_EQ(busy.run("commit").tag, "COMMIT");
  CHECK_EQ(failed.run("rollback").tag, "ROLLBACK");
  CHECK_EQ(own.ended(), 0);
  CHECK_EQ(on_shard(2, "delete from items where id = 9601 returning note"), "drained");
}

TEST_CASE("process: SIGINT ends at once") {
  Proxy own;
  Client busy(own.conninfo());
  REQUIRE(busy.run("begin").ok());
  REQUIRE(busy.run("insert into items values (9602, 'lost', 1)").ok());
  Wire sleeping = own.wire();
  sleeping.send(query("select pg_sleep(100)"));
  Wire half = Wire(own.port());
  half.send("\0\0");
  own.signal(SIGINT);
  CHECK_EQ(own.ended(), 0);
  CHECK(sleeping.ends());
  CHECK_FALSE(busy.run("commit").ok());
  CHECK(eventually([] { return on_all_shards("select count(*) from items where id = 9602") == 0; }));
}

TEST_CASE("process: a broken configuration is refused at the start") {
  for (const char* yaml : {"", "listen: [", "listen: {postgres: 127.0.0.1:1}\nsurprise: 1\n", "- 1\n- 2\n", "\x01\x02",
                           "listen: {postgres: not-an-address}\n"}) {
    auto broken = Proxy::with_file(yaml);
    CHECK_EQ(broken->ended(), 1);
    CHECK_MESSAGE(contains(broken->log(), broken->config_path() + ":"), yaml, "\n", broken->log());
    CHECK_FALSE(contains(broken->log(), " ready\n"));
  }
}

TEST_CASE("process: a port that is taken is refused with a sentence") {
  Proxy own;
  for (const bool http : {false, true}) {
    auto second = Proxy::with_file(own.map({{http ? "PORT" : "HTTP_PORT", std::to_string(free_port())}}));
    CHECK_EQ(second->ended(), 1);
    const int port = http ? own.http_port() : own.port();
    CHECK_MESSAGE(contains(second->log(), fmt::format("127.0.0.1:{}", port)), second->log());
    CHECK_MESSAGE(contains(second->log(), "cannot listen"), second->log());
  }
  CHECK_EQ(Client(own.conninfo()).run("select 1").value(), "1");
}

TEST_CASE("process: limits.client_connections") {
  Proxy own({{"LIMITS", "client_connections: 3"}});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(own.conninfo()));
    REQUIRE_MESSAGE(clients.back()->alive(), clients.back()->problem());
  }
  Client fourth(own.conninfo());
  CHECK_FALSE(fourth.alive());
  CHECK_MESSAGE(contains(fourth.problem(), "too many clients"), fourth.problem());
  clients.pop_back();
  CHECK(eventually([&] { return Client(own.conninfo()).alive(); }));
}

TEST_CASE("process: an idle transaction ends after its limit") {
  Proxy own({{"LIMITS", "idle_in_transaction_timeout: 500ms"}});
  Wire idle = own.wire();
  Wire waiting = own.wire();
  waiting.send(query("begin; insert into items values (9603, 'idle', 1)"));
  CHECK_EQ(waiting.until_ready().back().payload, "T");
  const auto goodbye = waiting.read();
  REQUIRE(goodbye);
  CHECK_EQ(error_field(*goodbye, 'S') + " " + error_field(*goodbye, 'C'), "FATAL 25P03");
  CHECK(waiting.ends());
  idle.send(query("select count(*) from items where id = 9603"));
  CHECK_EQ(lines(idle.until_ready()).at(1), "DataRow \"0\"");
}

TEST_CASE("http: pages and counters") {
  Proxy own;
  CHECK(contains(own.http("/healthz"), "200 OK"));
  CHECK(eventually([&] { return contains(own.http("/readyz"), "200 OK"); }));
  CHECK(contains(own.http("/nothing"), "404"));
  const std::string page = own.http("/");
  CHECK(contains(page, "200 OK"));
  for (const char* word : {"shop", "s1", "s4"}) CHECK_MESSAGE(contains(page, word), word);
  for (const char* secret : {"app-secret", "limited-secret", "md5"}) CHECK_FALSE(contains(page, secret));

  const auto statements = [&](const std::string& plan) {
    return own.metric("anabranch_statement_seconds_count", plan);
  };
  const double relays = statements("Relay");
  const double scatters = statements("Scatter");
  const double splits = statements("Split");
  const double broadcasts = statements("Broadcast");
  Client client(own.conninfo());
  for (int i = 0; i < 5; ++i) CHECK_EQ(client.run("select note from items where id = 1").value(), "i1");
  for (int i = 0; i < 3; ++i) CHECK_EQ(client.run("select count(*) from items").value(), "20");
  CHECK(client.run("insert into items values (9701, 'a', 1), (9702, 'b', 1)").ok());
  CHECK(client.run("delete from items where id > 9700").ok());
  CHECK_EQ(statements("Relay"), relays + 5);
  CHECK_EQ(statements("Scatter"), scatters + 3);
  CHECK_EQ(statements("Split") + statements("Broadcast"), splits + broadcasts + 2);
  const double errors = own.metric("anabranch_errors_total", "22012");
  CHECK_FALSE(client.run("select 1/0").ok());
  CHECK_EQ(own.metric("anabranch_errors_total", "22012"), errors + 1);
  CHECK_EQ(own.metric("anabranch_clients"), 1);
  CHECK(own.metric("anabranch_plan_cache_hits_total") > 0);
  CHECK(own.metric("anabranch_server_connections", "s1") >= 1);
}

TEST_CASE("http: bad requests cost nothing") {
  Proxy own;
  for (const std::string& bytes : {std::string("rubbish\r\n\r\n"), std::string(100'000, 'x'),
                                   "GET /" + std::string(50'000, 'a') + " HTTP/1.1\r\n\r\n",
                                   std::string("POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
                                   std::string("GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n")}) {
    Wire wire(own.http_port());
    wire.send(bytes);
    wire.close();
  }
  CHECK(contains(own.http("/healthz"), "200 OK"));
  CHECK_FALSE(contains(own.http("/../../../../etc/passwd"), "root:"));
}

}  // namespace faults
