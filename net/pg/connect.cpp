#include "net/pg/connect.h"

#include <fmt/core.h>

namespace anabranch::net::pg {

namespace {

ConnectError net_error(NetError error) {
  return {std::move(error), {}};
}

ConnectError conversation_error(const StartupConversation& conversation) {
  ConnectError failure;
  failure.net.kind =
      conversation.rejected_by_server() ? NetError::Kind::rejected : NetError::Kind::protocol;
  failure.net.message = conversation.error().message();
  failure.server = conversation.error();
  return failure;
}

/// The one byte that answers an SSLRequest.
Task<std::expected<char, NetError>> ask_for_tls(Socket& socket, CancelToken token) {
  SSLRequest{}.encode(socket.out());
  if (IoResult sent = co_await socket.flush_all(token); !sent) {
    co_return std::unexpected(std::move(sent.error()));
  }
  while (socket.received().empty()) {
    if (IoResult filled = co_await socket.fill(1, token); !filled) {
      co_return std::unexpected(std::move(filled.error()));
    }
  }
  const char answer = socket.received().front();
  socket.consume(1);
  co_return answer;
}

Task<IoResult> settle_tls(Socket& socket, const ConnectOptions& options, CancelToken token) {
  if (options.tls == TlsMode::disable) co_return IoResult();
  if (!options.tls_context ||
      (options.tls == TlsMode::verify_full && !options.tls_context->verify())) {
    co_return std::unexpected(NetError{NetError::Kind::tls, "TLS is asked for but not set up"});
  }
  auto answer = co_await ask_for_tls(socket, token);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (*answer == 'S') {
    IoResult secured =
        co_await socket.start_tls_client(options.tls_context, options.address.host, token);
    co_return secured;
  }
  if (*answer != 'N') {
    co_return std::unexpected(
        NetError{NetError::Kind::protocol, "the server's answer to SSLRequest is not understood"});
  }
  if (options.tls == TlsMode::prefer) co_return IoResult();
  co_return std::unexpected(NetError{
      NetError::Kind::tls,
      fmt::format("{} does not support TLS, but it is required", options.address.to_string())});
}

Task<std::expected<Socket, NetError>> open_socket(const ConnectOptions& options,
                                                  CancelToken token) {
  auto socket = co_await connect_socket(options.address, token);
  if (!socket) co_return std::unexpected(std::move(socket.error()));
  IoResult settled = co_await settle_tls(*socket, options, token);
  if (!settled) co_return std::unexpected(std::move(settled.error()));
  co_return socket;
}

/// Carries bytes between a conversation and a socket until it has ended.
Task<IoResult> drive(StartupConversation& conversation, Socket& socket, CancelToken token) {
  auto state = conversation.start(socket.out());
  while (state == StartupConversation::State::reading) {
    if (IoResult sent = co_await socket.flush_all(token); !sent) co_return sent;
    auto message = co_await read_message(socket, token, max_unauthenticated_bytes);
    if (!message) co_return std::unexpected(std::move(message.error()));
    state = conversation.resume(*message, socket.out());
  }
  co_return IoResult();
}

StartupConversation::Options startup_options(const ConnectOptions& options, const Socket& socket) {
  StartupConversation::Options startup;
  startup.user = options.user;
  startup.database = options.database;
  startup.password = options.password;
  startup.parameters = options.parameters;
  startup.channel_binding = socket.channel_binding();
  return startup;
}

}  // namespace

Task<std::expected<BackendLink, ConnectError>> connect(ConnectOptions options, CancelToken token) {
  auto socket = co_await open_socket(options, token);
  if (!socket) co_return std::unexpected(net_error(std::move(socket.error())));
  StartupConversation conversation(startup_options(options, *socket));
  IoResult driven = co_await drive(conversation, *socket, token);
  if (!driven) co_return std::unexpected(net_error(std::move(driven.error())));
  if (conversation.state() == StartupConversation::State::failed) {
    co_return std::unexpected(conversation_error(conversation));
  }
  BackendLink link;
  link.socket = std::move(*socket);
  link.parameters = conversation.parameters();
  link.process = conversation.key().process;
  link.secret = conversation.key().secret;
  co_return link;
}

Task<IoResult> send_cancel(ConnectOptions options, std::int32_t process, std::int32_t secret,
                           CancelToken token) {
  auto socket = co_await open_socket(options, token);
  if (!socket) co_return std::unexpected(std::move(socket.error()));
  CancelRequest{process, secret}.encode(socket->out());
  if (IoResult sent = co_await socket->flush_all(token); !sent) co_return sent;
  for (;;) {
    IoResult filled = co_await socket->fill(1, token);
    if (filled) {
      socket->consume(socket->received().size());
      continue;
    }
    const NetError::Kind kind = filled.error().kind;
    if (kind == NetError::Kind::closed || kind == NetError::Kind::failed) co_return IoResult();
    co_return filled;
  }
}

}  // namespace anabranch::net::pg
