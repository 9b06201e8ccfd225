#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "net/buffer.h"
#include "net/payload_reader.h"

/// PostgreSQL's frontend/backend protocol, version 3 ("Message Formats" in its documentation).
namespace anabranch::net::pg {

inline std::int16_t load_int16(const char* bytes) {
  const auto* b = reinterpret_cast<const unsigned char*>(bytes);
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(b[0] << 8 | b[1]));
}
inline std::int32_t load_int32(const char* bytes) {
  const auto* b = reinterpret_cast<const unsigned char*>(bytes);
  return static_cast<std::int32_t>(std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 |
                                   std::uint32_t{b[2]} << 8 | std::uint32_t{b[3]});
}
inline void store_int16(char* bytes, std::int16_t value) {
  const auto bits = static_cast<std::uint16_t>(value);
  bytes[0] = static_cast<char>(bits >> 8);
  bytes[1] = static_cast<char>(bits);
}
inline void store_int32(char* bytes, std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  bytes[0] = static_cast<char>(bits >> 24);
  bytes[1] = static_cast<char>(bits >> 16);
  bytes[2] = static_cast<char>(bits >> 8);
  bytes[3] = static_cast<char>(bits);
}

/// What broke, in words; the connection is of no further use.
struct DecodeError {
  std::string message;
};

/// A whole message as it stands in a read buffer.
struct Message {
  char type = 0;             // 0 for the untyped startup packets
  std::string_view payload;  // after type and length
  std::string_view raw;      // type and length included, to be relayed as it is
};

/// A set of message types, all of them letters.
class MessageTypes {
 public:
  MessageTypes() = default;
  explicit constexpr MessageTypes(std::string_view letters) {
    for (const char letter : letters) bits_ |= bit(letter);
  }
  constexpr bool has(char type) const { return (bits_ & bit(type)) != 0; }
  constexpr void remove(char type) { bits_ &= ~bit(type); }

 private:
  static constexpr std::uint64_t bit(char type) { return type >= '@' ? std::uint64_t{1} << (type - '@') : 0; }
  std::uint64_t bits_ = 0;
};

/// No message may be longer than this (PostgreSQL's own bound of a datum, 1 GiB, and a little).
inline constexpr std::size_t max_message_bytes = (1u << 30) + (1u << 16);
/// Longest startup packet that PostgreSQL accepts.
inline constexpr std::size_t max_startup_bytes = 10'000;
/// Bounds for messages before a client has proved who it is, as PostgreSQL has them: a password in
/// clear, and an answer to a challenge (SASL, md5).
inline constexpr std::size_t max_unauthenticated_bytes = 65'536;
inline constexpr std::size_t max_challenge_answer_bytes = 1'024 + 5;

/// What stands at the front of `bytes`: a whole message, or how many bytes it needs.
struct Frame {
  std::optional<Message> message;
  std::size_t needed = 0;  // total length known or least that must be there to know it
};

/// The first message of `bytes` where it is there whole and in order; false: ask cut_message() why not.
inline bool cut_whole(std::string_view bytes, std::size_t limit, Message& message) {
  constexpr std::size_t header_bytes = 1 + sizeof(std::int32_t);
  if (bytes.size() < header_bytes) return false;
  const auto length = static_cast<std::uint32_t>(load_int32(bytes.data() + 1));
  if (length < sizeof length || length >= limit || length >= bytes.size()) return false;
  const std::string_view raw(bytes.data(), 1 + std::size_t{length});
  message = {raw[0], std::string_view(raw.data() + header_bytes, raw.size() - header_bytes), raw};
  return true;
}
/// Cuts the first message out of `bytes`. `limit` bounds its length, type byte included.
std::expected<Frame, DecodeError> cut_message(std::string_view bytes,
                                              std::size_t limit = max_message_bytes);
/// The same for the untyped first packet of a connection.
std::expected<Frame, DecodeError> cut_startup(std::string_view bytes);

/// Writes one message: type and a length that is patched when the writer goes out of scope.
class MessageWriter {
 public:
  MessageWriter(Buffer& out, char type) : out_(out), length_at_(out.size() + 1) {
    *out.grow(1 + sizeof(std::int32_t)) = type;
  }
  /// An untyped packet (startup, SSLRequest, CancelRequest).
  explicit MessageWriter(Buffer& out) : out_(out), length_at_(out.size()) { out.grow(sizeof(std::int32_t)); }
  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;
  ~MessageWriter() {
    const std::size_t length = out_.size() - length_at_;
    if (length > std::numeric_limits<std::int32_t>::max()) die("a message is longer than 2 GiB");
    store_int32(out_.at(length_at_), static_cast<std::int32_t>(length));
  }

  void int8(std::uint8_t value) { out_.append(static_cast<char>(value)); }
  void int16(std::int16_t value) { store_int16(out_.grow(2), value); }
  void int32(std::int32_t value) { store_int32(out_.grow(4), value); }
  void bytes(std::string_view value) { out_.append(value); }
  /// A zero-terminated string. A zero byte inside would cut it: a caller's bug, aborts.
  void string(std::string_view value);

 private:
  [[noreturn]] static void die(const char* what);

  Buffer& out_;
  std::size_t length_at_;
};

/// Reads a payload's fields in order; after a failure integers read as zero.
class FieldReader : public PayloadReader {
 public:
  using PayloadReader::PayloadReader;

  std::uint8_t int8() {
    const std::string_view taken = bytes(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
  }
  std::int16_t int16() {
    const std::string_view taken = bytes(2);
    return taken.empty() ? std::int16_t{0} : load_int16(taken.data());
  }
  std::int32_t int32() {
    const std::string_view taken = bytes(4);
    return taken.empty() ? 0 : load_int32(taken.data());
  }
};

}  // namespace anabranch::net::pg
