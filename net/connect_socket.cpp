#include <fmt/core.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "net/addresses.h"
#include "net/loop.h"
#include "net/socket_core.h"

namespace anabranch::net {

namespace {

using Addresses = std::expected<std::vector<SystemAddress>, NetError>;

Task<Addresses> find_addresses(Address address, CancelToken token) {
  Addresses direct = direct_addresses(address);
  if (!direct || !direct->empty()) co_return direct;
  // An exception must not be awaited in: what to answer is decided after the handler.
  Wait why = Wait::ready;
  try {
    Addresses resolved =
        co_await run_on_worker([address] { return resolve_addresses(address); }, token);
    co_return resolved;
  } catch (const Cancelled& cancelled) {
    why = cancelled.reason;
  }
  co_return std::unexpected(NetError::from(why));
}

NetError connect_failure(const Address& address, int code) {
  return {NetError::Kind::failed,
          fmt::format("could not connect to {}: {}", address.to_string(), std::strerror(code))};
}

int pending_error(int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) return errno;
  return code;
}

}  // namespace

Task<std::expected<Socket, NetError>> Socket::connect_to(SystemAddress target, Address address,
                                                         CancelToken token) {
  UniqueFd fd(::socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) co_return std::unexpected(connect_failure(address, errno));
  const bool pending = ::connect(fd.get(), target.get(), target.length) != 0;
  if (pending && errno != EINPROGRESS) co_return std::unexpected(connect_failure(address, errno));
  Socket socket(std::move(fd));
  if (pending) {
    IoResult waited = co_await socket.core()->ready(UV_WRITABLE, token);
    if (!waited) co_return std::unexpected(std::move(waited.error()));
    if (const int code = pending_error(socket.fd()); code != 0) {
      co_return std::unexpected(connect_failure(address, code));
    }
  }
  if (const NetError* broken = socket.error()) co_return std::unexpected(*broken);
  co_return socket;
}

Task<std::expected<Socket, NetError>> connect_socket(Address address, CancelToken token) {
  Addresses addresses = co_await find_addresses(address, token);
  if (!addresses) co_return std::unexpected(std::move(addresses.error()));
  NetError last{NetError::Kind::resolve, fmt::format("{} has no address", address.to_string())};
  for (const SystemAddress& target : *addresses) {
    auto socket = co_await Socket::connect_to(target, address, token);
    if (socket) co_return socket;
    last = std::move(socket.error());
    if (token.cancelled()) break;
  }
  co_return std::unexpected(std::move(last));
}

}  // namespace anabranch::net
