#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "values/errors.h"

namespace anabranch::values {

/// Big-endian integers at an address; the caller has checked the bounds.
template <typename Integer>
Integer load_be(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof(value));
  if constexpr (sizeof(value) > 1) return std::byteswap(value);
  return value;
}

template <typename Integer>
void append_be(std::string& out, Integer value) {
  if constexpr (sizeof(value) > 1) value = std::byteswap(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// Reads a binary value field by field; going past its end throws invalid_binary naming the type.
class BinaryReader {
 public:
  BinaryReader(std::string_view bytes, std::string_view type_name)
      : rest_(bytes), type_(type_name) {}

  template <typename Integer>
  Integer read() {
    if (rest_.size() < sizeof(Integer)) fail();
    const auto value = load_be<Integer>(rest_.data());
    rest_.remove_prefix(sizeof(Integer));
    return value;
  }

  std::string_view bytes(size_t count) {
    if (rest_.size() < count) fail();
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  size_t remaining() const { return rest_.size(); }
  void expect_end() const {
    if (!rest_.empty()) fail();
  }
  [[noreturn]] void fail() const { throw make_error(ErrorId::invalid_binary, type_); }

 private:
  std::string_view rest_;
  std::string_view type_;
};

using Uuid = std::array<uint8_t, 16>;

/// Strict text forms. Each answers nullopt for anything whose meaning could depend on the server's
/// version or settings, or which it does not know: the caller then asks a database, or all shards.
std::optional<int64_t> parse_int8(std::string_view text);  ///< [+-]digits, in range
std::optional<bool> parse_bool(std::string_view text);     ///< t f true false yes no on off 1 0
std::optional<Uuid> parse_uuid(std::string_view text);     ///< 32 hex digits, usual hyphens or none
/// YYYY-MM-DD → days since 2000-01-01. Years 0001 to 9999 only.
std::optional<int32_t> parse_date(std::string_view text);
/// YYYY-MM-DD[ T]HH:MM[:SS[.ffffff]] (or a bare date) without a zone → microseconds since
/// 2000-01-01.
std::optional<int64_t> parse_timestamp(std::string_view text);
/// The same with a numeric offset (+HH, +HH:MM, -HHMM, Z) → microseconds since 2000-01-01 UTC.
std::optional<int64_t> parse_timestamptz(std::string_view text);
/// HH:MM:SS[.ffffff], up to 24:00:00 → microseconds.
std::optional<int64_t> parse_time(std::string_view text);

/// time with time zone, as timetz_send() has it: microseconds, and seconds west of Greenwich.
struct TimeTz {
  int64_t microseconds;
  int32_t zone;
};
std::optional<TimeTz> parse_timetz(std::string_view text);

void append_uuid(std::string& out, const Uuid& value);
void append_date(std::string& out, int32_t days);  ///< ISO; years before 1 as "… BC", ±infinity
void append_timestamp(std::string& out, int64_t microseconds);  ///< ISO
void append_time(std::string& out, int64_t microseconds);

/// Days since 2000-01-01 of a date of the proleptic Gregorian calendar.
int32_t days_from_civil(int year, int month, int day);

inline constexpr int64_t kMicrosecondsPerSecond = 1'000'000;
inline constexpr int64_t kMicrosecondsPerDay = 86'400 * kMicrosecondsPerSecond;

}  // namespace anabranch::values
