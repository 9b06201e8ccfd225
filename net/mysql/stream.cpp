#include "net/mysql/stream.h"

namespace anabranch::net::mysql {

namespace {

NetError protocol_error(const DecodeError& error) {
  return {NetError::Kind::protocol, error.message};
}

/// The end of the stream is in good order only between two packets.
NetError ended(const Socket& socket, NetError error) {
  if (error.kind == NetError::Kind::closed && socket.is_open() && !socket.received().empty()) {
    return {NetError::Kind::protocol, "the connection was closed in the middle of a packet"};
  }
  return error;
}

}  // namespace

std::expected<std::optional<Frame>, DecodeError> take_frame(Socket& socket, std::size_t limit,
                                                            std::size_t* needed) {
  const auto cut = cut_frame(socket.received(), limit);
  if (!cut) return std::unexpected(cut.error());
  if (needed) *needed = cut->needed;
  if (cut->frame) socket.consume(cut->frame->raw.size());
  return cut->frame;
}

std::expected<std::optional<Packet>, DecodeError> take_packet(Socket& socket, std::size_t limit,
                                                              std::size_t* needed) {
  const auto cut = cut_packet(socket.received(), limit);
  if (!cut) return std::unexpected(cut.error());
  if (needed) *needed = cut->needed;
  if (cut->packet) socket.consume(cut->packet->raw.size());
  return cut->packet;
}

Task<std::expected<Frame, NetError>> read_frame(Socket& socket, CancelToken token,
                                                std::size_t limit) {
  for (;;) {
    std::size_t needed = 0;
    auto taken = take_frame(socket, limit, &needed);
    if (!taken) co_return std::unexpected(protocol_error(taken.error()));
    if (*taken) co_return **taken;
    IoResult filled = co_await socket.fill(needed, token);
    if (!filled) co_return std::unexpected(ended(socket, std::move(filled.error())));
  }
}

Task<std::expected<Packet, NetError>> read_packet(Socket& socket, CancelToken token,
                                                  std::size_t limit) {
  for (;;) {
    std::size_t needed = 0;
    auto taken = take_packet(socket, limit, &needed);
    if (!taken) co_return std::unexpected(protocol_error(taken.error()));
    if (*taken) co_return **taken;
    IoResult filled = co_await socket.fill(needed, token);
    if (!filled) co_return std::unexpected(ended(socket, std::move(filled.error())));
  }
}

}  // namespace anabranch::net::mysql
