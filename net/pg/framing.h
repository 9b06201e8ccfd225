#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/buffer.h"

/// PostgreSQL's frontend/backend protocol, version 3 ("Message Formats" in its documentation).
namespace anabranch::net::pg {

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

/// Cuts the first message out of `bytes`. `limit` bounds its length, type byte included.
std::expected<Frame, DecodeError> cut_message(std::string_view bytes,
                                              std::size_t limit = max_message_bytes);
/// The same for the untyped first packet of a connection.
std::expected<Frame, DecodeError> cut_startup(std::string_view bytes);

/// Writes one message: type and a length that is patched when the writer goes out of scope.
class MessageWriter {
 public:
  MessageWriter(Buffer& out, char type);
  /// An untyped packet (startup, SSLRequest, CancelRequest).
  explicit MessageWriter(Buffer& out);
  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;
  ~MessageWriter();

  void int8(std::uint8_t value) { out_.append(static_cast<char>(value)); }
  void int16(std::int16_t value);
  void int32(std::int32_t value);
  void bytes(std::string_view value) { out_.append(value); }
  /// A zero-terminated string. A zero byte inside would cut it: a caller's bug, aborts.
  void string(std::string_view value);

 private:
  Buffer& out_;
  std::size_t length_at_;
};

/// Reads a payload's fields in order; nothing is read past its end. After the first failure
/// everything reads as zero or empty and ok() is false.
class FieldReader {
 public:
  explicit FieldReader(std::string_view payload) : rest_(payload) {}

  std::uint8_t int8();
  std::int16_t int16();
  std::int32_t int32();
  std::string_view bytes(std::size_t count);
  /// Up to the next zero byte, which is skipped.
  std::string_view string();
  std::string_view rest();

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }
  void fail() { ok_ = false, rest_ = {}; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::int16_t load_int16(const char* bytes);
std::int32_t load_int32(const char* bytes);
void store_int16(char* bytes, std::int16_t value);
void store_int32(char* bytes, std::int32_t value);

}  // namespace anabranch::net::pg
