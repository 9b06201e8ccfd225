#include "net/socket.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "net/loop.h"
#include "tls_material.h"

using namespace anabranch::net;
using namespace std::chrono_literals;

namespace {

struct Pair {
  Socket left;
  Socket right;
};

Pair make_pair(int buffer_bytes = 0) {
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  for (int fd : fds) {
    if (buffer_bytes == 0) break;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  }
  return {Socket(UniqueFd(fds[0])), Socket(UniqueFd(fds[1]))};
}

char byte_at(std::size_t position) {
  return static_cast<char>((position * 2654435761u) >> 13);
}

Task<void> produce(Socket& socket, std::size_t total, std::size_t chunk, std::size_t& most_queued) {
  std::size_t sent = 0;
  while (sent < total) {
    const std::size_t size = std::min(chunk, total - sent);
    char* place = socket.out().grow(size);
    for (std::size_t i = 0; i < size; ++i) place[i] = byte_at(sent + i);
    sent += size;
    most_queued = std::max(most_queued, socket.queued());
    IoResult flushed = co_await socket.flush();
    REQUIRE(flushed);
  }
  IoResult flushed = co_await socket.flush_all();
  REQUIRE(flushed);
}

Task<void> consume(Socket& socket, std::size_t total, std::size_t& wrong, std::size_t& most_held) {
  std::size_t got = 0;
  while (got < total) {
    IoResult filled = co_await socket.fill();
    REQUIRE(filled);
    const std::string_view bytes = socket.received();
    most_held = std::max(most_held, bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) wrong += bytes[i] != byte_at(got + i);
    got += bytes.size();
    socket.consume(bytes.size());
    if (got % 7 == 0) co_await yield();
  }
  CHECK(got == total);
}

Task<void> transfer_both_ways(Pair& pair, std::size_t total) {
  std::size_t wrong = 0;
  std::size_t queued[2] = {0, 0};
  std::size_t held[2] = {0, 0};
  co_await when_all(
      produce(pair.left, total, 50'000, queued[0]), produce(pair.right, total, 70'000, queued[1]),
      consume(pair.left, total, wrong, held[0]), consume(pair.right, total, wrong, held[1]));
  CHECK(wrong == 0);
  // Back-pressure: neither queue nor read buffer may grow with what is transferred.
  CHECK(std::max(queued[0], queued[1]) <= Socket::high_mark + 70'000);
  CHECK(std::max(held[0], held[1]) <= 256 * 1024);
}

Task<std::string> read_exactly(Socket& socket, std::size_t bytes) {
  while (socket.received().size() < bytes) {
    IoResult filled = co_await socket.fill(bytes);
    REQUIRE(filled);
  }
  std::string result(socket.received().substr(0, bytes));
  socket.consume(bytes);
  co_return result;
}

Task<NetError::Kind> fill_error(Socket& socket, CancelToken token = {}) {
  IoResult filled = co_await socket.fill(0, token);
  REQUIRE_FALSE(filled.has_value());
  co_return filled.error().kind;
}

Task<void> secure(Pair& pair, std::shared_ptr<TlsContext> server,
                  std::shared_ptr<TlsContext> client, std::string host, IoResult& server_result,
                  IoResult& client_result) {
  auto accept = [](Socket& s, std::shared_ptr<TlsContext> c, IoResult& r) -> Task<void> {
    r = co_await s.start_tls_server(std::move(c));
    if (!r) s.close();
  };
  auto connect = [](Socket& s, std::shared_ptr<TlsContext> c, std::string h,
                    IoResult& r) -> Task<void> {
    r = co_await s.start_tls_client(std::move(c), std::move(h));
    if (!r) s.close();
  };
  co_await when_all(accept(pair.left, std::move(server), server_result),
                    connect(pair.right, std::move(client), std::move(host), client_result));
}

}  // namespace

TEST_CASE("addresses are read and printed") {
  CHECK(Address::parse("10.0.0.1:5432")->host == "10.0.0.1");
  CHECK(Address::parse("[::1]:5432")->host == "::1");
  CHECK(Address::parse("[::1]:5432")->to_string() == "[::1]:5432");
  CHECK(Address::parse("/run/x/.s.PGSQL.5432")->is_unix());
  for (const char* broken : {"", "host", "host:", ":1", "host:70000", "host:1x", "::1:5"}) {
    CAPTURE(broken);
    CHECK_FALSE(Address::parse(broken).has_value());
  }
}

TEST_CASE("bytes arrive, and views stay valid until the next fill") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair pair = make_pair();
    pair.left.write("first");
    CHECK(pair.left.queued() == 5);
    CHECK(co_await pair.left.flush());
    CHECK(pair.left.queued() == 0);
    CHECK(co_await read_exactly(pair.right, 2) == "fi");
    const std::string_view rest = pair.right.received();
    pair.left.write(std::string(10'000, 'x'));
    CHECK(co_await pair.left.flush());
    co_await sleep(5ms);  // more arrives behind what is being looked at
    CHECK(rest == "rst");
    CHECK(pair.right.received().substr(0, 3) == "rst");
    CHECK((co_await read_exactly(pair.right, 10'003)).size() == 10'003);
  };
  block_on(loop, body());
}

TEST_CASE("64 MiB go both ways at once through small system buffers") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair pair = make_pair(4096);
    co_await transfer_both_ways(pair, 64u << 20);
  };
  block_on(loop, body());
}

TEST_CASE("TLS: 64 MiB go both ways at once through small system buffers") {
  Loop loop;
  const TlsMaterial material;
  auto body = [](const TlsMaterial& tls) -> Task<void> {
    Pair pair = make_pair(4096);
    IoResult served;
    IoResult connected;
    co_await secure(pair, tls.server(), tls.client(true), "localhost", served, connected);
    REQUIRE(served);
    REQUIRE(connected);
    CHECK(pair.left.is_tls());
    CHECK(pair.left.tls_version() == "TLSv1.3");
    CHECK(pair.left.channel_binding().size() == 32);
    CHECK(pair.left.channel_binding() == pair.right.channel_binding());
    co_await transfer_both_ways(pair, 64u << 20);
  };
  block_on(loop, body(material));
}

TEST_CASE("TLS: a message that ends inside a record already decrypted is not waited for") {
  Loop loop;
  const TlsMaterial material;
  auto body = [](const TlsMaterial& tls) -> Task<void> {
    Pair pair = make_pair();
    IoResult served;
    IoResult connected;
    co_await secure(pair, tls.server(), tls.client(false), "localhost", served, connected);
    const std::string text(100'000, 'r');
    pair.left.write(text);
    auto send = [](Socket& s) -> Task<void> { REQUIRE(co_await s.flush_all()); };
    auto receive = [](Socket& s, std::size_t size) -> Task<void> {
      // Small steps stop the reading again and again at full buffers.
      for (std::size_t got = 0; got < size; got += 1000) {
        CHECK((co_await read_exactly(s, 1000)).size() == 1000);
        if (got % 5000 == 0) co_await yield();
      }
    };
    co_await when_all(send(pair.left), receive(pair.right, text.size()));
  };
  block_on(loop, body(material));
}

TEST_CASE("TLS: the certificate and its name are checked where that is asked for") {
  Loop loop;
  const TlsMaterial material("db.example");
  const TlsMaterial other("db.example");
  struct Case {
    std::shared_ptr<TlsContext> client;
    std::string host;
    bool good;
  };
  const Case cases[] = {
      {material.client(true), "db.example", true}, {material.client(true), "127.0.0.1", true},
      {material.client(true), "127.0.0.2", false}, {material.client(true), "evil.example", false},
      {other.client(true), "db.example", false},   {other.client(false), "whatever", true}};
  auto body = [](const TlsMaterial& tls, const Case& one) -> Task<void> {
    Pair pair = make_pair();
    IoResult served;
    IoResult connected;
    co_await secure(pair, tls.server(), one.client, one.host, served, connected);
    CHECK(connected.has_value() == one.good);
    if (connected) co_return;
    CHECK(connected.error().kind == NetError::Kind::tls);
    CHECK(connected.error().message.find("certificate refused") == 0);
  };
  for (const Case& one : cases) {
    CAPTURE(one.host);
    block_on(loop, body(material, one));
  }
}

TEST_CASE("TLS: a client's certificate gives its common name") {
  Loop loop;
  const TlsMaterial server;
  const TlsMaterial client("alice");
  auto body = [](const TlsMaterial& ours, const TlsMaterial& theirs) -> Task<void> {
    Pair pair = make_pair();
    IoResult served;
    IoResult connected;
    auto context =
        TlsContext::client({"", theirs.certificate_file, theirs.key_file, false}).value();
    co_await secure(pair, ours.server(theirs.certificate_file), context, "localhost", served,
                    connected);
    REQUIRE(served);
    CHECK(pair.left.peer_common_name() == "alice");
    Pair plain = make_pair();
    CHECK(plain.left.peer_common_name().empty());
    CHECK(plain.left.channel_binding().empty());
  };
  block_on(loop, body(server, client));
}

TEST_CASE("TLS: a peer that speaks no TLS is an error, not a hang") {
  Loop loop;
  const TlsMaterial material;
  auto body = [](const TlsMaterial& tls) -> Task<void> {
    Pair pair = make_pair();
    pair.right.write("SELECT 1; what is this?");
    CHECK(co_await pair.right.flush());
    IoResult served = co_await pair.left.start_tls_server(tls.server());
    REQUIRE_FALSE(served.has_value());
    CHECK(served.error().kind == NetError::Kind::tls);

    Pair early = make_pair();
    early.right.write("smuggled");
    CHECK(co_await early.right.flush());
    CHECK(co_await early.left.fill());
    IoResult refused = co_await early.left.start_tls_client(tls.client(false), "localhost");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == NetError::Kind::protocol);

    Pair gone = make_pair();
    gone.right.close();
    CHECK_FALSE((co_await gone.left.start_tls_server(tls.server())).has_value());

    Pair silent = make_pair();
    CancelSource source;
    source.cancel_after(2ms);
    IoResult late = co_await silent.left.start_tls_server(tls.server(), source.token());
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().kind == NetError::Kind::timed_out);
  };
  block_on(loop, body(material));
}

