#pragma once

#include <sys/socket.h>

#include <expected>
#include <string>
#include <vector>

#include "net/error.h"
#include "net/socket.h"

namespace anabranch::net {

/// An address as the system takes it; internal to this room.
struct SystemAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// "1.2.3.4:5", "[::1]:5", "unix".
std::string address_text(const sockaddr_storage& address);

/// Unix paths and numeric addresses, which need no look-up; empty where a name must be resolved.
std::expected<std::vector<SystemAddress>, NetError> direct_addresses(const Address& address);
/// Asks the resolver; blocks.
std::expected<std::vector<SystemAddress>, NetError> resolve_addresses(const Address& address);

}  // namespace anabranch::net
