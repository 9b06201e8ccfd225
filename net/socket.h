#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/buffer.h"
#include "net/error.h"
#include "net/task.h"
#include "net/tls.h"

namespace anabranch::net {

struct SystemAddress;

/// Where to listen or connect: a host and a port, or a Unix socket's path (begins with '/').
struct Address {
  std::string host;  // name, IPv4, IPv6 without brackets, or a path
  std::uint16_t port = 0;

  bool is_unix() const { return host.starts_with('/'); }
  std::string to_string() const;
  /// "host:port", "[::1]:5432", "/path"; nothing when it is none of these.
  static std::optional<Address> parse(std::string_view text);
};

/// A file descriptor that closes itself.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// A byte stream over a non-blocking socket, plain or TLS, on the current loop. Move-only; may be
/// destroyed at any time: whoever waits on it is woken with NetError::closed. One coroutine may
/// wait to read and another to write at a time.
///
/// Reading: received() is what has arrived; consume() drops from its front. Views into it, consumed
/// bytes included, stay valid until the next fill(), start_reading() or destruction — not longer.
/// In between the socket may append what arrives into spare room, without moving anything, and
/// stops reading when there is no room: not reading is back-pressure.
///
/// Writing: out() and write() only append; flush() sends.
class Socket {
 public:
  /// An empty socket; only assignment and is_open() are allowed.
  Socket();
  /// Takes over a connected descriptor (made non-blocking, TCP_NODELAY and keepalive set).
  explicit Socket(UniqueFd fd);
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();

  bool is_open() const { return state_ != nullptr; }
  /// Closes at once; queued bytes that were not sent are lost.
  void close();
  int fd() const;
  /// The peer's address as text, "unix" for local sockets.
  std::string peer() const;

  // --- reading ---

  std::string_view received() const { return state_->in.view(); }
  void consume(std::size_t bytes) { state_->in.consume(bytes); }
  /// The peer has closed its direction and received() holds all there will be.
  bool at_end() const { return state_->end_of_stream; }
  /// The error that ended the connection, if one did.
  const NetError* error() const { return state_->error ? &*state_->error : nullptr; }

  /// Waits for the stream's next byte and leaves it there; nothing may have been read from it yet.
  Task<std::expected<unsigned char, NetError>> peek(CancelToken token = {});
  /// Reading takes memory 1 KiB at a time instead of 16, as long as a stranger is at the other end.
  void read_sparingly(bool sparingly);

  class Fill;
  /// Waits until received() has grown. Errors: closed (end of stream), failed, tls, and the
  /// token's. `expected_bytes` is how large received() should be able to become (a message's whole
  /// length); memory for it is taken as bytes arrive, at most doubling.
  [[nodiscard]] Fill fill(std::size_t expected_bytes = 0, CancelToken token = {});

  /// As fill(), without waiting: makes room, reads what is there, and goes on reading while the
  /// coroutine waits on the Signal it gave to watch().
  void start_reading(std::size_t expected_bytes = 0);
  /// `signal` is notified whenever bytes have come, the stream has ended or failed, or the write
  /// queue has fallen to its low mark. Null to end it; the signal must outlive this.
  void watch(Signal* signal);

  // --- writing ---

  /// The queue's end, to encode messages into.
  Buffer& out() { return state_->out; }
  void write(std::string_view bytes) { state_->out.append(bytes); }
  /// Bytes queued and not yet given to the system.
  std::size_t queued() const { return state_->out.size(); }
  /// More is queued than the high mark (256 KiB): stop producing until flush() returns.
  bool congested() const { return state_->out.size() > high_mark; }
  static constexpr std::size_t high_mark = 256 * 1024;
  static constexpr std::size_t low_mark = 64 * 1024;

  class Flush;
  /// Sends what can be sent now; the rest goes out by itself. Waits only if more than the high
  /// mark is left, until no more than the low mark is.
  [[nodiscard]] Flush flush(CancelToken token = {});
  /// Waits until everything is sent.
  [[nodiscard]] Flush flush_all(CancelToken token = {});
  /// The part of flush() that does not wait. False when the connection has failed.
  bool send_now();
  /// Ends our direction (TLS: close_notify) once the queue is empty.
  void shutdown();

  // --- TLS ---

  /// Handshake as client; `host` for SNI and, where the context verifies, the certificate's name.
  /// Fails if plain bytes were received before it (they could have been injected).
  Task<IoResult> start_tls_client(std::shared_ptr<TlsContext> context, std::string host,
                                  CancelToken token = {});
  Task<IoResult> start_tls_server(std::shared_ptr<TlsContext> context, CancelToken token = {});
  bool is_tls() const;
  std::string tls_version() const;
  /// The protocol that was agreed upon in the handshake (ALPN); empty: the client named none.
  std::string alpn() const;
  /// The verified peer certificate's common name; empty where there is none.
  std::string peer_common_name() const;
  /// tls-server-end-point data of this connection's server certificate; empty without TLS.
  std::string channel_binding() const;

 private:
  class Core;
  /// The part of a Core that is looked at inline.
  struct State {
    Buffer in;
    Buffer out;
    std::optional<NetError> error;
    bool end_of_stream = false;
  };
  Core* core() const;
  friend Task<std::expected<Socket, NetError>> connect_socket(Address, CancelToken);
  static Task<std::expected<Socket, NetError>> connect_to(SystemAddress target, Address address,
                                                          CancelToken token);
  State* state_ = nullptr;  // a Core's; lives until libuv has closed its handle
};

class [[nodiscard]] Socket::Fill : public Waiter {
 public:
  ~Fill();
  Fill(Core* core, std::size_t expected_bytes, CancelToken token)
      : core_(core), expected_bytes_(expected_bytes), token_(std::move(token)) {}
  bool await_ready();
  void await_suspend(std::coroutine_handle<> self);
  IoResult await_resume();

 private:
  friend class Core;
  Core* core_;  // null when the socket was destroyed meanwhile
  std::size_t expected_bytes_;
  std::size_t size_before_ = 0;
  CancelToken token_;
};

class [[nodiscard]] Socket::Flush : public Waiter {
 public:
  ~Flush();
  Flush(Core* core, std::size_t target, std::size_t threshold, CancelToken token)
      : core_(core), target_(target), threshold_(threshold), token_(std::move(token)) {}
  bool await_ready();
  void await_suspend(std::coroutine_handle<> self);
  IoResult await_resume();

 private:
  friend class Core;
  Core* core_;
  std::size_t target_;     // wait until no more than this is queued
  std::size_t threshold_;  // but do not wait at all if no more than this is
  CancelToken token_;
};

/// Connects to the first of the address's addresses that answers. Names are resolved on a worker.
Task<std::expected<Socket, NetError>> connect_socket(Address address, CancelToken token = {});

/// A listening socket (SO_REUSEADDR) on the current loop.
class Listener {
 public:
  /// Port 0 takes a free one. A stale Unix socket at the path is replaced.
  static std::expected<Listener, NetError> open(const Address& address, int backlog = 1024);
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();

  /// The port it listens on (0 for Unix sockets).
  std::uint16_t port() const;
  /// The next connection, to be adopted by a Socket on this or another loop. When descriptors run
  /// out it waits and tries again.
  Task<std::expected<UniqueFd, NetError>> accept(CancelToken token = {});
  /// Stops listening; a waiting accept() answers closed.
  void close();

 private:
  class Core;
  explicit Listener(Core* core) : core_(core) {}
  Core* core_ = nullptr;
};

}  // namespace anabranch::net
