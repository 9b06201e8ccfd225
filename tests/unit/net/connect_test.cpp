#include "net/pg/connect.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "net/loop.h"
#include "net/pg/auth_server_conversation.h"
#include "tls_material.h"

using namespace anabranch::net;
using namespace anabranch::net::pg;
using namespace std::chrono_literals;

namespace {

/// A server of one connection: TLS if it has a context, authentication, a greeting; then `query` is
/// answered by its own text, until the client goes.
struct Server {
  std::shared_ptr<TlsContext> tls;
  std::string secret = "secret";
  std::size_t close_after_bytes = 0;  // cut the greeting there, to fail in the middle
};

Task<void> serve(Server server, Listener& listener) {
  auto fd = co_await listener.accept();
  REQUIRE(fd);
  Socket socket(std::move(*fd));
  auto first = co_await read_startup(socket);
  if (!first) co_return;
  if (startup_code(first->payload).value() == ssl_request_code) {
    socket.write(server.tls ? "S" : "N");
    CHECK(co_await socket.flush());
    if (server.tls) {
      if (!co_await socket.start_tls_server(server.tls)) co_return;
    }
    first = co_await read_startup(socket);
    if (!first) co_return;
  }
  const auto startup = StartupMessage::decode(first->payload);
  REQUIRE(startup);
  AuthServerConversation auth({AuthServerConversation::Method::scram,
                               std::string(startup->parameter("user")), server.secret,
                               socket.channel_binding(), "nonce"});
  auto state = auth.start(socket.out());
  while (state == AuthServerConversation::State::reading) {
    CHECK(co_await socket.flush());
    auto message = co_await read_message(socket, {}, max_unauthenticated_bytes);
    if (!message) co_return;
    state = auth.resume(*message, socket.out());
  }
  if (state == AuthServerConversation::State::failed) {
    ErrorResponse(auth.error()).encode(socket.out());
    (void)co_await socket.flush_all();
    co_return;
  }
  ParameterStatus{"server_encoding", "UTF8"}.encode(socket.out());
  BackendKeyData{7, 8}.encode(socket.out());
  ReadyForQuery{'I'}.encode(socket.out());
  if (server.close_after_bytes > 0) socket.out().truncate(server.close_after_bytes);
  CHECK(co_await socket.flush_all());
  if (server.close_after_bytes > 0) co_return;
  for (;;) {
    auto message = co_await read_message(socket);
    if (!message) co_return;
    socket.write(message->raw);
    CHECK(co_await socket.flush());
  }
}

using Result = std::expected<BackendLink, ConnectError>;

Task<void> ask(ConnectOptions options, std::optional<ConnectError>& failure) {
  Result link = co_await connect(std::move(options));
  if (!link) {
    failure = std::move(link.error());
    co_return;
  }
  CHECK(link->process == 7);
  CHECK(link->secret == 8);
  CHECK(link->parameters.front().first == "server_encoding");
  Query{"echo"}.encode(link->socket.out());
  CHECK(co_await link->socket.flush());
  auto echoed = co_await read_message(link->socket);
  REQUIRE(echoed);
  CHECK(trace(Direction::from_frontend, *echoed) == "F Query \"echo\"");
}

std::optional<ConnectError> run(Server server, ConnectOptions options) {
  Loop loop;
  auto listener = Listener::open(Address{"127.0.0.1", 0});
  REQUIRE(listener);
  options.address = Address{"127.0.0.1", listener->port()};
  options.user = "alice";
  options.database = "shop";
  std::optional<ConnectError> failure;
  block_on(loop, when_all(serve(std::move(server), *listener), ask(std::move(options), failure)));
  return failure;
}

ConnectOptions with(TlsMode mode, std::shared_ptr<TlsContext> context, std::string password) {
  ConnectOptions options;
  options.tls = mode;
  options.tls_context = std::move(context);
  options.password = std::move(password);
  return options;
}

}  // namespace

