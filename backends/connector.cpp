#include <map>
#include <mutex>
#include <utility>

#include "backends/server_pool.h"

namespace anabranch::backends {

namespace {

using TlsResult = std::expected<std::shared_ptr<net::TlsContext>, std::string>;

// Contexts are shared by all connections with the same demands: making one reads certificates.
TlsResult tls_context(const Server& server) {
  static std::mutex mutex;
  static std::map<std::pair<bool, std::string>, std::shared_ptr<net::TlsContext>> contexts;
  const bool verify = server.tls == conf::BackendTls::verify_full;
  const std::scoped_lock lock(mutex);
  auto& context = contexts[{verify, server.ca}];
  if (!context) {
    net::TlsContext::ClientFiles files;
    files.ca = server.ca;
    files.verify = verify;
    TlsResult made = net::TlsContext::client(files);
    if (!made) return made;
    context = std::move(*made);
  }
  return context;
}

net::pg::TlsMode tls_mode(conf::BackendTls tls) {
  switch (tls) {
    case conf::BackendTls::disable:
      return net::pg::TlsMode::disable;
    case conf::BackendTls::prefer:
      return net::pg::TlsMode::prefer;
    case conf::BackendTls::require:
      return net::pg::TlsMode::require;
    case conf::BackendTls::verify_full:
      return net::pg::TlsMode::verify_full;
  }
  return net::pg::TlsMode::verify_full;
}

net::Task<std::expected<net::pg::BackendLink, net::pg::ConnectError>> connect_real(
    std::shared_ptr<const Server> server, net::CancelToken token) {
  auto options = connect_options(*server);
  if (!options) {
    net::pg::ConnectError error;
    error.net = {net::NetError::Kind::tls, options.error()};
    co_return std::unexpected(std::move(error));
  }
  co_return co_await net::pg::connect(std::move(*options), token);
}

net::Task<net::IoResult> cancel_real(std::shared_ptr<const Server> server, std::int32_t process,
                                     std::int32_t secret, net::CancelToken token) {
  auto options = connect_options(*server);
  if (!options) {
    co_return std::unexpected(net::NetError{net::NetError::Kind::tls, options.error()});
  }
  co_return co_await net::pg::send_cancel(std::move(*options), process, secret, token);
}

}  // namespace

std::expected<net::pg::ConnectOptions, std::string> connect_options(const Server& server) {
  net::pg::ConnectOptions options;
  options.address = {server.address.host, server.address.port};
  options.tls = tls_mode(server.tls);
  if (server.tls != conf::BackendTls::disable) {
    TlsResult context = tls_context(server);
    if (!context) return std::unexpected(context.error());
    options.tls_context = std::move(*context);
  }
  options.user = server.user;
  options.database = server.target;
  options.password = server.password;
  return options;
}

Connector real_connector() {
  return {connect_real, cancel_real};
}

}  // namespace anabranch::backends
