#pragma once

#include <expected>
#include <memory>
#include <string>

#include "backends/server.h"
#include "net/tls.h"

namespace anabranch::backends {

/// What TLS towards the server demands, as its configuration says; null where that is none. The error is a
/// sentence. Any thread.
std::expected<std::shared_ptr<net::TlsContext>, std::string> tls_context(const Server& server);
net::TlsMode tls_mode(conf::BackendTls tls);

}  // namespace anabranch::backends
