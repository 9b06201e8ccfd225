#include "net/socket_core.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/fault.h"

namespace anabranch::net {

namespace {

constexpr std::size_t largest_idle_growth = 128 * 1024;
constexpr std::size_t least_growth = 4 * 1024;

}  // namespace

Socket::Core::Core(int descriptor) : PollHandle(descriptor) {
  if (broken()) fail({NetError::Kind::failed, "the descriptor cannot be polled"});
}

// --- reading ---

// Room appears only here, so that views of received bytes stay where they are between two calls.
void Socket::Core::make_room(std::size_t expected_bytes) {
  const std::size_t held = in.size();
  if (held == 0) {
    if (grow_next_) {
      const std::size_t larger = std::min(in.capacity() * 2, largest_idle_growth);
      in.reserve_spare(std::max(larger, in.capacity()), least_room);
    } else if (maybe_readable_ && in.capacity() == Buffer::pooled_bytes) {
      in.clear();
    } else {
      in.release();  // an idle session holds no buffer; the next bytes take one from the pool
    }
  } else {
    const std::size_t missing = expected_bytes > held ? expected_bytes - held : 0;
    const std::size_t least = std::min(least_growth, least_room);
    in.reserve_spare(std::clamp(missing, least, std::max(held, least_room)), least_room);
  }
  grow_next_ = false;
}

Transfer Socket::Core::read_once(std::size_t& count) {
  if (tls) return tls->read(in.spare_data(), in.spare(), count);
  for (;;) {
    const ssize_t got = ::recv(fd(), in.spare_data(), in.spare(), 0);
    if (got > 0) {
      count = static_cast<std::size_t>(got);
      return Transfer::done;
    }
    if (got == 0) return Transfer::end;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Transfer::want_read;
    fail(system_failure(errno));
    return Transfer::failed;
  }
}

void Socket::Core::read_all() {
  bool progress = false;
  while (maybe_readable_ && has_room() && !end_of_stream && !failed()) {
    const bool taken_now = in.capacity() == 0;
    if (taken_now) in.reserve_spare(1, least_room);
    const std::size_t room = in.spare();
    std::size_t count = 0;
    switch (read_once(count)) {
      case Transfer::done:
        in.commit(count);
        progress = true;
        grow_next_ = count == room;
        // A short read has emptied a plain socket: no second call that only hears EAGAIN.
        if (!tls && count < room) maybe_readable_ = false;
        break;
      case Transfer::want_write:
        read_wants_write_ = true;
        maybe_readable_ = false;
        break;
      case Transfer::want_read:
        maybe_readable_ = false;
        break;
      case Transfer::end:
        end_of_stream = progress = true;
        break;
      case Transfer::failed:
        if (!failed()) fail({NetError::Kind::tls, tls->failure()});
        progress = true;
        break;
    }
    // Who says nothing holds nothing. Only memory that nobody has seen yet may go.
    if (taken_now && in.empty()) in.release();
  }
  if (progress) notify_reader();
}

void Socket::Core::want_reading() {
  reading_ = true;
  update_polling();
}

void Socket::Core::notify_reader() {
  if (fill && fill->linked()) fill->wake();
  if (watcher) watcher->notify();
}

// --- writing ---

Transfer Socket::Core::send_once(std::size_t& count) {
  const std::string_view bytes = out.view();
  if (tls) return tls->write(bytes.data(), bytes.size(), count);
  for (;;) {
    const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      count = static_cast<std::size_t>(sent);
      return Transfer::done;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Transfer::want_write;
    fail(system_failure(errno));
    return Transfer::failed;
  }
}

void Socket::Core::send_available() {
  bool blocked = false;
  write_wants_read_ = false;
  while (!out.empty() && !blocked && !failed()) {
    std::size_t count = 0;
    const std::size_t wanted = out.size();
    switch (send_once(count)) {
      case Transfer::done:
        out.consume(count);
        blocked = !tls && count < wanted;  // the system's buffer is full
        break;
      case Transfer::want_read:
        write_wants_read_ = blocked = true;
        break;
      case Transfer::want_write:
        blocked = true;
        break;
      case Transfer::end:
        fail({NetError::Kind::closed, "the peer has closed the connection"});
        break;
      case Transfer::failed:
        if (!failed()) fail({NetError::Kind::tls, tls->failure()});
        break;
    }
  }
  if (out.empty()) {
    out.release();
    if (shutdown_wanted_) end_writing();
  }
  update_polling();
  notify_writer();
}

void Socket::Core::end_writing() {
  shutdown_wanted_ = true;
  if (!out.empty() || shutdown_done_ || failed()) return;
  shutdown_done_ = true;
  if (tls) tls->shutdown();
  ::shutdown(fd(), SHUT_WR);
}

// --- events ---

void Socket::Core::update_polling() {
  int events = 0;
  if (!failed()) {
    if (reading_ && has_room() && !end_of_stream) {
      events |= read_wants_write_ ? UV_WRITABLE : UV_READABLE;
    }
    if (!out.empty()) events |= write_wants_read_ ? UV_READABLE : UV_WRITABLE;
  }
  poll_for(events);
}

// Memory may be short for what has come.
void Socket::Core::on_events(int events, bool failed_poll) {
  if (guarded("a connection", [&] { take_events(events, failed_poll); })) return;
  fail({NetError::Kind::failed, "it was ended by an internal error"});
  update_polling();
}

void Socket::Core::take_events(int events, bool failed_poll) {
  const bool readable = (events & UV_READABLE) != 0;
  const bool writable = (events & UV_WRITABLE) != 0;
  if (readable || (writable && read_wants_write_)) {
    maybe_readable_ = true;
    if (reading_) read_available();
  }
  if (!out.empty() && (writable || (readable && write_wants_read_))) send_available();
  if (failed_poll && !failed() && !end_of_stream) {
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &code, &size);
    fail(system_failure(code ? code : ECONNRESET));
  }
  update_polling();
}

