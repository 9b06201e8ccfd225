#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/addresses.h"
#include "net/loop.h"
#include "net/poll_handle.h"

namespace anabranch::net {

/// Descriptors may run out: then the waiting accept() is woken by the clock, not by the socket.
class Listener::Core final : public PollHandle {
 public:
  explicit Core(int fd) : PollHandle(fd), retry([this] { wake_ready(); }) {}
  void on_events(int, bool) override { poll_for(0); }
  Timer retry;
  std::uint16_t port = 0;
};

namespace {

constexpr std::chrono::milliseconds retry_delay{100};

NetError listen_failure(const Address& address, int code) {
  return {NetError::Kind::failed,
          fmt::format("could not listen on {}: {}", address.to_string(), std::strerror(code))};
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  }
  return 0;
}

void remove_stale_socket(const Address& address) {
  struct stat status{};
  if (::stat(address.host.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    ::unlink(address.host.c_str());
  }
}

}  // namespace

std::expected<Listener, NetError> Listener::open(const Address& address, int backlog) {
  auto places = direct_addresses(address);
  if (places && places->empty()) places = resolve_addresses(address);
  if (!places) return std::unexpected(std::move(places.error()));
  if (places->empty()) return std::unexpected(listen_failure(address, EADDRNOTAVAIL));
  const SystemAddress& place = places->front();
  if (address.is_unix()) remove_stale_socket(address);
  UniqueFd fd(::socket(place.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(listen_failure(address, errno));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), place.get(), place.length) != 0 || ::listen(fd.get(), backlog) != 0) {
    return std::unexpected(listen_failure(address, errno));
  }
  const std::uint16_t port = bound_port(fd.get());
  auto* core = new Core(fd.release());
  core->port = port;
  return Listener(core);
}

Listener::Listener(Listener&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
Listener& Listener::operator=(Listener&& other) noexcept {
  if (this != &other) {
    close();
    core_ = std::exchange(other.core_, nullptr);
  }
  return *this;
}
Listener::~Listener() {
  close();
}

void Listener::close() {
  if (!core_) return;
  core_->retry.stop();
  std::exchange(core_, nullptr)->dispose();
}

std::uint16_t Listener::port() const {
  return core_->port;
}

Task<std::expected<UniqueFd, NetError>> Listener::accept(CancelToken token) {
  Core* core = core_;  // the handle may move while this waits
  if (!core) co_return std::unexpected(NetError{NetError::Kind::closed, "not listening"});
  for (;;) {
    const int fd = ::accept4(core->fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) co_return UniqueFd(fd);
    int events = UV_READABLE;
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    // Out of descriptors or memory, or what the network said of a connection that was to come: it passes.
    if (errno != EAGAIN) {
      events = 0;
      core->retry.start(retry_delay);
    }
    IoResult waited = co_await core->ready(events, token);
    if (!waited) co_return std::unexpected(std::move(waited.error()));
  }
}

}  // namespace anabranch::net
