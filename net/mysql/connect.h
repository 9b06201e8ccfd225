#pragma once

#include <expected>
#include <memory>
#include <string>

#include "net/mysql/login_conversation.h"
#include "net/socket.h"
#include "net/tls.h"

namespace anabranch::net::mysql {

struct ConnectOptions {
  Address address;
  TlsMode tls = TlsMode::disable;
  std::shared_ptr<TlsContext> tls_context;  // for all modes but disable; verify_full needs verify()
  /// `tls` and `local_socket` follow from the above.
  LoginConversation::Options login;
};

/// An open, authenticated, idle connection to a server.
struct ServerLink {
  Socket socket;
  std::uint32_t connection = 0;  // its id, for KILL
  Capabilities capabilities = 0;
  std::string session_state;  // for SessionChanges: what the server tells about the session
};

struct ConnectError {
  NetError net;
  ServerError server;  // where net.kind is `rejected`: what the server said
};

/// Opens a session on a server: connects, settles TLS, authenticates. The token bounds all of it.
Task<std::expected<ServerLink, ConnectError>> connect(ConnectOptions options, CancelToken token = {});

/// `KILL QUERY` on a connection of its own; returns when the server has answered. What it refuses (the
/// connection has ended meanwhile) is no error.
Task<IoResult> kill_query(ConnectOptions options, std::uint32_t connection, CancelToken token = {});

/// What a server greets with before it knows who comes.
struct ServerGreeting {
  std::string version;
  Capabilities capabilities = 0;
  std::uint8_t collation = 0;
};
/// Connects, reads the greeting, and goes. Errors: the network's, or what the server says instead.
Task<std::expected<ServerGreeting, NetError>> read_greeting(Address address, CancelToken token = {});

}  // namespace anabranch::net::mysql
