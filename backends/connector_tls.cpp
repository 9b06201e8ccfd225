#include "backends/connector_tls.h"

#include <map>
#include <mutex>
#include <utility>

namespace anabranch::backends {

using TlsResult = std::expected<std::shared_ptr<net::TlsContext>, std::string>;

// Contexts are shared by all connections with the same demands: making one reads certificates.
TlsResult tls_context(const Server& server) {
  static std::mutex mutex;
  static std::map<std::pair<bool, std::string>, std::shared_ptr<net::TlsContext>> contexts;
  if (server.tls == conf::BackendTls::disable) return nullptr;
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

net::TlsMode tls_mode(conf::BackendTls tls) {
  switch (tls) {
    case conf::BackendTls::disable:
      return net::TlsMode::disable;
    case conf::BackendTls::prefer:
      return net::TlsMode::prefer;
    case conf::BackendTls::require:
      return net::TlsMode::require;
    case conf::BackendTls::verify_full:
      return net::TlsMode::verify_full;
  }
  return net::TlsMode::verify_full;
}

}  // namespace anabranch::backends
