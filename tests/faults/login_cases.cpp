#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tls_wire.h"
#include "world.h"

/// Everything between accept() and ReadyForQuery, and clients that do nothing after it.
namespace faults {

namespace {

const std::string ssl_request = int32(8) + int32(80877103);
const std::string gss_request = int32(8) + int32(80877104);
const std::string postgresql_alpn = "\x0apostgresql";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string startup_of(const std::string& user, const std::string& database) {
  return startup(3 << 16, {{"user", user}, {"database", database}});
}

std::string said(const std::optional<WireMessage>& answer) {
  if (!answer) return "closed";
  return answer->type == 'E' ? error_field(*answer, 'S') + " " + error_field(*answer, 'C')
                             : std::string("answered ") + answer->type;
}

std::string refusal(const Proxy& own, std::string_view first) {
  Wire wire(own.port());
  wire.send(first);
  return said(wire.read());
}

std::string login_failure(const std::string& conninfo) {
  const Client client(conninfo);
  return client.alive() ? "let in" : client.problem();
}

std::string as(const Proxy& own, const std::string& user, const std::string& password, const std::string& more = "") {
  return fmt::format("host=127.0.0.1 port={} user={} password={} dbname=shop {}", own.port(), user, password, more);
}

void run_shell(const std::string& command) { REQUIRE_MESSAGE(std::system(command.c_str()) == 0, command); }

std::string work() { return std::getenv("FAULTS_WORK"); }

/// A certificate for the proxy itself.
std::string own_tls(const std::string& more = "") {
  const std::string folder = work();
  run_shell(fmt::format("[ -f {0}/own.crt ] || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
                        "-keyout {0}/own.key -out {0}/own.crt >/dev/null 2>&1",
                        folder));
  return fmt::format("tls: {{mode: prefer, certificate: \"{0}/own.crt\", key: \"{0}/own.key\"{1}}}", folder, more);
}

/// The server's first SCRAM message to a client that calls itself so.
std::string scram_challenge(const std::string& user) {
  Wire wire(proxy().port());
  wire.send(startup_of(user, "shop"));
  const auto request = wire.read();
  REQUIRE(request);
  CHECK_EQ(request->payload, int32(10) + text("SCRAM-SHA-256") + std::string(1, '\0'));
  const std::string first = "n,,n=,r=abcdefghijklmnop";
  wire.send(message('p', text("SCRAM-SHA-256") + int32(static_cast<int>(first.size())) + first));
  const auto challenge = wire.read();
  REQUIRE(challenge);
  REQUIRE_EQ(challenge->type, 'R');
  return challenge->payload.substr(4);
}

std::string attribute(const std::string& challenge, const std::string& name) {
  const std::size_t at = challenge.find("," + name + "=");
  const std::size_t begin = at + name.size() + 2;
  return at == std::string::npos ? "" : challenge.substr(begin, challenge.find(',', begin) - begin);
}

void check_healthy(const Proxy& own) {
  Client client(own.conninfo());
  REQUIRE_MESSAGE(client.alive(), client.problem());
  CHECK_EQ(client.run("select count(*) from items").value(), "20");
}

}  // namespace

TEST_CASE("login: connections that do not log in are bounded") {
  Proxy own({{"LIMITS", "unauthenticated_connections: 3"}});
  Client before(own.conninfo());
  std::vector<std::unique_ptr<Wire>> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(std::make_unique<Wire>(own.port()));
  CHECK(eventually([&] { return own.metric("anabranch_connections_total") == 4; }));
  for (int i = 0; i < 5; ++i) {
    Wire over(own.port());
    CHECK_EQ(said(over.read()), "FATAL 53300");
    CHECK(over.ends());
  }
  CHECK(own.metric("anabranch_connections_refused_total") >= 5);
  CHECK(contains(own.log(), "limits.unauthenticated_connections"));
  CHECK_EQ(before.run("select 1").value(), "1");
  silent.clear();
  CHECK(eventually([&] { return Client(own.conninfo()).alive(); }));
}

TEST_CASE("login: a handshake that takes too long ends") {
  Proxy own({{"LIMITS", "authentication_timeout: 1s"}, {"TLS", own_tls()}});
  Client before(own.conninfo());
  const std::string first = startup_of("app", "shop");
  Wire silent(own.port());
  Wire half(own.port());
  half.send(first.substr(0, 11));
  Wire before_tls(own.port());
  before_tls.send(ssl_request);
  Wire in_tls(own.port());
  in_tls.send("\x16\x03\x01");
  Wire before_password(own.port());
  before_password.send(first);
  Wire in_password(own.port());
  in_password.send(first + "p" + int32(100) + "SCRAM");
  for (Wire* wire : {&silent, &half, &before_tls, &in_tls, &before_password, &in_password}) CHECK(wire->ends());
  CHECK(contains(own.log(), "limits.authentication_timeout is over"));
  CHECK_EQ(before.run("select 1").value(), "1");
  check_healthy(own);
}

TEST_CASE("login: messages before the password is right are short") {
  Wire scram(proxy().port());
  scram.send(startup_of("app", "shop"));
  REQUIRE_EQ(scram.read()->type, 'R');
  scram.send(message('p', text("SCRAM-SHA-256") + int32(2000) + std::string(2000, 'n')));
  CHECK(scram.ends());
  Wire md5(proxy().port());
  md5.send(startup_of("wire", "shop"));
  REQUIRE_EQ(md5.read()->type, 'R');
  md5.send(message('p', text(std::string(2000, '5'))));
  CHECK(md5.ends());
  check_healthy(proxy());
}

TEST_CASE("login: who guesses passwords waits, nobody else does") {
  Proxy own;
  const auto delayed = [&] { return own.metric("anabranch_logins_delayed_total"); };
  for (int i = 0; i < 4; ++i) CHECK(contains(login_failure(as(own, "limited", "wrong")), "password authentication"));
  CHECK_EQ(delayed(), 2);
  check_healthy(own);
  CHECK_EQ(delayed(), 2);
  CHECK(contains(login_failure(as(own, "limited", "limited-secret")), "permission denied"));
  CHECK_EQ(delayed(), 3);
  CHECK(contains(login_failure(as(own, "limited", "limited-secret")), "permission denied"));
  CHECK_EQ(delayed(), 3);
  CHECK(contains(own.log(), "turned away: password authentication failed for user \"limited\""));
  CHECK(contains(own.log(), "client 127.0.0.1:"));
}

TEST_CASE("login: a stranger looks like a user") {
  const std::string known = scram_challenge("app");
  const std::string stranger = scram_challenge("nobody");
  CHECK_EQ(attribute(known, "i"), attribute(stranger, "i"));
  CHECK_EQ(attribute(known, "s").size(), attribute(stranger, "s").size());
  CHECK_EQ(attribute(scram_challenge("nobody"), "s"), attribute(stranger, "s"));
  CHECK_EQ(attribute(scram_challenge("app"), "s"), attribute(known, "s"));
  CHECK_NE(attribute(scram_challenge("nobody2"), "s"), attribute(stranger, "s"));
}

TEST_CASE("login: a log line is one line") {
  CHECK(contains(login_failure(as(proxy(), "'x\n2026-01-01 I forged'", "wrong")), "password authentication"));
  CHECK(eventually([] { return contains(proxy().log(), "x\\x0a2026-01-01 I forged"); }));
  CHECK_FALSE(contains(proxy().log(), "\n2026-01-01 I forged"));
}

TEST_CASE("login: requests for encryption") {
  Proxy with({{"TLS", own_tls()}});
  for (const Proxy* own : {&proxy(), &with}) {
    // Bytes behind the request came in the open, and must not be read as if they had not.
    CHECK_EQ(refusal(*own, ssl_request + startup_of("wire", "shop")), "FATAL 08P01");
    CHECK_EQ(refusal(*own, gss_request + startup_of("wire", "shop")), "FATAL 08P01");
    Wire gss(own->port());
    gss.send(gss_request);
    CHECK_EQ(gss.read_byte(), 'N');
    gss.send(gss_request);
    CHECK_EQ(said(gss.read()), "FATAL 0A000");
    check_healthy(*own);
  }
  Wire twice(proxy().port());
  twice.send(ssl_request);
  CHECK_EQ(twice.read_byte(), 'N');
  twice.send(ssl_request);
  CHECK_EQ(said(twice.read()), "FATAL 0A000");
  TlsWire inside(with.port(), {});
  REQUIRE(inside.up());
  inside.send(ssl_request);
  CHECK_EQ(said(inside.read()), "FATAL 0A000");
}

TEST_CASE("login: direct TLS") {
  Proxy with({{"TLS", own_tls()}});
  TlsWire direct(with.port(), {.direct = true, .alpn = postgresql_alpn});
  REQUIRE(direct.up());
  direct.send(startup_of("app", "shop"));
  const auto request = direct.read();
  REQUIRE(request);
  CHECK_EQ(request->payload, int32(10) + text("SCRAM-SHA-256-PLUS") + text("SCRAM-SHA-256") + std::string(1, '\0'));

  TlsWire unnamed(with.port(), {.direct = true});
  CHECK_EQ(said(unnamed.read()), "FATAL 08P01");
  TlsWire other(with.port(), {.direct = true, .alpn = "\x08http/1.1"});
  CHECK(other.ends());
  CHECK_FALSE(other.read());
  TlsWire negotiated(with.port(), {.alpn = "\x08http/1.1"});
  CHECK_FALSE(negotiated.read());
  TlsWire named(with.port(), {.alpn = postgresql_alpn});
  named.send(startup_of("app", "shop"));
  CHECK_EQ(said(named.read()), "answered R");
  // Where there is no certificate, it is just not the protocol.
  TlsWire nowhere(proxy().port(), {.direct = true, .alpn = postgresql_alpn});
  CHECK_FALSE(nowhere.up());
  check_healthy(with);
}

TEST_CASE("login: channel binding") {
  Proxy own({{"TLS", own_tls()}});
  Client bound(own.conninfo("sslmode=require channel_binding=require"));
  REQUIRE_MESSAGE(bound.alive(), bound.problem());
  CHECK(Client(own.conninfo("sslmode=require channel_binding=disable")).alive());
  // md5 cannot bind, and a client that insists must not be talked out of it.
  CHECK(contains(login_failure(as(own, "wire", "wire-secret", "sslmode=require channel_binding=require")),
                 "channel binding"));
  CHECK(Client(as(own, "wire", "wire-secret", "sslmode=require channel_binding=prefer")).alive());
  // "y": the client could bind and believes that this side cannot. Somebody took the offer away.
  TlsWire fooled(own.port(), {});
  fooled.send(startup_of("app", "shop"));
  REQUIRE_EQ(said(fooled.read()), "answered R");
  const std::string first = "y,,n=,r=abcdefghijklmnop";
  fooled.send(message('p', text("SCRAM-SHA-256") + int32(static_cast<int>(first.size())) + first));
  CHECK_EQ(said(fooled.read()), "FATAL 08P01");
}

TEST_CASE("login: versions and options of the protocol") {
  const auto answer = [](int version, const std::vector<std::pair<std::string, std::string>>& more) {
    std::vector<std::pair<std::string, std::string>> all = {{"user", "wire"}, {"database", "shop"}};
    all.insert(all.end(), more.begin(), more.end());
    return refusal(proxy(), startup(version, all));
  };
  CHECK_EQ(answer(3 << 16, {}), "answered R");
  CHECK_EQ(answer((3 << 16) + 2, {}), "answered v");
  CHECK_EQ(answer(3 << 16, {{"_pq_.thing", "1"}}), "answered v");
  CHECK_EQ(answer(2 << 16, {}), "FATAL 0A000");
  CHECK_EQ(answer(4 << 16, {}), "FATAL 0A000");
  CHECK_EQ(answer(3 << 16, {{"replication", "off"}}), "answered R");
  CHECK_EQ(answer(3 << 16, {{"replication", "database"}}), "FATAL 0A000");
  CHECK_EQ(answer(3 << 16, {{"replication", "perhaps"}}), "FATAL 22023");
  CHECK_EQ(answer(3 << 16, {{"options", "-Z"}}), "FATAL 22023");
}

TEST_CASE("login: names and settings of the startup packet") {
  const std::string problem = login_failure(fmt::format(
      "host=127.0.0.1 port={} user=app password=app-secret dbname={}", proxy().port(), std::string(70, 'n')));
  CHECK_MESSAGE(contains(problem, fmt::format("database \"{}\" does not exist", std::string(63, 'n'))), problem);
  CHECK(contains(login_failure(proxy().conninfo("client_encoding=klingon")), "client_encoding"));
  Client quoted(proxy().conninfo("options='-c application_name=two\\\\ words -c work_mem=5MB'"));
  REQUIRE_MESSAGE(quoted.alive(), quoted.problem());
  CHECK_EQ(quoted.run("show work_mem").value(), "5MB");
  CHECK_EQ(quoted.run("select current_setting('application_name') from items where id = 2").value(), "two words");
}

TEST_CASE("login: cancel requests") {
  const std::string code = int32(80877102);
  const auto answer = [](const std::string& bytes) {
    Wire wire(proxy().port());
    wire.send(bytes);
    return wire.read_byte();
  };
  CHECK_EQ(answer(int32(12) + code + int32(1)), '\0');
  CHECK_EQ(answer(int32(20) + code + int32(1) + int32(2) + int32(3)), '\0');
  CHECK_EQ(answer(int32(16) + code + int32(1) + int32(2)), '\0');
  CHECK_EQ(answer(int32(16) + code + int32(-1) + int32(-1)), '\0');
  CHECK_EQ(answer(int32(16) + code + int32(0x7FFFFFFF) + int32(2)), '\0');
  Wire victim = proxy().wire();
  CHECK_EQ(answer(int32(16) + code + int32(victim.process) + int32(victim.secret ^ 1)), '\0');
  victim.send(query("select 'not cancelled'"));
  CHECK_EQ(lines(victim.until_ready()).at(1), "DataRow \"not cancelled\"");
}

TEST_CASE("login: client certificates") {
  const std::string folder = work();
  const auto make_ca = [&](const std::string& name) {
    run_shell(fmt::format("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={1} -keyout {0}/{1}.key -out "
                          "{0}/{1}.crt >/dev/null 2>&1",
                          folder, name));
  };
  const auto sign = [&](const std::string& name, const std::string& subject, const std::string& ca, int days) {
    run_shell(fmt::format("cd {0} && openssl req -newkey rsa:2048 -nodes -subj {2} -keyout {1}.key -out {1}.csr "
                          ">/dev/null 2>&1 && openssl x509 -req -in {1}.csr -CA {3}.crt -CAkey {3}.key "
                          "-CAcreateserial -days {4} -out {1}.crt >/dev/null 2>&1 && chmod 600 {1}.key",
                          folder, name, subject, ca, days));
  };
  make_ca("right-ca");
  make_ca("wrong-ca");
  sign("good", "/CN=certified", "right-ca", 2);
  sign("stranger", "/CN=somebody", "right-ca", 2);
  sign("unnamed", "/O=nobody", "right-ca", 2);
  sign("foreign", "/CN=certified", "wrong-ca", 2);
  sign("expired", "/CN=certified", "right-ca", -1);
  Proxy own({{"TLS", own_tls(fmt::format(", client_ca: \"{}/right-ca.crt\"", folder))},
             {"USERS", "  - {name: certified, certificate: certified, databases: [shop]}\n"
                       "  - {name: both, password: both-secret, certificate: certified, databases: [shop]}"}});
  const auto with = [&](const std::string& user, const std::string& password, const std::string& name) {
    return as(own, user, password,
              fmt::format("sslmode=require sslcert={0}/{1}.crt sslkey={0}/{1}.key", folder, name));
  };
  Client good(with("certified", "none", "good"));
  REQUIRE_MESSAGE(good.alive(), good.problem());
  CHECK_EQ(good.run("select count(*) from items").value(), "20");
  CHECK(Client(with("both", "both-secret", "good")).alive());
  CHECK(contains(login_failure(with("both", "wrong", "good")), "password authentication failed"));
  CHECK(contains(login_failure(with("both", "both-secret", "stranger")), "certificate authentication failed"));
  for (const char* other : {"stranger", "unnamed"}) {
    CHECK(contains(login_failure(with("certified", "none", other)), "password authentication failed"));
  }
  for (const char* refused : {"foreign", "expired"}) {
    const std::string problem = login_failure(with("certified", "none", refused));
    CHECK_MESSAGE((problem != "let in" && !contains(problem, "password authentication")), refused, problem);
  }
  // No certificate at all, and no TLS at all.
  CHECK(contains(login_failure(as(own, "certified", "none", "sslmode=require")), "password authentication failed"));
  CHECK(contains(login_failure(as(own, "certified", "none", "sslmode=disable")), "password authentication failed"));
  CHECK(contains(login_failure(as(own, "both", "both-secret", "sslmode=disable")), "certificate authentication failed"));
  CHECK(Client(own.conninfo("sslmode=require")).alive());
}

TEST_CASE("login: a MySQL hash is no password") {
  // SHA1(SHA1("secret")).
  const std::string hash = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
  Proxy own({{"TLS", own_tls()}, {"USERS", fmt::format("  - {{name: hashed, password: \"{}\", databases: [shop]}}", hash)}});
  Client right(as(own, "hashed", "secret", "sslmode=require"));
  REQUIRE_MESSAGE(right.alive(), right.problem());
  CHECK_EQ(right.run("select count(*) from items").value(), "20");
  CHECK(contains(login_failure(as(own, "hashed", "wrong", "sslmode=require")), "password authentication failed"));
  CHECK(contains(login_failure(as(own, "hashed", "'" + hash + "'", "sslmode=require")), "password authentication failed"));
  CHECK(contains(login_failure(as(own, "hashed", "secret", "sslmode=disable")), "password authentication failed"));
  CHECK(contains(login_failure(as(own, "hashed", "'" + hash + "'", "sslmode=disable")), "password authentication failed"));
}

TEST_CASE("login: users that a server knows") {
  Client root(shard(1).conninfo("postgres"));
  REQUIRE(root.alive());
  for (const char* sql :
       {"set password_encryption = 'scram-sha-256'", "create role scram_user login password 'scram-pw'",
        "create role no_login password 'no-pw'", "create role no_password login",
        "create role outdated login password 'old-pw' valid until '2001-01-01'", "set password_encryption = 'md5'",
        "create role md5_user login password 'md5-pw'", "set password_encryption = 'scram-sha-256'",
        "create role limited login password 'other-secret'"}) {
    REQUIRE_MESSAGE(root.run(sql).ok(), sql);
  }
  {
    Proxy own({{"AUTHENTICATION", "authentication: {user: postgres, cache_time: 1h}"}});
    Client scram(as(own, "scram_user", "scram-pw"));
    REQUIRE_MESSAGE(scram.alive(), scram.problem());
    CHECK_EQ(scram.run("select count(*) from items").value(), "20");
    CHECK(Client(as(own, "md5_user", "md5-pw")).alive());
    check_healthy(own);
    for (const char* user : {"no_login", "no_password", "outdated", "unheard_of"}) {
      CHECK(contains(login_failure(as(own, user, "no-pw")), "password authentication failed"));
    }
    CHECK(contains(login_failure(as(own, "outdated", "old-pw")), "password authentication failed"));
    CHECK(contains(login_failure(as(own, "no_login", "no-pw")), "password authentication failed"));
    // Who is listed is not asked for.
    CHECK(contains(login_failure(as(own, "limited", "other-secret")), "password authentication failed"));
    // The console is for listed administrators.
    CHECK(contains(login_failure(fmt::format("host=127.0.0.1 port={} user=scram_user password=scram-pw dbname=anabranch",
                                             own.port())),
                   "password authentication failed"));
    // A new password: the old answer is kept for an hour, but not when it does not fit.
    REQUIRE(root.run("alter role scram_user password 'new-pw'").ok());
    // Each of the two loops keeps its own.
    int refused = 0;
    for (int i = 0; i < 6; ++i) refused += Client(as(own, "scram_user", "new-pw")).alive() ? 0 : 1;
    CHECK_LE(refused, 2);
    for (int i = 0; i < 4; ++i) CHECK(Client(as(own, "scram_user", "new-pw")).alive());
    CHECK(contains(login_failure(as(own, "scram_user", "scram-pw")), "password authentication failed"));
    // All at once: they share the question.
    std::atomic<int> in = 0;
    std::vector<std::thread> many;
    for (int i = 0; i < 20; ++i) many.emplace_back([&] { in += Client(as(own, "md5_user", "md5-pw")).alive() ? 1 : 0; });
    for (std::thread& one : many) one.join();
    CHECK_EQ(in, 20);
  }
  {
    // What goes wrong there is not told to strangers, and does not count as a wrong password.
    Proxy own({{"AUTHENTICATION", "authentication: {user: postgres, query: \"select secret from no_such_table where name = $1\"}"}});
    for (int i = 0; i < 3; ++i) {
      const std::string problem = login_failure(as(own, "scram_user", "new-pw"));
      CHECK(contains(problem, "its users cannot be asked for"));
      CHECK_FALSE(contains(problem, "no_such_table"));
    }
    CHECK(contains(own.log(), "no_such_table"));
    CHECK_EQ(own.metric("anabranch_logins_delayed_total"), 0);
    check_healthy(own);
  }
  {
    // The password itself, over TLS only: it opens servers that are entered under the client's name.
    Proxy own({{"TLS", own_tls()},
               {"AUTHENTICATION", "authentication: {user: postgres, method: cleartext}"},
               {"DATABASES", fmt::format("  theirs:\n    backend: {{database: shop, tls: disable}}\n    shards: {{only: {{primary: "
                                         "\"127.0.0.1:{}\"}}}}\n    default_shard: only",
                                         shard(1).port())}});
    const auto theirs = [&](const std::string& password, const std::string& mode) {
      return fmt::format("host=127.0.0.1 port={} user=scram_user password={} dbname=theirs sslmode={}", own.port(),
                         password, mode);
    };
    Client known(theirs("new-pw", "require"));
    REQUIRE_MESSAGE(known.alive(), known.problem());
    CHECK_EQ(known.run("select current_user").value(), "scram_user");
    CHECK(contains(login_failure(theirs("wrong", "require")), "password authentication failed"));
    CHECK(contains(login_failure(theirs("", "require")), "password"));
    CHECK_FALSE(Client(theirs("new-pw", "disable")).alive());
    check_healthy(own);
  }
  for (const char* role : {"scram_user", "no_login", "no_password", "outdated", "md5_user", "limited"}) {
    root.run(fmt::format("drop role {}", role));
  }
}

TEST_CASE("login: a full pool holds nobody up") {
  Proxy own({{"POOL_SIZE", "1"}, {"WAIT_TIMEOUT", "300ms"}});
  Client holder(own.conninfo());
  REQUIRE(holder.run("begin").ok());
  REQUIRE(holder.run("select count(*) from pg_class").ok());
  std::vector<std::unique_ptr<Client>> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(std::make_unique<Client>(own.conninfo()));
    REQUIRE_MESSAGE(others.back()->alive(), others.back()->problem());
    CHECK_EQ(std::string(PQparameterStatus(others.back()->get(), "server_encoding")), "UTF8");
  }
  CHECK_EQ(others[0]->run("select note from items where id = 1").value(), "i1");
  REQUIRE(holder.run("commit").ok());
  // Settings of its own are asked for, and so is their error told.
  Client set(own.conninfo("options='-c timezone=Asia/Tokyo'"));
  CHECK_EQ(std::string(PQparameterStatus(set.get(), "TimeZone")), "Asia/Tokyo");
  CHECK_EQ(std::string(PQparameterStatus(others[0]->get(), "TimeZone")), "UTC");
  CHECK(contains(login_failure(own.conninfo("options='-c work_mem=lots'")), "work_mem"));
}

