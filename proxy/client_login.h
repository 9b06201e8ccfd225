#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "net/socket.h"
#include "proxy/first_packet.h"
#include "proxy/login_backoff.h"
#include "proxy/snapshot.h"
#include "proxy/startup_claims.h"
#include "proxy/user_lookup.h"
#include "proxy/verifier_cache.h"

namespace anabranch::proxy {

/// A client that has proved who it is.
struct Login {
  std::string user;
  std::string database;
  std::string password;        ///< plain, or an md5 verifier; empty where it is not known
  bool admin_console = false;  ///< the database `anabranch`
  /// Startup parameters that are settings, in the client's order.
  StartupSettings settings;
  std::shared_ptr<const DatabaseState> state;  ///< null for the admin console
};

using LoginResult = std::variant<Login, CancelWish, TurnedAway>;

/// What a login needs besides the socket.
struct LoginContext {
  std::shared_ptr<const Snapshot> snapshot;
  std::shared_ptr<net::TlsContext> tls;  ///< null: this end has no TLS
  std::string mock_nonce;                ///< a secret of the process
  VerifierCache* verifiers = nullptr;    ///< these outlive the login
  UserLookup* users = nullptr;
  LoginBackoff* backoff = nullptr;
  std::atomic<std::uint64_t>* delayed = nullptr;  ///< counts logins that the back-off made wait
  bool full = false;                     ///< limits.client_connections is reached
};

/// Who has failed to log in before under that key of the back-off waits first. Nothing: go on. Both must
/// outlive the wait.
net::Task<std::optional<TurnedAway>> wait_turn(const LoginContext& context, const std::string& key, net::CancelToken token);

/// From the first packet to AuthenticationOk (protocol 3, "Start-up" and "SSL Session Encryption"):
/// TLS and GSS requests, the startup message, the database, the password. Answers the client's
/// errors itself. The token bounds all of it, so that a slow handshake holds nothing for long.
net::Task<LoginResult> log_in(net::Socket& socket, LoginContext context, net::CancelToken token);

}  // namespace anabranch::proxy
