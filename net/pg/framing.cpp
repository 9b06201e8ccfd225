#include "net/pg/framing.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <limits>

namespace anabranch::net::pg {

std::int16_t load_int16(const char* bytes) {
  const auto* b = reinterpret_cast<const unsigned char*>(bytes);
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(b[0] << 8 | b[1]));
}

std::int32_t load_int32(const char* bytes) {
  const auto* b = reinterpret_cast<const unsigned char*>(bytes);
  return static_cast<std::int32_t>(std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 |
                                   std::uint32_t{b[2]} << 8 | std::uint32_t{b[3]});
}

void store_int16(char* bytes, std::int16_t value) {
  const auto bits = static_cast<std::uint16_t>(value);
  bytes[0] = static_cast<char>(bits >> 8);
  bytes[1] = static_cast<char>(bits);
}

void store_int32(char* bytes, std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  bytes[0] = static_cast<char>(bits >> 24);
  bytes[1] = static_cast<char>(bits >> 16);
  bytes[2] = static_cast<char>(bits >> 8);
  bytes[3] = static_cast<char>(bits);
}

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t header_bytes = 1 + length_bytes;
constexpr std::size_t least_startup_bytes = 2 * length_bytes;

[[noreturn]] void die(const char* what) {
  fmt::print(stderr, "net::pg::MessageWriter: {}\n", what);
  std::abort();
}

}  // namespace

std::expected<Frame, DecodeError> cut_message(std::string_view bytes, std::size_t limit) {
  if (bytes.size() < header_bytes) return Frame{std::nullopt, header_bytes};
  const std::int32_t length = load_int32(bytes.data() + 1);
  if (length < static_cast<std::int32_t>(length_bytes) ||
      static_cast<std::size_t>(length) >= limit) {
    return std::unexpected(DecodeError{"invalid message length"});
  }
  const std::size_t total = 1 + static_cast<std::size_t>(length);
  if (bytes.size() < total) return Frame{std::nullopt, total};
  const std::string_view raw = bytes.substr(0, total);
  return Frame{Message{raw[0], raw.substr(header_bytes), raw}, total};
}

std::expected<Frame, DecodeError> cut_startup(std::string_view bytes) {
  if (bytes.size() < length_bytes) return Frame{std::nullopt, length_bytes};
  const std::int32_t length = load_int32(bytes.data());
  if (length < static_cast<std::int32_t>(least_startup_bytes) ||
      length > static_cast<std::int32_t>(max_startup_bytes)) {
    return std::unexpected(DecodeError{"invalid length of startup packet"});
  }
  const auto total = static_cast<std::size_t>(length);
  if (bytes.size() < total) return Frame{std::nullopt, total};
  const std::string_view raw = bytes.substr(0, total);
  return Frame{Message{0, raw.substr(length_bytes), raw}, total};
}

MessageWriter::MessageWriter(Buffer& out, char type) : out_(out), length_at_(out.size() + 1) {
  out.append(type);
  out.grow(length_bytes);
}

MessageWriter::MessageWriter(Buffer& out) : out_(out), length_at_(out.size()) {
  out.grow(length_bytes);
}

MessageWriter::~MessageWriter() {
  const std::size_t length = out_.size() - length_at_;
  if (length > std::numeric_limits<std::int32_t>::max()) die("a message is longer than 2 GiB");
  store_int32(out_.at(length_at_), static_cast<std::int32_t>(length));
}

void MessageWriter::int16(std::int16_t value) {
  store_int16(out_.grow(2), value);
}
void MessageWriter::int32(std::int32_t value) {
  store_int32(out_.grow(4), value);
}

void MessageWriter::string(std::string_view value) {
  if (value.find('\0') != std::string_view::npos) die("a string has a zero byte inside");
  out_.append(value);
  out_.append('\0');
}

std::string_view FieldReader::bytes(std::size_t count) {
  if (count > rest_.size()) {
    fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

std::uint8_t FieldReader::int8() {
  const std::string_view taken = bytes(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

std::int16_t FieldReader::int16() {
  const std::string_view taken = bytes(2);
  return taken.empty() ? std::int16_t{0} : load_int16(taken.data());
}

std::int32_t FieldReader::int32() {
  const std::string_view taken = bytes(4);
  return taken.empty() ? 0 : load_int32(taken.data());
}

std::string_view FieldReader::string() {
  const std::size_t end = rest_.find('\0');
  if (end == std::string_view::npos) {
    fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return taken;
}

std::string_view FieldReader::rest() {
  return bytes(rest_.size());
}

}  // namespace anabranch::net::pg
