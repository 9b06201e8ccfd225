#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "net/pg/messages.h"
#include "net/socket.h"
#include "proxy/snapshot.h"
#include "proxy/verifier_cache.h"

namespace anabranch::proxy {

/// A client that has proved who it is.
struct Login {
  std::string user;
  std::string database;
  const conf::User* account = nullptr;  ///< inside the snapshot's configuration
  std::string password;                 ///< plain; empty where the entry holds a verifier
  bool admin_console = false;           ///< the database `anabranch`
  /// Startup parameters that are settings, in the client's order.
  std::vector<std::pair<std::string, std::string>> settings;
  std::shared_ptr<const DatabaseState> state;  ///< null for the admin console
};

/// A connection that only wants a running statement cancelled.
struct CancelWish {
  std::int32_t process = 0;
  std::int32_t secret = 0;
};

/// Nothing more to do: the connection has been answered and may be closed.
struct TurnedAway {
  std::string reason;  ///< for the log
};

using LoginResult = std::variant<Login, CancelWish, TurnedAway>;

/// What a login needs besides the socket.
struct LoginContext {
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<net::TlsContext> tls;  ///< null: this end has no TLS
  std::string mock_nonce;                ///< a secret of the process
  VerifierCache* verifiers = nullptr;    ///< outlives the login
  bool full = false;                     ///< limits.client_connections is reached
};

/// From the first packet to AuthenticationOk (protocol 3, "Start-up" and "SSL Session Encryption"):
/// TLS and GSS requests, the startup message, the database, the password. Answers the client's
/// errors itself. The token bounds all of it, so that a slow handshake holds nothing for long.
net::Task<LoginResult> log_in(net::Socket& socket, LoginContext context, net::CancelToken token);

}  // namespace anabranch::proxy
