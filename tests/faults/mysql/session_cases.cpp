#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "servers.h"

/// What MySQL's clients do to the proxy, and what the proxy's reload and end do to them.
namespace faults::mysql {

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string count_of(Client& client) { return client.run("select count(*) from items").value(); }

/// A command's packet, with its header.
std::string packet(const std::string& payload, int sequence = 0) {
  std::string bytes;
  for (int shift = 0; shift < 24; shift += 8) bytes += static_cast<char>(payload.size() >> shift & 0xFF);
  return bytes + static_cast<char>(sequence) + payload;
}

void send_raw(Client& client, const std::string& bytes) {
  const int fd = mysql_get_socket(client.get());
  REQUIRE_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

/// What comes next; empty at the end of the stream.
std::string receive_raw(Client& client) {
  char bytes[4096];
  const ssize_t got = recv(mysql_get_socket(client.get()), bytes, sizeof bytes, 0);
  return got > 0 ? std::string(bytes, static_cast<std::size_t>(got)) : std::string();
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x} ", static_cast<unsigned char>(byte));
  return text;
}

/// It is neither an error nor the end of the stream.
bool is_taken(const std::string& reply) { return reply.size() > 4 && reply[4] != '\xFF'; }

}  // namespace

TEST_CASE("mysql: an internal error ends the session that it is thrown in, and no other") {
  // A sanitizer has its own operator new.
  if (std::getenv("FAULTS_SANITIZED") != nullptr) return;
  Proxy own(over_mysql({{preload, FAULTS_INJECT}}));
  Client bystander(own.port());
  REQUIRE(bystander.run("begin").ok());
  REQUIRE(bystander.run("insert into items values (9702, 'stays', 1)").ok());
  struct Injected {
    std::size_t length;
    const char* words;
  };
  for (const auto& [length, words] : {Injected{5'000'050, "bad_alloc"}, {5'100'050, "injected"}, {5'200'050, "unknown type"}}) {
    for (const bool prepared : {false, true}) {
      CAPTURE(words);
      CAPTURE(prepared);
      Client victim(own.port());
      REQUIRE(victim.run("begin").ok());
      REQUIRE(victim.run("insert into items values (9701, 'goes', 1)").ok());
      const std::string head = "select id, 'secret";
      const std::string tail = "' from items";
      const std::string sql = head + std::string(length - head.size() - tail.size(), 'x') + tail;
      const Answer answer = prepared ? Prepared(victim, sql).prepared() : victim.run(sql);
      CHECK_MESSAGE((answer.error == 1815 && answer.sqlstate == "XX000"), answer.value());
      CHECK_MESSAGE(contains(answer.message, words), answer.message);
      CHECK_FALSE(victim.alive());
    }
  }
  REQUIRE(own.running());
  CHECK(eventually([] { return on_all_shards("select count(*) from information_schema.innodb_trx") <= 1; }));
  CHECK(bystander.run("commit").ok());
  CHECK_EQ(bystander.run("select note from items where id = 9702").value(), "stays");
  CHECK_EQ(bystander.run("select count(*) from items where id = 9701").value(), "0");
  CHECK_EQ(bystander.run("delete from items where id = 9702").affected, 1);
  CHECK(eventually([&] { return own.metric("anabranch_clients") == 1; }));
  CHECK(contains(own.log(), "the session ends by an internal error"));
  CHECK_FALSE(contains(own.log(), "secret"));
}

TEST_CASE("mysql: a pool that is exhausted") {
  Proxy own(over_mysql({{"POOL_SIZE", "2"}, {"WAIT_TIMEOUT", "500ms"}}));
  Client first(own.port());
  Client second(own.port());
  Client third(own.port());
  for (Client* client : {&first, &second}) {
    REQUIRE(client->run("begin").ok());
    REQUIRE_EQ(client->run("select note from items where id = 2").value(), "i2");
  }
  const Answer answer = third.run("select note from items where id = 2");
  CHECK_MESSAGE((answer.error == 1040 && answer.sqlstate == "53300"), answer.value());
  CHECK_MESSAGE(contains(answer.message, "s3"), answer.message);
  // Another shard is not concerned, and it goes on.
  CHECK_EQ(third.run("select note from items where id = 1").value(), "i1");
  CHECK(first.run("commit").ok());
  CHECK_EQ(third.run("select note from items where id = 2").value(), "i2");
  CHECK(second.run("commit").ok());
}

