#pragma once

#include <memory>
#include <optional>

#include "net/poll_handle.h"
#include "net/socket.h"
#include "net/tls_session.h"

namespace anabranch::net {

/// What a Socket is behind its handle; internal to this room. Its callbacks never run a session's
/// code: they move bytes and make waiters ready.
class Socket::Core final : public PollHandle, public Socket::State {
 public:
  explicit Core(int fd);

  // Reading.
  bool has_room() const { return in.capacity() == 0 || in.spare() > 0; }
  void make_room(std::size_t expected_bytes);
  void read_available() {
    read_wants_write_ = false;
    if (maybe_readable_ && has_room() && !end_of_stream && !failed()) read_all();
  }
  void want_reading();

  // Writing.
  void send_available();
  void end_writing();

  void update_polling();
  void fail(NetError why);
  bool failed() const { return error.has_value(); }

  /// Drives the handshake; answers whether it succeeded. `beginning` is what has been received of
  /// it. The core may be gone after a wait.
  static Task<IoResult> handshake(Core* core, std::shared_ptr<TlsContext> context, bool as_server,
                                  std::string host, CancelToken token, std::string beginning = {});

  /// The core may be gone after a wait.
  static Task<std::expected<unsigned char, NetError>> peek(Core* core, CancelToken token);

  std::size_t least_room = Buffer::pooled_bytes;  // how much memory is taken to read into
  std::unique_ptr<TlsSession> tls;
  Fill* fill = nullptr;
  Flush* flush = nullptr;
  Signal* watcher = nullptr;
  Link readers;
  Link writers;

 private:
  void on_events(int events, bool failed_poll) override;
  void take_events(int events, bool failed_poll);
  void on_dispose() override;
  void read_all();
  Transfer read_once(std::size_t& count);
  Transfer send_once(std::size_t& count);
  void notify_reader();
  void notify_writer();
  NetError system_failure(int code) const;

  bool reading_ = false;           // somebody wants bytes as they come
  bool maybe_readable_ = true;     // the last read did not empty the socket
  bool grow_next_ = false;         // reads fill the buffer: a larger one saves system calls
  bool read_wants_write_ = false;  // TLS
  bool write_wants_read_ = false;  // TLS
  bool above_low_mark_ = false;
  bool shutdown_wanted_ = false;
  bool shutdown_done_ = false;
};

}  // namespace anabranch::net
