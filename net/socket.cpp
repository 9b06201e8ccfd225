#include "net/socket.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "net/addresses.h"
#include "net/socket_core.h"

namespace anabranch::net {

namespace {

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

// Fails harmlessly on Unix sockets.
void set_stream_options(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 6);
}

[[noreturn]] void two_waiters(const char* what) {
  fmt::print(stderr, "net::Socket: two coroutines {} at once\n", what);
  std::abort();
}

NetError closed() {
  return {NetError::Kind::closed, "the connection is closed"};
}

}  // namespace

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

Socket::Socket() = default;

Socket::Socket(UniqueFd fd) {
  set_stream_options(fd.get());
  state_ = new Core(fd.release());
}

Socket::Socket(Socket&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

Socket::~Socket() {
  close();
}

void Socket::close() {
  if (!state_) return;
  Core* const closing = core();
  state_ = nullptr;
  closing->dispose();
}

Socket::Core* Socket::core() const {
  return static_cast<Core*>(state_);
}

int Socket::fd() const {
  return core()->fd();
}

std::string Socket::peer() const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return "unknown";
  return address_text(address);
}

// --- reading ---

void Socket::read_sparingly(bool sparingly) {
  core()->least_room = sparingly ? 1024 : Buffer::pooled_bytes;
}

Task<std::expected<unsigned char, NetError>> Socket::peek(CancelToken token) {
  return Core::peek(core(), std::move(token));
}

Socket::Fill Socket::fill(std::size_t expected_bytes, CancelToken token) {
  return Fill(core(), expected_bytes, std::move(token));
}

void Socket::start_reading(std::size_t expected_bytes) {
  core()->make_room(expected_bytes);
  core()->read_available();
  core()->want_reading();
}

void Socket::watch(Signal* signal) {
  core()->watcher = signal;
}

bool Socket::Fill::await_ready() {
  if (!core_) return true;
  if (core_->fill) two_waiters("read");
  size_before_ = core_->in.size();
  core_->make_room(expected_bytes_);
  core_->read_available();
  return core_->in.size() > size_before_ || core_->failed() || core_->end_of_stream;
}

void Socket::Fill::await_suspend(std::coroutine_handle<> self) {
  core_->fill = this;
  core_->want_reading();
  park(self, core_->readers, token_);
}

IoResult Socket::Fill::await_resume() {
  if (!core_) return std::unexpected(closed());
  if (core_->in.size() > size_before_) return {};
  if (core_->error) return std::unexpected(*core_->error);
  if (core_->end_of_stream) return std::unexpected(closed());
  return std::unexpected(NetError::from(outcome()));
}

Socket::Fill::~Fill() {
  if (core_ && core_->fill == this) core_->fill = nullptr;
}

// --- writing ---

Socket::Flush Socket::flush(CancelToken token) {
  return Flush(core(), low_mark, high_mark, std::move(token));
}

Socket::Flush Socket::flush_all(CancelToken token) {
  return Flush(core(), 0, 0, std::move(token));
}

bool Socket::send_now() {
  core()->send_available();
  return !core()->failed();
}

void Socket::shutdown() {
  core()->end_writing();
  if (!core()->out.empty()) core()->send_available();
}

bool Socket::Flush::await_ready() {
  if (!core_) return true;
  if (core_->flush) two_waiters("flush");
  core_->send_available();
  return core_->failed() || core_->out.size() <= threshold_;
}

void Socket::Flush::await_suspend(std::coroutine_handle<> self) {
  core_->flush = this;
  park(self, core_->writers, token_);
}

IoResult Socket::Flush::await_resume() {
  if (!core_) return std::unexpected(closed());
  if (core_->error) return std::unexpected(*core_->error);
  if (outcome() != Wait::ready) return std::unexpected(NetError::from(outcome()));
  return {};
}

Socket::Flush::~Flush() {
  if (core_ && core_->flush == this) core_->flush = nullptr;
}

// --- TLS ---

Task<IoResult> Socket::start_tls_client(std::shared_ptr<TlsContext> context, std::string host,
                                        CancelToken token) {
  return Core::handshake(core(), std::move(context), false, std::move(host), std::move(token));
}

Task<IoResult> Socket::start_tls_server(std::shared_ptr<TlsContext> context, CancelToken token) {
  // MySQL's clients do not wait for an answer to their request: what has come behind it is the
  // handshake's. Where a protocol answers (PostgreSQL's does), whoever reads the request refuses
  // such bytes.
  std::string beginning(received());
  consume(beginning.size());
  return Core::handshake(core(), std::move(context), true, {}, std::move(token),
                         std::move(beginning));
}

bool Socket::is_tls() const {
  return core()->tls != nullptr;
}
std::string Socket::tls_version() const {
  return core()->tls ? core()->tls->version() : "";
}
std::string Socket::alpn() const {
  return core()->tls ? core()->tls->alpn() : "";
}
std::string Socket::peer_common_name() const {
  return core()->tls ? core()->tls->peer_common_name() : "";
}
std::string Socket::channel_binding() const {
  return core()->tls ? core()->tls->channel_binding() : "";
}

}  // namespace anabranch::net
