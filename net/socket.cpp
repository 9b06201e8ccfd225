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
  core_ = new Core(fd.release());
}

Socket::Socket(Socket&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    core_ = std::exchange(other.core_, nullptr);
  }
  return *this;
}

Socket::~Socket() {
  close();
}

void Socket::close() {
  if (core_) std::exchange(core_, nullptr)->dispose();
}

int Socket::fd() const {
  return core_->fd();
}

std::string Socket::peer() const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return "unknown";
  return address_text(address);
}

// --- reading ---

std::string_view Socket::received() const {
  return core_->in.view();
}
void Socket::consume(std::size_t bytes) {
  core_->in.consume(bytes);
}
bool Socket::at_end() const {
  return core_->end_of_stream;
}
const NetError* Socket::error() const {
  return core_->error ? &*core_->error : nullptr;
}

void Socket::read_sparingly(bool sparingly) {
  core_->least_room = sparingly ? 1024 : Buffer::pooled_bytes;
}

Task<std::expected<unsigned char, NetError>> Socket::peek(CancelToken token) {
  return Core::peek(core_, std::move(token));
}

Socket::Fill Socket::fill(std::size_t expected_bytes, CancelToken token) {
  return Fill(core_, expected_bytes, std::move(token));
}

void Socket::start_reading(std::size_t expected_bytes) {
  core_->make_room(expected_bytes);
  core_->read_available();
  core_->want_reading();
}

void Socket::watch(Signal* signal) {
  core_->watcher = signal;
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

Buffer& Socket::out() {
  return core_->out;
}
void Socket::write(std::string_view bytes) {
  core_->out.append(bytes);
}
std::size_t Socket::queued() const {
  return core_->out.size();
}
bool Socket::congested() const {
  return core_->out.size() > high_mark;
}

Socket::Flush Socket::flush(CancelToken token) {
  return Flush(core_, low_mark, high_mark, std::move(token));
}

Socket::Flush Socket::flush_all(CancelToken token) {
  return Flush(core_, 0, 0, std::move(token));
}

bool Socket::send_now() {
  core_->send_available();
  return !core_->failed();
}

void Socket::shutdown() {
  core_->end_writing();
  if (!core_->out.empty()) core_->send_available();
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
  return Core::handshake(core_, std::move(context), false, std::move(host), std::move(token));
}

Task<IoResult> Socket::start_tls_server(std::shared_ptr<TlsContext> context, CancelToken token) {
  return Core::handshake(core_, std::move(context), true, {}, std::move(token));
}

bool Socket::is_tls() const {
  return core_->tls != nullptr;
}
std::string Socket::tls_version() const {
  return core_->tls ? core_->tls->version() : "";
}
std::string Socket::alpn() const {
  return core_->tls ? core_->tls->alpn() : "";
}
std::string Socket::peer_common_name() const {
  return core_->tls ? core_->tls->peer_common_name() : "";
}
std::string Socket::channel_binding() const {
  return core_->tls ? core_->tls->channel_binding() : "";
}

}  // namespace anabranch::net
