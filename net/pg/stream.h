#pragma once

#include <expected>
#include <optional>

#include "net/pg/messages.h"
#include "net/socket.h"

namespace anabranch::net::pg {

/// The next whole message that `socket` has already received, consumed; its views are valid until
/// the socket's next fill() or start_reading(). Nothing: more bytes are needed (`needed`, if given,
/// is set to how many received() must hold).
std::expected<std::optional<Message>, NetError> take_message(Socket& socket,
                                                             std::size_t limit = max_message_bytes,
                                                             std::size_t* needed = nullptr);

/// take_message() for hot paths: false where no whole message is there, or what is there is none; ask
/// take_message() which.
inline bool take_whole(Socket& socket, Message& message, std::size_t limit = max_message_bytes) {
  if (!cut_whole(socket.received(), limit, message)) return false;
  socket.consume(message.raw.size());
  return true;
}

/// Waits for the next whole message. Hot paths try take_message first, which makes no coroutine.
Task<std::expected<Message, NetError>> read_message(Socket& socket, CancelToken token = {},
                                                    std::size_t limit = max_message_bytes);

/// Waits for a connection's first packet (type 0).
Task<std::expected<Message, NetError>> read_startup(Socket& socket, CancelToken token = {});

}  // namespace anabranch::net::pg