TEST_CASE("login: thousands of idle clients") {
  const int count = rounds(5000);
  rlimit limit{};
  REQUIRE_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  REQUIRE(limit.rlim_max > static_cast<rlim_t>(count) + 500);
  Proxy own({{"POOL_SIZE", "8"}});
  {
    std::vector<std::unique_ptr<Client>> warm;
    for (int i = 0; i < 64; ++i) warm.push_back(std::make_unique<Client>(own.conninfo()));
    for (const auto& client : warm) CHECK_EQ(client->run("select count(*) from items").value(), "20");
  }
  const double before = own.resident();
  std::vector<std::unique_ptr<Wire>> idle;
  for (int i = 0; i < count; ++i) {
    idle.push_back(std::make_unique<Wire>(own.port(), "wire", "wire-secret", "shop"));
    idle.back()->send(query("select note from items where id = 1"));
    CHECK_EQ(lines(idle.back()->until_ready()).at(1), "DataRow \"i1\"");
  }
  CHECK_EQ(own.metric("anabranch_clients"), count);
  CHECK(own.metric("anabranch_server_connections") <= 32);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> busy;
  for (int i = 0; i < 64; ++i) {
    busy.emplace_back([&own, &wrong, i] {
      Client client(own.conninfo());
      for (int round = 0; round < rounds(40); ++round) {
        const int key = (i + round) % 20 + 1;
        const auto one = client.run(fmt::format("select note from items where id = {}", key));
        if (one.value() != fmt::format("i{}", key)) ++wrong;
        if (round % 10 == 0 && client.run("select count(*) from items").value() != "20") ++wrong;
      }
    });
  }
  for (std::thread& thread : busy) thread.join();
  CHECK_EQ(wrong, 0);
  for (int i = 0; i < count; i += 500) {
    idle[static_cast<std::size_t>(i)]->send(query("select note from items where id = 2"));
    CHECK_EQ(lines(idle[static_cast<std::size_t>(i)]->until_ready()).at(1), "DataRow \"i2\"");
  }
  const auto kib_each = [&] { return (own.resident() - before) * 1024 / count; };
  const bool small = std::getenv("FAULTS_SANITIZED") || eventually([&] { return kib_each() <= 8; }, std::chrono::seconds(30));
  CHECK_MESSAGE(small, kib_each(), " KiB for each idle client");
  MESSAGE(kib_each(), " KiB for each idle client");
}

}  // namespace faults