TEST_CASE("connecting: every TLS mode against servers with and without TLS") {
  const TlsMaterial material;
  const auto server = material.server();
  const auto plain = material.client(false);
  const auto strict = material.client(true);
  CHECK_FALSE(run({server}, with(TlsMode::disable, nullptr, "secret")));
  CHECK_FALSE(run({server}, with(TlsMode::prefer, plain, "secret")));
  CHECK_FALSE(run({server}, with(TlsMode::require, plain, "secret")));
  CHECK_FALSE(run({server}, with(TlsMode::verify_full, strict, "secret")));
  CHECK_FALSE(run({nullptr}, with(TlsMode::prefer, plain, "secret")));
  CHECK(run({nullptr}, with(TlsMode::require, plain, "secret"))->net.kind == NetError::Kind::tls);
  CHECK(run({server}, with(TlsMode::verify_full, plain, "secret"))->net.kind ==
        NetError::Kind::tls);
}

TEST_CASE("connecting: a wrong password is the server's own error") {
  const auto failure = run({}, with(TlsMode::disable, nullptr, "wrong"));
  REQUIRE(failure);
  CHECK(failure->net.kind == NetError::Kind::rejected);
  CHECK(failure->server.sqlstate() == "28P01");
}

TEST_CASE("connecting: a server that goes at any byte of its greeting is an error, not a hang") {
  for (std::size_t bytes = 1; bytes < 100; bytes += 3) {
    CAPTURE(bytes);
    Server server;
    server.close_after_bytes = bytes;
    const auto failure = run(server, with(TlsMode::disable, nullptr, "secret"));
    REQUIRE(failure);
    CHECK((failure->net.kind == NetError::Kind::closed ||
           failure->net.kind == NetError::Kind::protocol));
  }
}

TEST_CASE("connecting: a server that accepts and says nothing runs into the timeout") {
  Loop loop;
  auto body = []() -> Task<NetError::Kind> {
    auto listener = Listener::open(Address{"127.0.0.1", 0});
    REQUIRE(listener);
    ConnectOptions options;
    options.address = Address{"127.0.0.1", listener->port()};
    options.user = "u";
    CancelSource source;
    source.cancel_after(5ms);
    Result link = co_await connect(options, source.token());
    REQUIRE_FALSE(link.has_value());
    co_return link.error().net.kind;
  };
  CHECK(block_on(loop, body()) == NetError::Kind::timed_out);
}

// ANABRANCH_TEST_PG=host:port, with a role "scram_user" (password "secret") and database
// "postgres".
TEST_CASE("connecting to a real server, querying it and cancelling a query") {
  const char* place = std::getenv("ANABRANCH_TEST_PG");
  if (!place) return;
  Loop loop;
  auto body = [](Address address) -> Task<void> {
    for (TlsMode mode : {TlsMode::disable, TlsMode::prefer}) {
      ConnectOptions options;
      options.address = address;
      options.tls = mode;
      options.tls_context = TlsContext::client({}).value();
      options.user = "scram_user";
      options.password = "secret";
      options.database = "postgres";
      Result link = co_await connect(options);
      REQUIRE(link);
      Query{"select pg_sleep(60)"}.encode(link->socket.out());
      CHECK(co_await link->socket.flush());
      co_await sleep(50ms);
      CHECK(co_await send_cancel(options, link->process, link->secret));
      std::string last;
      for (;;) {
        auto message = co_await read_message(link->socket);
        REQUIRE(message);
        if (message->type == 'Z') break;
        if (message->type == 'E') last = ErrorResponse::decode(message->payload)->sqlstate();
      }
      CHECK(last == "57014");
      std::size_t rows = 0;
      Query{"select i, repeat('x', i % 3000) from generate_series(1, 20000) i"}.encode(
          link->socket.out());
      CHECK(co_await link->socket.flush());
      for (;;) {
        auto message = co_await read_message(link->socket);
        REQUIRE(message);
        if (message->type == 'Z') break;
        if (message->type != 'D') continue;
        const auto row = DataRow::decode(message->payload);
        REQUIRE(row);
        ++rows;
        CHECK(row->fields[0] == Field(std::to_string(rows)));
        CHECK(row->fields[1]->size() == rows % 3000);
      }
      CHECK(rows == 20'000);
    }
  };
  block_on(loop, body(Address::parse(place).value()));
}
