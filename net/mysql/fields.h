#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace anabranch::net::mysql {

/// A value in its wire form; nothing is NULL.
using Field = std::optional<std::string_view>;

/// Reads a payload's fields in order; nothing is read past its end. After the first failure
/// everything reads as zero or empty and ok() is false. Integers are little-endian. A
/// length-encoded integer may be longer than it had to be, as servers take it.
class FieldReader {
 public:
  explicit FieldReader(std::string_view payload) : rest_(payload) {}

  std::uint8_t int1() { return static_cast<std::uint8_t>(integer(1)); }
  std::uint16_t int2() { return static_cast<std::uint16_t>(integer(2)); }
  std::uint32_t int3() { return static_cast<std::uint32_t>(integer(3)); }
  std::uint32_t int4() { return static_cast<std::uint32_t>(integer(4)); }
  std::uint64_t int8() { return integer(8); }
  std::uint64_t lenenc();
  std::string_view bytes(std::size_t count);
  /// NULL (0xfb) is a failure.
  std::string_view lenenc_string();
  /// A text row's value.
  Field field();
  /// Up to the next zero byte, which is skipped.
  std::string_view string();
  /// The same, where senders may leave out the zero byte at the payload's end.
  std::string_view last_string();
  std::string_view rest() { return bytes(rest_.size()); }

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }
  void fail() { ok_ = false, rest_ = {}; }

 private:
  std::uint64_t integer(std::size_t count);

  std::string_view rest_;
  bool ok_ = true;
};

/// The first byte of a payload as it tells packets apart; nothing of an empty one.
inline std::optional<std::uint8_t> first_byte(std::string_view payload) {
  if (payload.empty()) return std::nullopt;
  return static_cast<std::uint8_t>(payload[0]);
}

}  // namespace anabranch::net::mysql
