#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/error.h"
#include "net/tls.h"

namespace anabranch::net {

/// How a single read or write on a transport ended.
enum class Transfer : std::uint8_t { done, want_read, want_write, end, failed };

/// One TLS connection over a non-blocking descriptor; internal to this room, knows no loop.
class TlsSession {
 public:
  TlsSession(std::shared_ptr<TlsContext> context, int fd, bool as_server, const std::string& host);

  /// What has been read from the descriptor already, and belongs to the handshake that is to begin.
  void begin_with(std::string_view received);
  /// `count` is how much was transferred, if done. After `failed`, failure() says why.
  Transfer handshake();
  Transfer read(char* into, std::size_t room, std::size_t& count);
  Transfer write(const char* bytes, std::size_t size, std::size_t& count);
  /// Sends close_notify, as far as the socket takes it.
  void shutdown();

  const std::string& failure() const { return failure_; }
  SSL* get() const { return ssl_.get(); }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  std::string alpn() const;
  std::string peer_common_name() const;
  std::string channel_binding() const;

 private:
  Transfer outcome(int result);
  bool go_on_with_descriptor();
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<SSL, Free> ssl_;
  bool as_server_;
  bool reads_beginning_ = false;
  bool usable_ = false;  // the handshake is done and nothing has failed
  std::string failure_;
};

}  // namespace anabranch::net