TEST_CASE("TLS: a handshake may begin in what has been received") {
  Loop loop;
  const TlsMaterial material;
  auto body = [](const TlsMaterial& tls, std::size_t read_early) -> Task<void> {
    Pair pair = make_pair();
    auto client = [](Pair& both, const TlsMaterial& from) -> Task<void> {
      both.right.write("request!");
      CHECK(co_await both.right.flush());
      CHECK(co_await both.right.start_tls_client(from.client(true), "localhost"));
      both.right.write("secret");
      CHECK(co_await both.right.flush_all());
      CHECK(co_await read_exactly(both.right, 6) == "answer");
    };
    auto server = [](Pair& both, const TlsMaterial& from, std::size_t early) -> Task<void> {
      while (both.left.received().size() < early) REQUIRE(co_await both.left.fill());
      CHECK(both.left.received().substr(0, 8) == "request!");
      both.left.consume(8);
      REQUIRE(co_await both.left.start_tls_server(from.server()));
      CHECK(both.left.is_tls());
      CHECK(co_await read_exactly(both.left, 6) == "secret");
      both.left.write("answer");
      CHECK(co_await both.left.flush_all());
    };
    co_await when_all(client(pair, tls), server(pair, tls, read_early));
  };
  for (const std::size_t read_early : {8, 9, 100}) {
    CAPTURE(read_early);
    block_on(loop, body(material, read_early));
  }
  auto plain = []() -> Task<void> {
    const TlsMaterial tls;
    Pair pair = make_pair();
    pair.right.write("this is no TLS at all");
    CHECK(co_await pair.right.flush());
    CHECK(co_await pair.left.fill());
    IoResult served = co_await pair.left.start_tls_server(tls.server());
    REQUIRE_FALSE(served.has_value());
    CHECK(served.error().kind == NetError::Kind::tls);
  };
  block_on(loop, plain());
}

