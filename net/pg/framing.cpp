#include "net/pg/framing.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

namespace anabranch::net::pg {

namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t header_bytes = 1 + length_bytes;
constexpr std::size_t least_startup_bytes = 2 * length_bytes;

}  // namespace

std::expected<Frame, DecodeError> cut_message(std::string_view bytes, std::size_t limit) {
  Message whole;
  if (cut_whole(bytes, limit, whole)) return Frame{whole, whole.raw.size()};
  if (bytes.size() < header_bytes) return Frame{std::nullopt, header_bytes};
  const std::int32_t length = load_int32(bytes.data() + 1);
  if (length < static_cast<std::int32_t>(length_bytes) ||
      static_cast<std::size_t>(length) >= limit) {
    return std::unexpected(DecodeError{"invalid message length"});
  }
  return Frame{std::nullopt, 1 + static_cast<std::size_t>(length)};
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

void MessageWriter::die(const char* what) {
  fmt::print(stderr, "net::pg::MessageWriter: {}\n", what);
  std::abort();
}

void MessageWriter::string(std::string_view value) {
  if (value.find('\0') != std::string_view::npos) die("a string has a zero byte inside");
  out_.append(value);
  out_.append('\0');
}

}  // namespace anabranch::net::pg
