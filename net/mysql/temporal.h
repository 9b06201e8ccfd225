#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace anabranch::net::mysql {

/// A DATE, DATETIME or TIMESTAMP as the binary protocol has it: parts, zero ones included.
struct DateTime {
  std::uint16_t year = 0;
  std::uint8_t month = 0;
  std::uint8_t day = 0;
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  std::uint8_t second = 0;
  std::uint32_t microsecond = 0;
  bool operator==(const DateTime&) const = default;

  /// A value without its length byte: 0, 4, 7 or 11 bytes. Nothing: another length.
  static std::optional<DateTime> decode(std::string_view value);
  /// In the shortest form that holds it, without the length byte.
  std::string encode() const;
};

/// A TIME as the binary protocol has it.
struct TimeSpan {
  bool negative = false;
  std::uint32_t days = 0;
  std::uint8_t hours = 0;
  std::uint8_t minutes = 0;
  std::uint8_t seconds = 0;
  std::uint32_t microseconds = 0;
  bool operator==(const TimeSpan&) const = default;

  /// 0, 8 or 12 bytes.
  static std::optional<TimeSpan> decode(std::string_view value);
  std::string encode() const;
};

}  // namespace anabranch::net::mysql
