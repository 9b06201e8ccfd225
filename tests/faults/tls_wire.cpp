#include "tls_wire.h"

#include <sys/socket.h>

#include <array>
#include <stdexcept>

namespace faults {

TlsWire::TlsWire(int port, const Options& options) : wire_(port), context_(SSL_CTX_new(TLS_client_method())) {
  // Nobody who waits for an answer waits for ever.
  const timeval patience{120, 0};
  ::setsockopt(wire_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (!options.certificate.empty() &&
      (SSL_CTX_use_certificate_chain_file(context_.get(), options.certificate.c_str()) != 1 ||
       SSL_CTX_use_PrivateKey_file(context_.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1)) {
    throw std::runtime_error("cannot use " + options.certificate);
  }
  if (!options.direct) {
    wire_.send(int32(8) + int32(80877103));
    if (wire_.read_byte() != 'S') return;
  }
  ssl_.reset(SSL_new(context_.get()));
  if (!options.alpn.empty()) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
  }
  SSL_set_fd(ssl_.get(), wire_.fd());
  up_ = SSL_connect(ssl_.get()) == 1;
}

void TlsWire::send(std::string_view bytes) {
  if (up_) SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
}

bool TlsWire::read_exactly(char* into, std::size_t count) {
  for (std::size_t got = 0; got < count;) {
    const int more = SSL_read(ssl_.get(), into + got, static_cast<int>(count - got));
    if (more <= 0) return false;
    got += static_cast<std::size_t>(more);
  }
  return true;
}

std::optional<WireMessage> TlsWire::read() {
  std::array<char, 5> head{};
  if (!up_ || !read_exactly(head.data(), head.size())) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 1; i < 5; ++i) length = length << 8 | static_cast<unsigned char>(head[i]);
  WireMessage message{head[0], std::string(length - 4, '\0')};
  if (!read_exactly(message.payload.data(), message.payload.size())) return std::nullopt;
  return message;
}

bool TlsWire::ends() {
  while (read()) {
  }
  return true;
}

}  // namespace faults
