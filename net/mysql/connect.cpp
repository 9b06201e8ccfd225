#include "net/mysql/connect.h"

#include <fmt/core.h>

#include "net/mysql/command_messages.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/result_reader.h"
#include "net/mysql/stream.h"

namespace anabranch::net::mysql {

namespace {

using State = LoginConversation::State;

LoginConversation::Tls tls_wish(TlsMode mode) {
  switch (mode) {
    case TlsMode::disable:
      return LoginConversation::Tls::never;
    case TlsMode::prefer:
      return LoginConversation::Tls::if_offered;
    case TlsMode::require:
    case TlsMode::verify_full:
      return LoginConversation::Tls::always;
  }
  return LoginConversation::Tls::always;
}

bool tls_is_set_up(const ConnectOptions& options) {
  if (options.tls == TlsMode::disable) return true;
  return options.tls_context && (options.tls != TlsMode::verify_full || options.tls_context->verify());
}

/// Carries frames between a conversation and a socket until it has ended.
Task<IoResult> drive(LoginConversation& conversation, Socket& socket, const ConnectOptions& options,
                     CancelToken token) {
  Sequence sequence;
  State state = conversation.state();
  while (state == State::reading || state == State::start_tls) {
    if (IoResult sent = co_await socket.flush_all(token); !sent) co_return sent;
    if (state == State::start_tls) {
      IoResult secured = co_await socket.start_tls_client(options.tls_context, options.address.host, token);
      if (!secured) co_return secured;
      state = conversation.tls_started(socket.out(), sequence);
      continue;
    }
    const auto frame = co_await read_frame(socket, token, max_unauthenticated_bytes);
    if (!frame) co_return std::unexpected(frame.error());
    state = conversation.resume(*frame, socket.out(), sequence);
  }
  co_return IoResult();
}

ConnectError net_error(NetError error) { return {std::move(error), {}}; }

ConnectError conversation_error(const LoginConversation& conversation) {
  ConnectError failure;
  failure.net.kind = conversation.rejected_by_server() ? NetError::Kind::rejected : NetError::Kind::protocol;
  failure.net.message = conversation.error().message;
  failure.server = conversation.error();
  return failure;
}

}  // namespace

Task<std::expected<ServerLink, ConnectError>> connect(ConnectOptions options, CancelToken token) {
  if (!tls_is_set_up(options)) {
    co_return std::unexpected(net_error({NetError::Kind::tls, "TLS is asked for but not set up"}));
  }
  auto socket = co_await connect_socket(options.address, token);
  if (!socket) co_return std::unexpected(net_error(std::move(socket.error())));
  options.login.tls = tls_wish(options.tls);
  options.login.local_socket = options.address.is_unix();
  LoginConversation conversation(options.login);
  IoResult driven = co_await drive(conversation, *socket, options, token);
  if (!driven) co_return std::unexpected(net_error(std::move(driven.error())));
  if (conversation.state() == State::failed) co_return std::unexpected(conversation_error(conversation));
  ServerLink link;
  link.socket = std::move(*socket);
  link.connection = conversation.connection();
  link.capabilities = conversation.capabilities();
  link.session_state = conversation.session_state();
  co_return link;
}

Task<IoResult> kill_query(ConnectOptions options, std::uint32_t connection, CancelToken token) {
  auto link = co_await connect(std::move(options), token);
  if (!link) co_return std::unexpected(std::move(link.error().net));
  Socket& socket = link->socket;
  Sequence sequence;
  const std::string sql = fmt::format("KILL QUERY {}", connection);
  ComQuery{sql}.encode(socket.out(), sequence);
  if (IoResult sent = co_await socket.flush_all(token); !sent) co_return sent;
  ResultReader reader(ResultReader::Reply::text, link->capabilities);
  while (!reader.done()) {
    const auto frame = co_await read_frame(socket, token);
    if (!frame) co_return std::unexpected(frame.error());
    const auto event = reader.read(frame->payload);
    if (!event) co_return std::unexpected(NetError{NetError::Kind::protocol, event.error().message});
  }
  sequence.reset();
  ComQuit{}.encode(socket.out(), sequence);
  co_return co_await socket.flush_all(token);
}

Task<std::expected<ServerGreeting, NetError>> read_greeting(Address address, CancelToken token) {
  auto socket = co_await connect_socket(std::move(address), token);
  if (!socket) co_return std::unexpected(std::move(socket.error()));
  const auto frame = co_await read_frame(*socket, token, max_unauthenticated_bytes);
  if (!frame) co_return std::unexpected(frame.error());
  if (const auto error = Err::decode(frame->payload)) {
    co_return std::unexpected(NetError{NetError::Kind::rejected, std::string(error->message)});
  }
  const auto greeting = HandshakeV10::decode(frame->payload);
  if (!greeting) co_return std::unexpected(NetError{NetError::Kind::protocol, greeting.error().message});
  co_return ServerGreeting{std::string(greeting->server_version), greeting->capabilities, greeting->collation};
}

}  // namespace anabranch::net::mysql
