#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

#include "wire.h"

namespace faults {

/// A TLS connection whose beginning is the test's own: negotiated or direct, any ALPN names.
class TlsWire {
 public:
  struct Options {
    bool direct = false;
    std::string alpn = {};         // names, each behind its length; empty: none
    std::string certificate = {};  // paths; empty: none is shown
    std::string key = {};
  };
  TlsWire(int port, const Options& options);
  TlsWire(const TlsWire&) = delete;
  TlsWire& operator=(const TlsWire&) = delete;

  /// The handshake has succeeded, as far as this side can tell.
  bool up() const { return up_; }
  void send(std::string_view bytes);
  /// Null at the end of the stream, and where it has failed.
  std::optional<WireMessage> read();
  bool ends();

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  bool read_exactly(char* into, std::size_t count);

  Wire wire_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  bool up_ = false;
};

}  // namespace faults
