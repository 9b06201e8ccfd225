#include <doctest/doctest.h>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include <cstdlib>

#include "world.h"

/// What no client should send, and clients that go away: each costs its own session only.
namespace faults {

namespace {

/// The error that ends a connection which said this first.
std::string refusal(std::string_view first) {
  Wire wire(proxy().port());
  wire.send(first);
  const auto answer = wire.read();
  if (!answer) return "closed";
  return answer->type == 'E' ? error_field(*answer, 'S') + " " + error_field(*answer, 'C')
                             : std::string("answered ") + answer->type;
}

std::string login_failure(const std::string& conninfo) {
  const Client client(conninfo);
  if (client.alive()) return "let in";
  return client.problem();
}

std::string login_failure(const std::string& user, const std::string& password, const std::string& database) {
  return login_failure(fmt::format("host=127.0.0.1 port={} user={} password={} dbname={}", proxy().port(), user,
                                   password, database));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void check_healthy() {
  Client client(proxy().conninfo());
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

/// Open leases that no session holds: everything open is idle again.
bool leases_come_back() {
  return eventually([] {
    return proxy().metric("anabranch_server_connections") ==
           proxy().metric("anabranch_server_connections_idle");
  });
}

std::string startup_of(const std::string& user, const std::string& database) {
  return startup(3 << 16, {{"user", user}, {"database", database}});
}

}  // namespace

TEST_CASE("bad messages: startup packets") {
  CHECK_EQ(refusal(int32(3)), "closed");
  CHECK_EQ(refusal(int32(-1) + "rubbish"), "closed");
  CHECK_EQ(refusal(int32(10'001) + std::string(9'997, 'x')), "closed");
  CHECK_EQ(refusal("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "closed");
  CHECK_EQ(refusal(int32(8) + int32(2 << 16)), "FATAL 0A000");
  CHECK_EQ(refusal(int32(8) + int32(3 << 16)), "FATAL 08P01");
  CHECK_EQ(refusal(startup(2 << 16, {{"user", "app"}})), "FATAL 0A000");
  CHECK_EQ(refusal(startup(4 << 16, {{"user", "app"}})), "FATAL 0A000");
  // Neither end nor pairs as they should be.
  const std::string unended = int32(3 << 16) + text("user") + "app";
  CHECK_EQ(refusal(int32(static_cast<int>(unended.size()) + 4) + unended), "FATAL 08P01");
  CHECK_EQ(refusal(startup(3 << 16, {})), "FATAL 28000");
  check_healthy();
}

TEST_CASE("bad messages: a newer minor version is negotiated") {
  Wire wire(proxy().port());
  wire.send(startup((3 << 16) + 2, {{"user", "wire"}, {"database", "shop"}, {"_pq_.something", "on"}}));
  const auto answer = wire.read();
  REQUIRE(answer);
  CHECK_EQ(answer->type, 'v');
  CHECK_EQ(answer->payload, int32(3 << 16) + int32(1) + text("_pq_.something"));
  CHECK_EQ(wire.read()->type, 'R');
}

TEST_CASE("bad messages: replication and encryption requests") {
  CHECK(contains(login_failure(proxy().conninfo("replication=database")), "replication"));
  Wire wire(proxy().port());
  wire.send(int32(8) + int32(80877104));  // GSSENCRequest
  CHECK_EQ(wire.read_byte(), 'N');
  wire.send(int32(8) + int32(80877103));  // SSLRequest
  CHECK_EQ(wire.read_byte(), 'N');
  wire.send(startup_of("wire", "shop"));
  CHECK_EQ(wire.read()->type, 'R');
  check_healthy();
}

TEST_CASE("bad messages: TLS") {
  const std::string folder = std::getenv("FAULTS_WORK");
  const std::string make = fmt::format(
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {0}/tls.key -out {0}/tls.crt "
      ">/dev/null 2>&1",
      folder);
  REQUIRE_EQ(std::system(make.c_str()), 0);
  const std::string files = fmt::format("certificate: \"{0}/tls.crt\", key: \"{0}/tls.key\"", folder);
  Proxy own({{"TLS", "tls: {mode: require, " + files + "}"}});
  Client client(own.conninfo("sslmode=require"));
  REQUIRE_MESSAGE(client.alive(), client.problem());
  CHECK(PQsslInUse(client.get()));
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
  CHECK_EQ(client.run("select sum(length(repeat('x', 1000000) || n)) from items").value(), "20000051");
  CHECK_EQ(client.run("select repeat('x', 3000000)").value(), std::string(3'000'000, 'x'));
  CHECK(contains(login_failure(own.conninfo("sslmode=disable")), "connections without TLS are not permitted"));
  // Plain bytes sent along with the request for TLS must not be read as if they had come encrypted.
  Wire injected(own.port());
  injected.send(int32(8) + int32(80877103) + startup_of("wire", "shop"));
  const char answer = injected.read_byte();
  CHECK((answer == 'S' || answer == 'E' || answer == 0));
  CHECK(injected.ends());
  // A handshake that is none.
  Wire garbage(own.port());
  garbage.send(int32(8) + int32(80877103));
  CHECK_EQ(garbage.read_byte(), 'S');
  garbage.send(std::string(2000, 'g'));
  CHECK(garbage.ends());
  CHECK_EQ(client.run("select 'still there'").value(), "still there");
}

TEST_CASE("bad messages: who may come in") {
  CHECK(contains(login_failure("app", "wrong", "shop"), "password authentication failed for user \"app\""));
  CHECK(contains(login_failure("nobody", "wrong", "shop"), "password authentication failed for user \"nobody\""));
  CHECK(contains(login_failure("app", "app-secret", "nowhere"), "database \"nowhere\" does not exist"));
  CHECK(contains(login_failure("app", "app-secret", "other"), "permission denied for database \"other\""));
  CHECK(contains(login_failure("limited", "limited-secret", "shop"), "permission denied for database \"shop\""));
  CHECK(contains(login_failure("app", "app-secret", "anabranch"), "permission denied for database \"anabranch\""));
  // A stranger learns nothing about databases.
  CHECK(contains(login_failure("nobody", "wrong", "nowhere"), "password authentication failed for user \"nobody\""));
  CHECK(contains(login_failure(proxy().conninfo("options='-c no_such_setting=1'")), "no_such_setting"));
  CHECK(contains(login_failure(proxy().conninfo("options='-c work_mem=lots'")), "work_mem"));

  for (const char* user : {"app", "nobody", "wire"}) {
    Wire wire(proxy().port());
    wire.send(startup_of(user, "shop"));
    REQUIRE_EQ(wire.read()->type, 'R');
    wire.send(message('p', text("md5rubbish")));
    const auto answer = wire.read();
    REQUIRE(answer);
    CHECK_EQ(answer->type, 'E');
    const std::string state = error_field(*answer, 'C');
    CHECK_MESSAGE((state == "28P01" || state == "08P01"), user, " ", state);
    CHECK(wire.ends());
  }
  // What is no password message; one that is too long.
  Wire query_first(proxy().port());
  query_first.send(startup_of("app", "shop") + query("select 1"));
  query_first.read();
  const auto answer = query_first.read();
  CHECK((!answer || error_field(*answer, 'S') == "FATAL"));
  Wire long_password(proxy().port());
  long_password.send(startup_of("app", "shop") + "p" + int32(1 << 29) + std::string(100'000, 'p'));
  CHECK(long_password.ends());
  check_healthy();
}

TEST_CASE("bad messages: in a session") {
  const auto fatal = [](std::string_view bytes) -> std::string {
    Wire wire = proxy().wire();
    wire.send(bytes);
    wire.send(query("select 'must not be answered'"));
    std::string state = "closed";
    while (const auto next = wire.read()) {
      if (next->type == 'E') state = error_field(*next, 'S') + " " + error_field(*next, 'C');
      if (next->type == 'D') state = "answered";
    }
    return state;
  };
  CHECK_EQ(fatal(std::string("Q") + int32(3)), "FATAL 08P01");
  CHECK_EQ(fatal(std::string("Q") + int32(0)), "FATAL 08P01");
  CHECK_EQ(fatal(std::string("Q") + int32(-5)), "FATAL 08P01");
  CHECK_EQ(fatal(std::string("Q") + int32(0x7FFFFFFF)), "FATAL 08P01");
  CHECK_EQ(fatal(std::string("Q") + int32((1 << 30) + (1 << 20))), "FATAL 08P01");
  CHECK_EQ(fatal(message('!', "what")), "FATAL 08P01");
  CHECK_EQ(fatal(message('\0', "")), "FATAL 08P01");
  check_healthy();

  // Well framed and badly filled: an error, and the session goes on.
  const auto survives = [](const std::string& bytes) -> std::string {
    Wire wire = proxy().wire();
    wire.send(bytes + sync());
    std::string state;
    for (const WireMessage& one : wire.until_ready()) {
      if (one.type == 'E') state = error_field(one, 'S') + " " + error_field(one, 'C');
    }
    if (bytes[0] == 'Q' || bytes[0] == 'F') wire.until_ready();
    wire.send(query("select 'next'"));
    CHECK_EQ(lines(wire.until_ready()).at(1), "DataRow \"next\"");
    return state;
  };
  CHECK_EQ(survives(message('Q', "select 1")), "ERROR 08P01");
  CHECK_EQ(survives(message('Q', "")), "ERROR 08P01");
  CHECK_EQ(survives(message('Q', text("select 1") + "more")), "ERROR 08P01");
  CHECK_EQ(survives(message('P', "")), "ERROR 08P01");
  CHECK_EQ(survives(message('P', text("") + text("select 1") + int16(100))), "ERROR 08P01");
  CHECK_EQ(survives(message('P', text("") + text("select 1") + int16(-1))), "ERROR 08P01");
  const std::string good = parse("", "select $1::text");
  CHECK_EQ(survives(good + message('B', text("") + text("") + int16(0) + int16(1) + int32(50) + "short")),
           "ERROR 08P01");
  CHECK_EQ(survives(good + message('B', text("") + text("") + int16(0) + int16(1) + int32(-7) + int16(0))),
           "ERROR 08P01");
  CHECK_EQ(survives(good + message('B', text("") + text("") + int16(0) + int16(30000))), "ERROR 08P01");
  CHECK_EQ(survives(good + message('B', text("") + text("") + int16(2) + int16(0) + int16(0) + int16(1) + int32(1) +
                                            "x" + int16(0))),
           "ERROR 08P01");
  CHECK_EQ(survives(good + message('B', text("") + text("") + int16(1) + int16(7) + int16(1) + int32(1) + "x" +
                                            int16(0)) + execute("")),
           "ERROR 22023");
  CHECK_EQ(survives(message('D', "X" + text(""))), "ERROR 08P01");
  CHECK_EQ(survives(message('D', "")), "ERROR 08P01");
  CHECK_EQ(survives(message('C', "?" + text(""))), "ERROR 08P01");
  CHECK_EQ(survives(message('E', text(""))), "ERROR 08P01");
  CHECK_EQ(survives(message('F', int32(0) + int16(0) + int16(0) + int16(0))), "ERROR 0A000");
}

TEST_CASE("vanishing clients: during the login") {
  const std::string first = startup_of("wire", "shop");
  for (std::size_t bytes = 0; bytes <= first.size(); bytes += 3) {
    Wire wire(proxy().port());
    wire.send(std::string_view(first).substr(0, bytes));
    wire.close(bytes % 2 == 0);
  }
  for (int i = 0; i < rounds(40); ++i) {
    Wire wire(proxy().port());
    wire.send(first);
    wire.read();
    wire.close(i % 2 == 0);
  }
  check_healthy();
  CHECK(leases_come_back());
}

TEST_CASE("vanishing clients: in the middle of answers, pipelines and transactions") {
  const std::string large = "select g, repeat('x', 1000) from generate_series(1, 200000) g";
  const std::vector<std::string> last_words = {
      query(large),
      query("select i.id, repeat('x', 1000000) from items i"),
      query("begin; insert into items values (9001, 'never', 1)"),
      query("begin; select count(*) from items; select pg_sleep(0.2)"),
      query("insert into items values (9001, 'a', 1), (9002, 'b', 1); select pg_sleep(0.3), 1/0"),
      query("copy items from stdin") + message('d', "9001\tnever\t1\n9002\tnever"),
      query("copy notes from stdin") + message('d', "9001\tnever\n9002\tnever"),
      parse("", large) + bind_portal("", "") + execute("", 10) + message('H', ""),
      parse("", "select id from items where id = $1") + bind_portal("", "", {"1"}) + execute(""),
      std::string("Q") + int32(1'000'000) + "select 1",
  };
  for (int round = 0; round < rounds(8); ++round) {
    for (const std::string& words : last_words) {
      Wire wire = proxy().wire();
      wire.send(words);
      if (round % 2 == 0) wire.readable(2000);
      wire.close(round % 4 < 2);
    }
  }
  check_healthy();
  CHECK(leases_come_back());
  CHECK(eventually([] { return proxy().metric("anabranch_clients") == 0; }));
  CHECK_EQ(on_all_shards("select count(*) from items where id >= 9000"), 0);
  CHECK_EQ(on_shard(1, "select count(*) from notes where id >= 9000"), "0");
}

}  // namespace faults
