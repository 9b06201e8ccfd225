#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/buffer.h"

/// The client/server protocol of MySQL and MariaDB, version 10 ("MySQL Packets" and "Protocol
/// Basics" in their documentations). Everything here is for CLIENT_PROTOCOL_41.
namespace anabranch::net::mysql {

/// The server errors that this room makes itself ("Server Error Message Reference").
namespace error_code {
inline constexpr std::uint16_t bad_handshake = 1043;
inline constexpr std::uint16_t access_denied = 1045;
inline constexpr std::uint16_t packet_too_large = 1153;
inline constexpr std::uint16_t out_of_order = 1156;
inline constexpr std::uint16_t unsupported_authentication = 1251;
inline constexpr std::uint16_t malformed_packet = 1835;
}  // namespace error_code

/// What broke, in words, and the error number that a client is told; the connection is of no
/// further use.
struct DecodeError {
  std::string message;
  std::uint16_t code = error_code::malformed_packet;
};

inline constexpr std::size_t header_bytes = 4;
/// A frame of this length is followed by another one of the same packet, an empty one at least.
inline constexpr std::size_t max_frame_bytes = 0xff'ffff;
/// No packet may be longer than this: the largest max_allowed_packet there is.
inline constexpr std::size_t max_packet_bytes = std::size_t{1} << 30;
/// Bound for what arrives before a client has proved who it is: names, an answer, 64 KiB of
/// connection attributes.
inline constexpr std::size_t max_unauthenticated_bytes = 96 * 1024;

/// A frame ("physical packet") as it stands in a read buffer: what a relay passes on. A row of 16
/// MiB or more is many of them, and need never be held whole.
struct Frame {
  std::uint8_t sequence = 0;
  std::string_view payload;
  std::string_view raw;  // header included

  /// The next frame belongs to the same packet.
  bool continues() const { return payload.size() == max_frame_bytes; }
};
/// What stands at the front of some bytes: a whole frame, or how many bytes it needs.
struct FrameCut {
  std::optional<Frame> frame;
  std::size_t needed = 0;  // total length known or least that must be there to know it
};
/// Cuts the first frame out of `bytes`. `limit` bounds its payload, and is checked before the
/// payload is there.
std::expected<FrameCut, DecodeError> cut_frame(std::string_view bytes,
                                               std::size_t limit = max_frame_bytes);

/// A packet as it stands in a read buffer: one frame, or from 16 MiB on several.
struct Packet {
  std::uint8_t sequence = 0;  // of its first frame
  std::size_t size = 0;       // of the whole payload
  std::string_view raw;       // all its frames, headers included

  bool in_place() const { return size < max_frame_bytes; }
  /// The payload: a view into the read buffer where it is one frame's, else joined in `scratch`
  /// (which is cleared first).
  std::string_view payload(Buffer& scratch) const;
  std::size_t frames() const { return (raw.size() - size) / header_bytes; }
};
struct PacketCut {
  std::optional<Packet> packet;
  std::size_t needed = 0;
};
/// Cuts the first packet out of `bytes`. `limit` bounds its payload as far as its headers have told
/// it; the frames of a packet must be numbered one after the other.
std::expected<PacketCut, DecodeError> cut_packet(std::string_view bytes,
                                                 std::size_t limit = max_packet_bytes);

/// The number that the next frame must bear, whoever sends it. A command starts at 0; wraps at 256.
class Sequence {
 public:
  explicit Sequence(std::uint8_t next = 0) : next_(next) {}
  std::uint8_t next() const { return next_; }
  std::uint8_t take() { return next_++; }
  void reset(std::uint8_t next = 0) { next_ = next; }
  /// Checks the peer's numbers, and counts them.
  std::expected<void, DecodeError> accept(const Frame& frame) { return accept(frame.sequence, 1); }
  std::expected<void, DecodeError> accept(const Packet& packet) {
    return accept(packet.sequence, packet.frames());
  }

 private:
  std::expected<void, DecodeError> accept(std::uint8_t sequence, std::size_t frames);
  std::uint8_t next_;
};

/// Appends whole frames as they are but for their numbers. Bytes that are not whole frames are a
/// caller's bug: aborts. (A relay whose numbers agree needs no more than Buffer::append.)
void append_renumbered(Buffer& out, std::string_view frames, Sequence& sequence);

/// Writes one packet; its length is patched, and it is cut into frames, when the writer goes out of
/// scope. Integers are little-endian.
class PacketWriter {
 public:
  PacketWriter(Buffer& out, Sequence& sequence);
  PacketWriter(const PacketWriter&) = delete;
  PacketWriter& operator=(const PacketWriter&) = delete;
  ~PacketWriter();

  void int1(std::uint8_t value) { out_.append(static_cast<char>(value)); }
  void int2(std::uint16_t value) { integer(value, 2); }
  void int3(std::uint32_t value) { integer(value, 3); }
  void int4(std::uint32_t value) { integer(value, 4); }
  void int8(std::uint64_t value) { integer(value, 8); }
  /// A length-encoded integer, in its shortest form.
  void lenenc(std::uint64_t value);
  void bytes(std::string_view value) { out_.append(value); }
  void zeros(std::size_t count);
  void lenenc_string(std::string_view value) { lenenc(value.size()), bytes(value); }
  /// A text row's value; nothing is NULL.
  void field(const std::optional<std::string_view>& value);
  /// A zero-terminated string. A zero byte inside would cut it: a caller's bug, aborts.
  void string(std::string_view value);

  /// Bytes of payload written so far, and the byte at one of their offsets, to patch it.
  std::size_t size() const { return out_.size() - start_; }
  char* at(std::size_t offset) { return out_.at(start_ + offset); }

 private:
  void integer(std::uint64_t value, std::size_t bytes);
  void split(std::size_t payload);
  Buffer& out_;
  Sequence& sequence_;
  std::size_t start_;  // of the payload
};

}  // namespace anabranch::net::mysql
