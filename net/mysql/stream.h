#pragma once

#include <expected>
#include <optional>

#include "net/mysql/framing.h"
#include "net/socket.h"

namespace anabranch::net::mysql {

/// The next whole frame that `socket` has already received, consumed; its views are valid until the
/// socket's next fill() or start_reading(). Nothing: more bytes are needed (`needed`, if given, is
/// set to how many received() must hold). After an error nothing was consumed.
std::expected<std::optional<Frame>, DecodeError> take_frame(Socket& socket,
                                                            std::size_t limit = max_frame_bytes,
                                                            std::size_t* needed = nullptr);
/// The same for a whole packet of one or more frames.
std::expected<std::optional<Packet>, DecodeError> take_packet(Socket& socket,
                                                              std::size_t limit = max_packet_bytes,
                                                              std::size_t* needed = nullptr);

/// Waits for the next whole frame or packet. Hot paths try the above first, which make no
/// coroutine; so does who must tell the peer a protocol error's number, which a NetError does not
/// have.
Task<std::expected<Frame, NetError>> read_frame(Socket& socket, CancelToken token = {},
                                                std::size_t limit = max_frame_bytes);
Task<std::expected<Packet, NetError>> read_packet(Socket& socket, CancelToken token = {},
                                                  std::size_t limit = max_packet_bytes);

}  // namespace anabranch::net::mysql