TEST_CASE("the end of the stream comes after the last bytes; half-closed sockets still send") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair pair = make_pair();
    pair.left.write("half");
    pair.left.shutdown();
    CHECK(co_await read_exactly(pair.right, 4) == "half");
    CHECK(co_await fill_error(pair.right) == NetError::Kind::closed);
    CHECK(pair.right.at_end());
    pair.right.write("answer");
    CHECK(co_await pair.right.flush());
    CHECK(co_await read_exactly(pair.left, 6) == "answer");
    pair.right.close();
    CHECK(co_await fill_error(pair.left) == NetError::Kind::closed);
  };
  block_on(loop, body());
}

TEST_CASE("writing to a peer that has gone fails, and fails again") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair pair = make_pair();
    pair.right.close();
    pair.left.write("anybody?");
    IoResult flushed = co_await pair.left.flush();
    REQUIRE_FALSE(flushed.has_value());
    CHECK(flushed.error().kind == NetError::Kind::failed);
    CHECK(pair.left.error() != nullptr);
    CHECK_FALSE(pair.left.send_now());
    CHECK(co_await fill_error(pair.left) == NetError::Kind::failed);
  };
  block_on(loop, body());
}

TEST_CASE("closing, moving and destroying a socket while coroutines wait on it") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair pair = make_pair(4096);
    auto socket = std::make_unique<Socket>(std::move(pair.left));
    NetError::Kind read_outcome{};
    NetError::Kind write_outcome{};
    auto reader = [](Socket& s, NetError::Kind& kind) -> Task<void> {
      kind = co_await fill_error(s);
    };
    auto writer = [](Socket& s, NetError::Kind& kind) -> Task<void> {
      s.write(std::string(1 << 20, 'w'));
      IoResult flushed = co_await s.flush();
      REQUIRE_FALSE(flushed.has_value());
      kind = flushed.error().kind;
    };
    auto destroyer = [](std::unique_ptr<Socket>& s) -> Task<void> {
      co_await yield();
      Socket moved(std::move(*s));
      s.reset();
      co_await yield();
    };
    co_await when_all(reader(*socket, read_outcome), writer(*socket, write_outcome),
                      destroyer(socket));
    CHECK(read_outcome == NetError::Kind::closed);
    CHECK(write_outcome == NetError::Kind::closed);
  };
  block_on(loop, body());
}

