#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "net/socket.h"
#include "values/sql_error.h"

namespace anabranch::proxy {

/// A connection that only wants a running statement cancelled.
struct CancelWish {
  std::int32_t process = 0;
  std::int32_t secret = 0;
};

/// Nothing more to do: the connection has been answered and may be closed.
struct TurnedAway {
  std::string reason;  ///< for the log
};

/// Tells the client why its connection ends.
TurnedAway turn_away(net::Socket& socket, const values::SqlError& error);
/// The client has gone, or has taken too long.
TurnedAway hung_up(const net::NetError& error);

/// What a connection begins with: the payload of its startup message, or a cancel request. TLS
/// (negotiated or direct) and GSS requests before it are answered here.
using FirstPacket = std::variant<std::string, CancelWish, TurnedAway>;

/// `tls` null: this end has none. The socket is fresh.
net::Task<FirstPacket> read_first_packet(net::Socket& socket, std::shared_ptr<net::TlsContext> tls,
                                         net::CancelToken token);

}  // namespace anabranch::proxy
