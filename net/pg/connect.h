#pragma once

#include <expected>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/pg/startup_conversation.h"
#include "net/pg/stream.h"

namespace anabranch::net::pg {

struct ConnectOptions {
  Address address;  // a Unix socket's full path, e.g. /run/postgresql/.s.PGSQL.5432
  TlsMode tls = TlsMode::disable;
  std::shared_ptr<TlsContext> tls_context;  // for all modes but disable; verify_full needs verify()
  std::string user;
  std::string database;
  std::string password;
  std::vector<std::pair<std::string, std::string>> parameters;
};

/// An open, authenticated, idle connection to a server.
struct BackendLink {
  Socket socket;
  std::vector<std::pair<std::string, std::string>> parameters;  // its ParameterStatus reports
  std::int32_t process = 0;                                     // cancel key
  std::int32_t secret = 0;
};

struct ConnectError {
  NetError net;
  ErrorFields server;  // where net.kind is `rejected`: the server's ErrorResponse
};

/// Opens a session on a server: connects, settles TLS, authenticates. The token bounds all of it.
Task<std::expected<BackendLink, ConnectError>> connect(ConnectOptions options,
                                                       CancelToken token = {});

/// Sends a CancelRequest on a connection of its own (with TLS as `options` say) and waits until the
/// server has closed it, which is when the request has been carried out.
Task<IoResult> send_cancel(ConnectOptions options, std::int32_t process, std::int32_t secret,
                           CancelToken token = {});

}  // namespace anabranch::net::pg