TEST_CASE("mysql: what lingers on connections makes no sessions wait for each other") {
  Proxy own(over_mysql({{"POOL_SIZE", "1"}, {"WAIT_TIMEOUT", "20s"}}));
  // A statement that leaves a warning keeps its connection, until the end of the next one. Shards have a second
  // connection for who holds one of another shard.
  const auto linger = [](Client& client, int id) {
    REQUIRE(client.run(fmt::format("select cast('x' as signed) from items where id = {}", id)).ok());
    REQUIRE_EQ(mysql_warning_count(client.get()), 1);
  };
  for (int round = 0; round < 10; ++round) {
    Client clients[] = {Client(own.port()), Client(own.port()), Client(own.port()), Client(own.port())};
    linger(clients[0], 2);
    linger(clients[1], 4);
    linger(clients[2], 3);
    linger(clients[2], 2);
    linger(clients[3], 1);
    linger(clients[3], 3);
    linger(clients[3], 4);
    Answer answers[4];
    std::vector<std::thread> asking;
    for (int i = 0; i < 4; ++i) {
      const int there = i % 2 == 0 ? 4 : 2;
      asking.emplace_back([&, i, there] { answers[i] = clients[i].run(fmt::format("select note from items where id = {}", there)); });
    }
    for (std::thread& one : asking) one.join();
    for (int i = 0; i < 4; ++i) CHECK_EQ(answers[i].value(), i % 2 == 0 ? "i4" : "i2");
  }
}

TEST_CASE("mysql: a reload under prepared statements") {
  Proxy own(over_mysql());
  Client client(own.port());
  Client open(own.port());
  Prepared point(client, "select note from items where id = ?");
  Prepared several(client, "select id from items where id > ? order by id limit 3");
  REQUIRE_EQ(point.execute({2}).value(), "i2");
  REQUIRE_EQ(several.execute({4}).value(), "5");
  REQUIRE(open.run("begin").ok());
  REQUIRE(open.run("insert into items values (9603, 'open', 1)").ok());
  REQUIRE(own.reload(own.map(over_mysql({{"POOL_SIZE", "7"}, {"LIMITS", "statement_timeout: 60s"}}))));
  CHECK_EQ(point.execute({2}).value(), "i2");
  CHECK_EQ(point.execute({5}).value(), "i5");
  CHECK_EQ(several.execute({7}).value(), "8");
  CHECK(open.run("commit").ok());
  CHECK_EQ(client.run("delete from items where id = 9603").affected, 1);
  CHECK_FALSE(own.reload(own.map(over_mysql({{"POOL_SIZE", "none"}}))));
  CHECK_EQ(point.execute({2}).value(), "i2");
}

TEST_CASE("mysql: SIGTERM drains") {
  Proxy own(over_mysql());
  Client busy(own.port());
  Client idle(own.port());
  Client reading(own.port());
  REQUIRE(busy.run("begin").ok());
  REQUIRE(busy.run("insert into items values (9601, 'drained', 1)").ok());
  REQUIRE_EQ(count_of(idle), "20");
  Reading rows(reading, "select id, filler from big");
  REQUIRE(rows.read(20));
  own.signal(SIGTERM);
  // Each loop drains when it hears of it: that one closed its listener says nothing about another's sessions.
  std::string goodbye;
  for (std::string some; !(some = receive_raw(idle)).empty();) goodbye += some;
  CHECK_MESSAGE(contains(goodbye, "08S01Server shutdown in progress"), hex(goodbye));
  CHECK(eventually([&] { return !Client(own.port()).alive(); }));
  // What is under way ends well.
  const Answer end = rows.end();
  CHECK_MESSAGE(end.ok(), end.value());
  CHECK_EQ(rows.seen(), 6000);
  CHECK_EQ(busy.run("select note from items where id = 9601").value(), "drained");
  CHECK(busy.run("commit").ok());
  CHECK_EQ(own.ended(), 0);
  CHECK_EQ(on_all_shards("select count(*) from shop.items where id = 9601"), 1);
  CHECK(Client(proxy().port()).run("delete from items where id = 9601").ok());
}

TEST_CASE("mysql: SIGINT ends at once") {
  Proxy own(over_mysql());
  Client busy(own.port());
  REQUIRE(busy.run("begin").ok());
  REQUIRE(busy.run("insert into items values (9602, 'lost', 1)").ok());
  own.signal(SIGINT);
  CHECK_EQ(own.ended(), 0);
  CHECK_FALSE(busy.run("commit").ok());
  CHECK(eventually([] { return on_all_shards("select count(*) from shop.items where id = 9602") == 0; }));
}

