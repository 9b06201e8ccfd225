#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "net/wait.h"

namespace anabranch::net {

/// Why an operation of this room did not succeed.
struct NetError {
  enum class Kind : std::uint8_t {
    closed,     // the peer closed in good order, or our side did
    failed,     // the system said no: reset, refused, unreachable
    tls,        // handshake, certificate or record error
    resolve,    // the host's name has no address
    protocol,   // the peer broke its protocol
    rejected,   // the server answered with an ErrorResponse
    cancelled,  // the token was cancelled
    timed_out,  // the token's time was up
  };
  Kind kind = Kind::failed;
  std::string message;

  static NetError from(Wait reason) {
    if (reason == Wait::timed_out) return {Kind::timed_out, "timed out"};
    return {Kind::cancelled, "cancelled"};
  }
};

using IoResult = std::expected<void, NetError>;

}  // namespace anabranch::net
