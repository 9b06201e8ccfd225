#pragma once

#include <string_view>

#include "backends/pool.h"

/// A server that cannot be talked to any further: each marks the lease's connection broken, and throws SqlError.
namespace anabranch::backends {

/// 08006: the connection is lost.
[[noreturn]] void lose(const Lease& lease, std::string_view reason);
/// 08P01: the server has broken the protocol.
[[noreturn]] void violate(const Lease& lease, std::string_view reason);
/// lose() where the socket has failed, or the server has closed it.
void check_alive(const Lease& lease);

}  // namespace anabranch::backends
