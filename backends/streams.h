#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "backends/lost.h"
#include "backends/stopped.h"
#include "values/errors.h"

namespace anabranch::backends {

/// Several leases at once, each with a stream of replies (ReplyStream, MysqlRowStream): sends all, reads whichever
/// has something. The leases must stay where they are. One coroutine at a time.
template <class Stream>
class Streams {
 public:
  using Reply = typename Stream::Reply;
  explicit Streams(net::CancelToken token = {}) : token_(std::move(token)) {}
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  /// Requests are queued on the lease by the caller. Answers the source's index. `options`: what the stream is made
  /// of, beside its lease.
  template <class... Options>
  std::size_t add(Lease& lease, Options... options);
  std::size_t size() const { return sources_.size(); }
  Stream& stream(std::size_t source) { return *sources_[source].stream; }
  Lease& lease(std::size_t source) { return sources_[source].stream->lease(); }

  /// Starts sending what is queued on every lease; the rest goes out while replies are read.
  void send();

  struct Next {
    std::size_t source = 0;
    Reply reply;
  };
  /// The next reply of any source that is not finished and not paused, taken in turn; nothing: all
  /// are finished.
  net::Task<std::optional<Next>> next();
  /// The next reply of one source (for an ordered merge).
  net::Task<Reply> next_of(std::size_t source);
  /// A paused source is not read: back-pressure.
  void pause(std::size_t source, bool paused) { sources_[source].paused = paused; }
  /// Its last ReadyForQuery has come.
  bool finished(std::size_t source) const { return sources_[source].finished; }

  /// Waits until no source is congested by what is being written (COPY IN), or one has something to
  /// say (then answers false: call next()).
  net::Task<bool> writable();
  /// Reads and drops everything until all sources are finished. Errors of the servers are dropped
  /// too; those of connections mark them broken.
  net::Task<void> drain();

 private:
  struct Source {
    std::unique_ptr<Stream> stream;
    ServerConnection* connection = nullptr;  // while its socket is watched
    bool finished = false;
    bool paused = false;
  };
  std::optional<Next> poll_any(bool& open);
  void finish(Source& source);
  static void forget(Source& source);
  std::optional<Reply> poll_source(std::size_t source);

  net::Signal signal_;
  net::CancelToken token_;
  std::vector<Source> sources_;
  std::size_t turn_ = 0;
};

template <class Stream>
Streams<Stream>::~Streams() {
  for (Source& source : sources_) forget(source);
}

template <class Stream>
template <class... Options>
std::size_t Streams<Stream>::add(Lease& lease, Options... options) {
  Source source;
  source.stream = std::make_unique<Stream>(lease, options...);
  source.connection = &*lease;
  lease->socket().watch(&signal_);
  sources_.push_back(std::move(source));
  return sources_.size() - 1;
}

// Its connection may be in other hands already: then it is none of ours.
template <class Stream>
void Streams<Stream>::forget(Source& source) {
  ServerConnection* connection = std::exchange(source.connection, nullptr);
  if (!connection) return;
  Lease& lease = source.stream->lease();
  if (lease && &*lease == connection && connection->socket().is_open()) {
    connection->socket().watch(nullptr);
  }
}

template <class Stream>
void Streams<Stream>::finish(Source& source) {
  source.finished = true;
  forget(source);
}

template <class Stream>
void Streams<Stream>::send() {
  for (Source& source : sources_) {
    if (!source.finished) source.stream->lease()->socket().send_now();
  }
}

template <class Stream>
auto Streams<Stream>::poll_source(std::size_t index) -> std::optional<Reply> {
  Source& source = sources_[index];
  try {
    std::optional<Reply> reply = source.stream->poll();
    if (!reply) {
      net::Socket& socket = source.stream->lease()->socket();
      socket.start_reading(source.stream->needed());
      reply = source.stream->poll();
      if (!reply) {
        if (socket.queued() > 0) socket.send_now();
        check_alive(source.stream->lease());
      }
    }
    if (reply && source.stream->ends_with(*reply)) {
      finish(source);
    }
    return reply;
  } catch (...) {
    finish(source);
    throw;
  }
}

template <class Stream>
auto Streams<Stream>::poll_any(bool& open) -> std::optional<Next> {
  open = false;
  for (std::size_t step = 0; step < sources_.size(); ++step) {
    const std::size_t index = (turn_ + step) % sources_.size();
    if (sources_[index].finished) continue;
    open = true;
    if (sources_[index].paused) continue;
    if (std::optional<Reply> reply = poll_source(index)) {
      turn_ = index + 1;
      return Next{index, std::move(*reply)};
    }
  }
  return std::nullopt;
}

template <class Stream>
net::Task<std::optional<typename Streams<Stream>::Next>> Streams<Stream>::next() {
  for (;;) {
    bool open = false;
    if (std::optional<Next> found = poll_any(open)) co_return std::move(found);
    if (!open) co_return std::nullopt;
    if (co_await signal_.wait(token_) != net::Wait::ready) throw stopped(token_.state());
  }
}

template <class Stream>
net::Task<typename Stream::Reply> Streams<Stream>::next_of(std::size_t source) {
  for (;;) {
    if (std::optional<Reply> reply = poll_source(source)) co_return std::move(*reply);
    if (co_await signal_.wait(token_) != net::Wait::ready) throw stopped(token_.state());
  }
}

template <class Stream>
net::Task<bool> Streams<Stream>::writable() {
  send();
  for (;;) {
    bool congested = false;
    for (Source& source : sources_) {
      if (source.finished) continue;
      net::Socket& socket = source.stream->lease()->socket();
      socket.start_reading();
      if (!socket.received().empty() || socket.at_end() || socket.error()) co_return false;
      congested |= socket.congested();
    }
    if (!congested) co_return true;
    if (co_await signal_.wait(token_) != net::Wait::ready) throw stopped(token_.state());
  }
}

template <class Stream>
net::Task<void> Streams<Stream>::drain() {
  for (Source& source : sources_) source.paused = false;
  bool more = true;
  while (more) {
    try {
      more = (co_await next()).has_value();
    } catch (const values::SqlError&) {
      if (token_.cancelled()) throw;
    }
  }
}

}  // namespace anabranch::backends
