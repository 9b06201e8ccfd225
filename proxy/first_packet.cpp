#include "proxy/first_packet.h"

#include <fmt/format.h>

#include "net/pg/messages.h"
#include "net/pg/stream.h"
#include "proxy/replies.h"
#include "values/errors.h"

namespace anabranch::proxy {

using values::ErrorId;
using values::make_error;

TurnedAway turn_away(net::Socket& socket, const values::SqlError& error) {
  send_error(socket.out(), error, "FATAL");
  socket.send_now();
  return {error.message};
}

TurnedAway hung_up(const net::NetError& error) {
  if (error.kind == net::NetError::Kind::timed_out) return {"limits.authentication_timeout is over"};
  return {"the client left: " + error.message};
}

namespace {

constexpr unsigned char tls_handshake = 0x16;  // the first byte of a ClientHello's record

/// The requests before the startup message; each may come once, as with PostgreSQL.
class Opening {
 public:
  Opening(net::Socket& socket, std::shared_ptr<net::TlsContext> tls, net::CancelToken token)
      : socket_(socket), tls_(std::move(tls)), token_(std::move(token)) {}

  net::Task<FirstPacket> read() {
    const auto first = co_await socket_.peek(token_);
    if (!first) co_return hung_up(first.error());
    if (*first == tls_handshake) {
      if (const auto away = co_await start_direct_tls()) co_return *away;
    }
    while (true) {
      const auto packet = co_await net::pg::read_startup(socket_, token_);
      if (!packet) co_return hung_up(packet.error());
      const auto code = net::pg::startup_code(packet->payload);
      if (!code) co_return turn_away(socket_, make_error<>(ErrorId::protocol_violation, code.error().message));
      if (*code == net::pg::cancel_request_code) co_return read_cancel(packet->payload);
      if (*code == net::pg::ssl_request_code && !tls_settled_) {
        if (const auto away = co_await answer_tls()) co_return *away;
      } else if (*code == net::pg::gssenc_request_code && !gss_settled_) {
        if (const auto away = co_await answer_gss()) co_return *away;
      } else {
        co_return std::string(packet->payload);
      }
    }
  }

 private:
  static FirstPacket read_cancel(std::string_view payload) {
    const auto wish = net::pg::CancelRequest::decode(payload);
    if (!wish) return TurnedAway{"malformed cancel request"};
    return CancelWish{wish->process, wish->secret};
  }

  /// TLS without a request for it (PostgreSQL 17): only with the protocol named in the handshake, so
  /// that a server of another kind is not talked into it.
  net::Task<std::optional<TurnedAway>> start_direct_tls() {
    if (tls_ == nullptr) co_return TurnedAway{"direct TLS, and there is no certificate"};
    tls_settled_ = gss_settled_ = true;
    if (const auto away = co_await shake_hands()) co_return away;
    if (socket_.alpn() != "postgresql") {
      co_return turn_away(socket_, make_error(ErrorId::protocol_violation,
                                              "received direct SSL connection request without ALPN protocol "
                                              "negotiation extension"));
    }
    co_return std::nullopt;
  }

  net::Task<std::optional<TurnedAway>> answer_tls() {
    tls_settled_ = true;
    // What came unencrypted behind the request must not be read as if it had come encrypted.
    if (!socket_.received().empty()) {
      co_return turn_away(socket_,
                          make_error(ErrorId::protocol_violation, "received unencrypted data after SSL request"));
    }
    gss_settled_ = gss_settled_ || tls_ != nullptr;
    socket_.write(tls_ != nullptr ? "S" : "N");
    if (const auto sent = co_await socket_.flush(token_); !sent) co_return hung_up(sent.error());
    if (tls_ == nullptr) co_return std::nullopt;
    co_return co_await shake_hands();
  }

  net::Task<std::optional<TurnedAway>> answer_gss() {
    gss_settled_ = true;
    if (!socket_.received().empty()) {
      co_return turn_away(socket_, make_error(ErrorId::protocol_violation,
                                              "received unencrypted data after GSSAPI encryption request"));
    }
    socket_.write("N");
    if (const auto sent = co_await socket_.flush(token_); !sent) co_return hung_up(sent.error());
    co_return std::nullopt;
  }

  net::Task<std::optional<TurnedAway>> shake_hands() {
    const auto done = co_await socket_.start_tls_server(tls_, token_);
    if (done) co_return std::nullopt;
    if (done.error().kind == net::NetError::Kind::timed_out) co_return hung_up(done.error());
    co_return TurnedAway{"TLS handshake failed: " + done.error().message};
  }

  net::Socket& socket_;
  std::shared_ptr<net::TlsContext> tls_;
  net::CancelToken token_;
  bool tls_settled_ = false;
  bool gss_settled_ = false;
};

}  // namespace

net::Task<FirstPacket> read_first_packet(net::Socket& socket, std::shared_ptr<net::TlsContext> tls,
                                         net::CancelToken token) {
  Opening opening(socket, std::move(tls), std::move(token));
  co_return co_await opening.read();
}

}  // namespace anabranch::proxy