TEST_CASE("mysql: packets that no client sends") {
  Client bystander(proxy().port());
  const std::string bad[] = {
      packet(""),                                      // no command
      packet("\x03select 1", 7),                       // out of order
      packet(std::string("\xFE", 1)),                  // no such command
      packet(std::string("\x17\x01", 2)),              // COM_STMT_EXECUTE, cut short
      packet(std::string("\x17\x01\0\0\0\0\x01\0\0\0", 10)),  // of a statement that there is not
      packet(std::string("\x1C\x01", 2)),              // COM_STMT_FETCH, cut short
      packet(std::string("\x11zzzz", 5)),              // COM_CHANGE_USER without an end
      packet(std::string("\x03", 1)),                  // an empty statement
      packet("\x03select '" + std::string("\xFF\xFE\x00'", 4)),
  };
  for (const std::string& bytes : bad) {
    Client client(proxy().port());
    REQUIRE(client.run("begin").ok());
    REQUIRE(client.run("insert into items values (9901, 'bad', 1)").ok());
    send_raw(client, bytes);
    // Where a server does not take it: an error, or the end of the connection; never silence.
    Client plain(shard(1).port(), "root", "");
    send_raw(plain, bytes);
    const bool taken = is_taken(receive_raw(plain));
    CHECK_MESSAGE(is_taken(receive_raw(client)) == taken, hex(bytes));
  }
  // Long lengths are not believed: nothing is taken for what has not come.
  {
    Client client(proxy().port());
    send_raw(client, std::string("\xFF\xFF\xFF\x00\x03", 5) + "select");
    shutdown(mysql_get_socket(client.get()), SHUT_WR);
    CHECK(receive_raw(client).empty());
  }
  REQUIRE(proxy().running());
  CHECK(eventually([&] { return on_all_shards("select count(*) from information_schema.innodb_trx") == 0; }));
  CHECK_EQ(count_of(bystander), "20");
}

TEST_CASE("mysql: a client goes away in the middle of a large answer") {
  Proxy own(over_mysql());
  Client bystander(own.port());
  for (const char* sql : {"select id, filler from big", "select id, filler from big order by id",
                          "select filler from big where id in (2, 6, 10, 14, 18, 22)"}) {
    for (int i = 0; i < 3; ++i) {
      CAPTURE(i);
      Client client(own.port());
      send_raw(client, packet("\x03" + std::string(sql)));
      REQUIRE_FALSE(receive_raw(client).empty());
      // With what has not been read, that is a reset.
      shutdown(mysql_get_socket(client.get()), SHUT_RDWR);
    }
    CHECK_EQ(count_of(bystander), "20");
  }
  CHECK(eventually([&] { return own.metric("anabranch_clients") == 1; }));
  // No server goes on with what nobody wants.
  CHECK(eventually([] {
    return on_all_shards("select count(*) from information_schema.processlist where user = 'app' and info like '%big%'") == 0;
  }));
  CHECK_EQ(count_of(bystander), "20");
}

TEST_CASE("mysql: KILL of a statement and of a session") {
  Client client(proxy().port());
  Client other(proxy().port());
  for (const char* sql : {"select sleep(60) from items where id = 2", "update items set n = n + sleep(60) where id = 2"}) {
    Answer answer;
    std::thread asking([&] { answer = client.run(sql); });
    CHECK(eventually([&] {
      return shard(3).run("select count(*) from information_schema.processlist where info like '%sleep(60)%' and user = 'app'").value() == "1";
    }));
    CHECK(other.run(fmt::format("kill query {}", client.id())).ok());
    asking.join();
    // SLEEP() answers 1 where it is interrupted.
    CHECK_MESSAGE((answer.error == 1317 || answer.value() == "1" || answer.affected == 0), answer.value());
    CHECK_EQ(count_of(client), "20");
  }
  CHECK_EQ(client.run("select n from items where id = 2").value(), "20");
  CHECK(client.run("begin").ok());
  CHECK(client.run("insert into items values (9801, 'killed', 1)").ok());
  CHECK(other.run(fmt::format("kill {}", client.id())).ok());
  CHECK(eventually([&] { return !client.alive(); }));
  CHECK(eventually([] { return on_all_shards("select count(*) from shop.items where id = 9801") == 0; }));
  CHECK_EQ(count_of(other), "20");
}

}  // namespace faults::mysql
