#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "net/payload_reader.h"

namespace anabranch::net::mysql {

/// A value in its wire form; nothing is NULL.
using Field = std::optional<std::string_view>;

/// Reads a payload's fields in order; after a failure integers read as zero. Integers are
/// little-endian. A length-encoded integer may be longer than it had to be, as servers take it.
class FieldReader : public PayloadReader {
 public:
  using PayloadReader::PayloadReader;

  std::uint8_t int1() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t int2() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t int3() { return static_cast<std::uint32_t>(integer(3)); }
  std::uint32_t int4() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t int8() { return integer(8); }
  std::uint64_t lenenc();
  /// NULL (0xfb) is a failure.
  std::string_view lenenc_string();
  /// A text row's value.
  Field field();
  /// As string(), where senders may leave out the zero byte at the payload's end.
  std::string_view last_string();

 private:
  std::uint64_t integer(std::size_t count);
};

/// The first byte of a payload as it tells packets apart; nothing of an empty one.
inline std::optional<std::uint8_t> first_byte(std::string_view payload) {
  if (payload.empty()) return std::nullopt;
  return static_cast<std::uint8_t>(payload[0]);
}

}  // namespace anabranch::net::mysql