TEST_CASE("a socket destroyed between being woken and being resumed") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair pair = make_pair();
    auto socket = std::make_unique<Socket>(std::move(pair.left));
    Signal both;
    pair.right.watch(&both);
    NetError::Kind outcome{};
    auto reader = [](Socket& s, NetError::Kind& kind) -> Task<void> {
      kind = co_await fill_error(s);
    };
    // Both become ready in one round; the destroyer registered first and is resumed first.
    auto destroyer = [](Socket& wake, std::unique_ptr<Socket>& s, Signal& signal) -> Task<void> {
      wake.start_reading();
      (void)co_await signal.wait();
      s.reset();
    };
    auto trigger = [](Socket& to_reader, int fd) -> Task<void> {
      co_await yield();
      to_reader.write("both");
      CHECK(to_reader.send_now());
      CHECK(::send(fd, "wake", 4, 0) == 4);
    };
    const int fd = socket->fd();
    co_await when_all(destroyer(pair.right, socket, both), reader(*socket, outcome),
                      trigger(pair.right, fd));
    CHECK(outcome == NetError::Kind::closed);
    pair.right.watch(nullptr);
  };
  block_on(loop, body());
}

TEST_CASE("waits on a socket can be cancelled, and the socket goes on working") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair pair = make_pair();
    CancelSource source;
    source.cancel_after(2ms);
    CHECK(co_await fill_error(pair.left, source.token()) == NetError::Kind::timed_out);
    pair.right.write("later");
    CHECK(co_await pair.right.flush());
    CHECK(co_await read_exactly(pair.left, 5) == "later");

    Pair small = make_pair(4096);
    small.left.write(std::string(1 << 20, 'b'));
    CancelSource stop;
    stop.cancel_after(2ms);
    IoResult flushed = co_await small.left.flush(stop.token());
    REQUIRE_FALSE(flushed.has_value());
    CHECK(flushed.error().kind == NetError::Kind::timed_out);
    CHECK((co_await read_exactly(small.right, 1 << 20)).size() == 1 << 20);
    CHECK(co_await small.left.flush_all());
  };
  block_on(loop, body());
}

