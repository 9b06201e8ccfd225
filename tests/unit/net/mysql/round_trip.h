#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "net/mysql/message.h"

namespace anabranch::net::mysql::test {

/// The payload that `message` encodes to.
template <typename M, typename... Context>
std::string payload_of(const M& message, const Context&... context) {
  Buffer out;
  Sequence sequence;
  message.encode(out, sequence, context...);
  return std::string(out.view().substr(header_bytes));
}

/// What was recorded decodes, and encodes to the same again. Every proper prefix is refused, or
/// gives a message as `open_ended` says; none is read past its end.
template <typename M, typename... Context>
M check_recorded(std::string_view recorded, bool open_ended, const Context&... context) {
  const auto decoded = M::decode(recorded, context...);
  if (!decoded) FAIL_CHECK(decoded.error().message);
  REQUIRE(decoded.has_value());
  CHECK(payload_of(*decoded, context...) == recorded);
  for (std::size_t size = 0; size < recorded.size(); ++size) {
    CAPTURE(size);
    // Its own memory: the sanitizer sees overruns.
    const std::string cut(recorded.substr(0, size));
    const auto of_cut = M::decode(cut, context...);
    if (!open_ended) CHECK_FALSE(of_cut.has_value());
  }
  return *decoded;
}

template <typename M, typename... Context>
void check_round_trip(const M& message, bool open_ended, const Context&... context) {
  const std::string payload = payload_of(message, context...);
  check_recorded<M>(payload, open_ended, context...);
  if (!open_ended) CHECK_FALSE(M::decode(payload + "x", context...).has_value());
}

/// Bytes written as hexadecimal digits; blanks are skipped.
inline std::string unhex(std::string_view digits) {
  std::string out;
  int half = -1;
  for (const char c : digits) {
    if (c == ' ' || c == '\n') continue;
    const int value = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (half < 0) {
      half = value;
    } else {
      out += static_cast<char>(half << 4 | value);
      half = -1;
    }
  }
  return out;
}

}  // namespace anabranch::net::mysql::test