void Socket::Core::fail(NetError why) {
  if (!error) error = std::move(why);
  out.release();
  notify_reader();
  notify_writer();
}

void Socket::Core::on_dispose() {
  if (tls && !failed()) tls->shutdown();
  tls.reset();
  if (fill) {
    fill->core_ = nullptr;
    if (fill->linked()) fill->wake();
  }
  if (flush) {
    flush->core_ = nullptr;
    if (flush->linked()) flush->wake();
  }
  fill = nullptr;
  flush = nullptr;
  watcher = nullptr;
  in.release();
  out.release();
}

NetError Socket::Core::system_failure(int code) const {
  return {NetError::Kind::failed, std::strerror(code)};
}

void Socket::Core::notify_writer() {
  if (flush && flush->linked() && (failed() || out.size() <= flush->target_)) flush->wake();
  if (out.size() > low_mark) {
    above_low_mark_ = true;
  } else if (std::exchange(above_low_mark_, false) && watcher) {
    watcher->notify();
  }
}

Task<std::expected<unsigned char, NetError>> Socket::Core::peek(Core* core, CancelToken token) {
  for (;;) {
    if (core->failed()) co_return std::unexpected(*core->error);
    unsigned char byte = 0;
    const ssize_t got = ::recv(core->fd(), &byte, 1, MSG_PEEK);
    if (got > 0) co_return byte;
    if (got == 0) {
      co_return std::unexpected(NetError{NetError::Kind::closed, "the peer has closed the connection"});
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return std::unexpected(core->system_failure(errno));
    IoResult waited = co_await core->ready(UV_READABLE, token);
    if (!waited) co_return std::unexpected(std::move(waited.error()));
  }
}

// --- TLS handshake ---

Task<IoResult> Socket::Core::handshake(Core* core, std::shared_ptr<TlsContext> context,
                                       bool as_server, std::string host, CancelToken token,
                                       std::string beginning) {
  if (core->failed()) co_return std::unexpected(*core->error);
  if (!as_server && !core->in.empty()) {
    co_return std::unexpected(
        NetError{NetError::Kind::protocol, "received unencrypted data after the TLS request"});
  }
  core->poll_for(0);
  core->reading_ = false;
  core->tls = std::make_unique<TlsSession>(std::move(context), core->fd(), as_server, host);
  if (!beginning.empty()) core->tls->begin_with(beginning);
  for (;;) {
    const Transfer what = core->tls->handshake();
    if (what == Transfer::done) break;
    if (what != Transfer::want_read && what != Transfer::want_write) {
      NetError why{NetError::Kind::tls, core->tls->failure()};
      core->fail(why);
      co_return std::unexpected(std::move(why));
    }
    const int events = what == Transfer::want_read ? UV_READABLE : UV_WRITABLE;
    IoResult waited = co_await core->ready(events, token);
    if (!waited) co_return waited;
  }
  core->maybe_readable_ = true;
  co_return IoResult();
}

}  // namespace anabranch::net