TEST_CASE("one coroutine waits for several sockets through a signal") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair first = make_pair();
    Pair second = make_pair();
    Signal signal;
    first.left.watch(&signal);
    second.left.watch(&signal);
    auto peer = [](Socket& a, Socket& b) -> Task<void> {
      for (int i = 0; i < 50; ++i) {
        Socket& chosen = i % 3 ? a : b;
        chosen.write("0123456789");
        CHECK(chosen.send_now());
        co_await yield();
      }
      a.close();
      b.close();
    };
    auto waiter = [](Socket& a, Socket& b, Signal& s, std::size_t& total) -> Task<void> {
      while (!a.at_end() || !b.at_end()) {
        for (Socket* socket : {&a, &b}) {
          total += socket->received().size();
          socket->consume(socket->received().size());
          if (!socket->at_end()) socket->start_reading();
        }
        CHECK(co_await s.wait() == Wait::ready);
      }
      total += a.received().size() + b.received().size();
    };
    std::size_t total = 0;
    co_await when_all(waiter(first.left, second.left, signal, total),
                      peer(first.right, second.right));
    CHECK(total == 500);
  };
  block_on(loop, body());
}

TEST_CASE("an idle socket holds no buffers, and a big message's memory comes as it arrives") {
  Loop loop;
  auto body = []() -> Task<void> {
    Pair pair = make_pair();
    auto waiting = [](Socket& s) -> Task<void> {
      // A length that promises a gigabyte must not cost one.
      while (s.received().size() < 5'000) REQUIRE(co_await s.fill(1u << 30));
      CHECK(s.received().size() == 5'000);
    };
    auto sending = [](Socket& s) -> Task<void> {
      s.write(std::string(5'000, 'm'));
      CHECK(s.out().capacity() == Buffer::pooled_bytes);
      CHECK(co_await s.flush());
      CHECK(s.out().capacity() == 0);
    };
    co_await when_all(waiting(pair.left), sending(pair.right));
  };
  block_on(loop, body());
}

TEST_CASE("listening, accepting and connecting over TCP and Unix sockets") {
  Loop loop;
  auto body = [](Address address) -> Task<void> {
    auto listener = Listener::open(address);
    REQUIRE(listener);
    if (!address.is_unix()) address.port = listener->port();
    auto serve = [](Listener& from) -> Task<void> {
      auto fd = co_await from.accept();
      REQUIRE(fd);
      Socket socket(std::move(*fd));
      CHECK(co_await read_exactly(socket, 4) == "ping");
      socket.write("pong");
      CHECK(co_await socket.flush_all());
    };
    auto ask = [](Address to) -> Task<void> {
      auto socket = co_await connect_socket(to);
      REQUIRE(socket);
      CHECK(socket->peer() == (to.is_unix() ? "unix" : to.to_string()));
      socket->write("ping");
      CHECK(co_await socket->flush());
      CHECK(co_await read_exactly(*socket, 4) == "pong");
    };
    co_await when_all(serve(*listener), ask(address));

    auto closer = [](Listener& of) -> Task<void> {
      co_await yield();
      of.close();
    };
    auto last = [](Listener& from) -> Task<void> {
      auto fd = co_await from.accept();
      REQUIRE_FALSE(fd.has_value());
      CHECK(fd.error().kind == NetError::Kind::closed);
    };
    co_await when_all(last(*listener), closer(*listener));
    auto refused = co_await connect_socket(address);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == NetError::Kind::failed);
  };
  block_on(loop, body(Address{"127.0.0.1", 0}));
  const std::string path = "/tmp/anabranch-socket-" + std::to_string(::getpid());
  block_on(loop, body(Address{path, 0}));
  ::unlink(path.c_str());
}

TEST_CASE("a name is resolved away from the loop; one without an address is an error") {
  Loop loop;
  auto body = []() -> Task<void> {
    auto listener = Listener::open(Address{"127.0.0.1", 0});
    REQUIRE(listener);
    auto socket = co_await connect_socket(Address{"localhost", listener->port()});
    CHECK(socket.has_value());
    auto nowhere = co_await connect_socket(Address{"no-such-host.invalid", 1});
    REQUIRE_FALSE(nowhere.has_value());
    CHECK(nowhere.error().kind == NetError::Kind::resolve);
  };
  block_on(loop, body());
}
