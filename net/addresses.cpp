#include "net/addresses.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>

namespace anabranch::net {

std::string Address::to_string() const {
  if (is_unix()) return host;
  if (host.find(':') != std::string::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

std::optional<Address> Address::parse(std::string_view text) {
  if (text.starts_with('/')) return Address{std::string(text), 0};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view name = text.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) {
    name = name.substr(1, name.size() - 2);
  } else if (name.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (name.empty()) return std::nullopt;
  return Address{std::string(name), number};
}

std::string address_text(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(in.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    return fmt::format("[{}]:{}", text, ntohs(in.sin6_port));
  }
  return "unix";
}

namespace {

std::expected<std::vector<SystemAddress>, NetError> look_up(const Address& address, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(address.port);
  const int failure = ::getaddrinfo(address.host.c_str(), service.c_str(), &hints, &found);
  std::vector<SystemAddress> result;
  if (failure != 0) {
    if ((flags & AI_NUMERICHOST) != 0) return result;
    return std::unexpected(
        NetError{NetError::Kind::resolve, fmt::format("could not resolve host name \"{}\": {}",
                                                      address.host, ::gai_strerror(failure))});
  }
  for (const addrinfo* one = found; one; one = one->ai_next) {
    if (one->ai_addrlen > sizeof(sockaddr_storage)) continue;
    SystemAddress& place = result.emplace_back();
    std::memcpy(&place.storage, one->ai_addr, one->ai_addrlen);
    place.length = one->ai_addrlen;
  }
  ::freeaddrinfo(found);
  return result;
}

}  // namespace

std::expected<std::vector<SystemAddress>, NetError> direct_addresses(const Address& address) {
  if (!address.is_unix()) return look_up(address, AI_NUMERICHOST);
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  if (address.host.size() >= sizeof path.sun_path) {
    return std::unexpected(NetError{NetError::Kind::resolve,
                                    fmt::format("the socket path \"{}\" is longer than {} bytes",
                                                address.host, sizeof path.sun_path - 1)});
  }
  std::memcpy(path.sun_path, address.host.c_str(), address.host.size() + 1);
  std::vector<SystemAddress> result(1);
  std::memcpy(&result[0].storage, &path, sizeof path);
  result[0].length = sizeof path;
  return result;
}

std::expected<std::vector<SystemAddress>, NetError> resolve_addresses(const Address& address) {
  return look_up(address, 0);
}

}  // namespace anabranch::net
