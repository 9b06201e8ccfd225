#include "net/pg/stream.h"

namespace anabranch::net::pg {

namespace {

NetError protocol_error(DecodeError error) {
  return {NetError::Kind::protocol, std::move(error.message)};
}

using Taken = std::expected<std::optional<Message>, NetError>;

Taken take(Socket& socket, std::expected<Frame, DecodeError> frame, std::size_t* needed) {
  if (!frame) return std::unexpected(protocol_error(std::move(frame.error())));
  if (needed) *needed = frame->needed;
  if (frame->message) socket.consume(frame->message->raw.size());
  return frame->message;
}

/// The end of the stream is in good order only between two messages.
NetError ended(const Socket& socket, NetError error) {
  if (error.kind == NetError::Kind::closed && socket.is_open() && !socket.received().empty()) {
    return {NetError::Kind::protocol, "the connection was closed in the middle of a message"};
  }
  return error;
}

}  // namespace

Taken take_message(Socket& socket, std::size_t limit, std::size_t* needed) {
  return take(socket, cut_message(socket.received(), limit), needed);
}

Task<std::expected<Message, NetError>> read_message(Socket& socket, CancelToken token,
                                                    std::size_t limit) {
  for (;;) {
    std::size_t needed = 0;
    Taken taken = take_message(socket, limit, &needed);
    if (!taken) co_return std::unexpected(std::move(taken.error()));
    if (*taken) co_return **taken;
    IoResult filled = co_await socket.fill(needed, token);
    if (!filled) co_return std::unexpected(ended(socket, std::move(filled.error())));
  }
}

Task<std::expected<Message, NetError>> read_startup(Socket& socket, CancelToken token) {
  for (;;) {
    std::size_t needed = 0;
    Taken taken = take(socket, cut_startup(socket.received()), &needed);
    if (!taken) co_return std::unexpected(std::move(taken.error()));
    if (*taken) co_return **taken;
    IoResult filled = co_await socket.fill(needed, token);
    if (!filled) co_return std::unexpected(ended(socket, std::move(filled.error())));
  }
}

}  // namespace anabranch::net::pg
