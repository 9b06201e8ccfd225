#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace anabranch::net {

/// disable: never · prefer: if the server can · require: or fail · verify_full: require, and the
/// certificate must be trusted and bear the host's name.
enum class TlsMode : std::uint8_t { disable, prefer, require, verify_full };

/// Shared settings of TLS connections (an SSL_CTX); immutable once made, usable from any thread.
class TlsContext {
 public:
  struct ServerFiles {
    std::string certificate;  // PEM chain
    std::string key;          // PEM
    std::string client_ca;    // empty: clients are not asked for a certificate
  };
  struct ClientFiles {
    std::string ca;           // PEM; empty: the system's roots. Only used where `verify`
    std::string certificate;  // our own, optional
    std::string key;
    bool verify = false;  // verify-full: chain and host name
  };
  /// The error is a sentence that names the file.
  static std::expected<std::shared_ptr<TlsContext>, std::string> server(const ServerFiles& files);
  static std::expected<std::shared_ptr<TlsContext>, std::string> client(const ClientFiles& files);
  /// Takes over a context made elsewhere (tests).
  static std::shared_ptr<TlsContext> adopt(SSL_CTX* context, bool verify = false);

  SSL_CTX* get() const { return context_.get(); }
  bool verify() const { return verify_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  bool verify_ = false;
};

/// Channel binding data "tls-server-end-point" (RFC 5929) of a certificate: its hash by the
/// signature's algorithm (SHA-256 in place of MD5 and SHA-1). Empty where it is undefined.
std::string server_end_point(X509* certificate);
/// The first common name of a certificate's subject; empty where there is none.
std::string common_name(X509* certificate);

}  // namespace anabranch::net
