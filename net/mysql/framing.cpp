#include "net/mysql/framing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace anabranch::net::mysql {

namespace {

[[noreturn]] void die(const char* what) {
  fmt::print(stderr, "net::mysql: {}\n", what);
  std::abort();
}

std::size_t load_length(const char* header) {
  const auto* b = reinterpret_cast<const unsigned char*>(header);
  return std::size_t{b[0]} | std::size_t{b[1]} << 8 | std::size_t{b[2]} << 16;
}

void store_header(char* header, std::size_t length, std::uint8_t sequence) {
  header[0] = static_cast<char>(length);
  header[1] = static_cast<char>(length >> 8);
  header[2] = static_cast<char>(length >> 16);
  header[3] = static_cast<char>(sequence);
}

DecodeError too_large() {
  return {"Got a packet bigger than 'max_allowed_packet' bytes", error_code::packet_too_large};
}

DecodeError out_of_order() {
  return {"Got packets out of order", error_code::out_of_order};
}

}  // namespace

std::expected<FrameCut, DecodeError> cut_frame(std::string_view bytes, std::size_t limit) {
  if (bytes.size() < header_bytes) return FrameCut{std::nullopt, header_bytes};
  const std::size_t length = load_length(bytes.data());
  if (length > limit) return std::unexpected(too_large());
  const std::size_t total = header_bytes + length;
  if (bytes.size() < total) return FrameCut{std::nullopt, total};
  const std::string_view raw = bytes.substr(0, total);
  return FrameCut{Frame{static_cast<std::uint8_t>(raw[3]), raw.substr(header_bytes), raw}, total};
}

std::expected<PacketCut, DecodeError> cut_packet(std::string_view bytes, std::size_t limit) {
  std::size_t begin = 0;  // of the frame that is looked at
  std::size_t size = 0;
  for (std::uint8_t frames = 0;; ++frames) {
    if (bytes.size() < begin + header_bytes) return PacketCut{std::nullopt, begin + header_bytes};
    const char* header = bytes.data() + begin;
    const std::size_t length = load_length(header);
    size += length;
    if (size > limit) return std::unexpected(too_large());
    if (static_cast<std::uint8_t>(header[3] - bytes[3]) != frames) {
      return std::unexpected(out_of_order());
    }
    begin += header_bytes + length;
    if (bytes.size() < begin) return PacketCut{std::nullopt, begin};
    if (length < max_frame_bytes) break;
  }
  return PacketCut{Packet{static_cast<std::uint8_t>(bytes[3]), size, bytes.substr(0, begin)},
                   begin};
}

std::string_view Packet::payload(Buffer& scratch) const {
  if (in_place()) return raw.substr(header_bytes);
  scratch.clear();
  for (std::string_view left = raw; !left.empty();) {
    const std::size_t length = load_length(left.data());
    scratch.append(left.substr(header_bytes, length));
    left.remove_prefix(header_bytes + length);
  }
  return scratch.view();
}

std::expected<void, DecodeError> Sequence::accept(std::uint8_t sequence, std::size_t frames) {
  if (sequence != next_) return std::unexpected(out_of_order());
  next_ = static_cast<std::uint8_t>(next_ + frames);
  return {};
}

void append_renumbered(Buffer& out, std::string_view frames, Sequence& sequence) {
  const std::size_t end = out.size() + frames.size();
  std::size_t at = out.size();
  out.append(frames);
  while (at < end) {
    if (end - at < header_bytes) die("append_renumbered: half a header");
    out.at(at)[3] = static_cast<char>(sequence.take());
    at += header_bytes + load_length(out.at(at));
  }
  if (at != end) die("append_renumbered: half a frame");
}

PacketWriter::PacketWriter(Buffer& out, Sequence& sequence) : out_(out), sequence_(sequence) {
  out.grow(header_bytes);
  start_ = out.size();
}

PacketWriter::~PacketWriter() {
  const std::size_t payload = size();
  if (payload >= max_frame_bytes) {
    split(payload);
  } else {
    store_header(out_.at(start_ - header_bytes), payload, sequence_.take());
  }
}

/// Makes room for the headers between the frames, moving the last frame first.
void PacketWriter::split(std::size_t payload) {
  const std::size_t more = payload / max_frame_bytes;  // frames after the first
  out_.grow(more * header_bytes);
  for (std::size_t frame = more; frame > 0; --frame) {
    const std::size_t from = start_ + frame * max_frame_bytes;
    const std::size_t length = std::min(max_frame_bytes, payload - frame * max_frame_bytes);
    const std::size_t to = from + frame * header_bytes;
    std::memmove(out_.at(to), out_.at(from), length);
    const auto number = static_cast<std::uint8_t>(sequence_.next() + frame);
    store_header(out_.at(to - header_bytes), length, number);
  }
  store_header(out_.at(start_ - header_bytes), max_frame_bytes, sequence_.next());
  for (std::size_t frame = 0; frame <= more; ++frame) sequence_.take();
}

void PacketWriter::integer(std::uint64_t value, std::size_t bytes) {
  char* place = out_.grow(bytes);
  for (std::size_t i = 0; i < bytes; ++i) place[i] = static_cast<char>(value >> (8 * i));
}

void PacketWriter::lenenc(std::uint64_t value) {
  if (value < 0xfb) return int1(static_cast<std::uint8_t>(value));
  if (value <= 0xffff) return int1(0xfc), int2(static_cast<std::uint16_t>(value));
  if (value <= 0xff'ffff) return int1(0xfd), int3(static_cast<std::uint32_t>(value));
  int1(0xfe), int8(value);
}

void PacketWriter::zeros(std::size_t count) {
  std::memset(out_.grow(count), 0, count);
}

void PacketWriter::field(const std::optional<std::string_view>& value) {
  if (value) {
    lenenc_string(*value);
  } else {
    int1(0xfb);
  }
}

void PacketWriter::string(std::string_view value) {
  if (value.find('\0') != std::string_view::npos) die("a string has a zero byte inside");
  out_.append(value);
  out_.append('\0');
}

}  // namespace anabranch::net::mysql
