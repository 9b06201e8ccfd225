#pragma once

#include <fmt/core.h>

#include <expected>
#include <string_view>

#include "net/mysql/fields.h"
#include "net/mysql/flags.h"
#include "net/mysql/framing.h"

/// Every message of the protocol is a plain struct: `encode(out, sequence)` appends it as a packet,
/// `decode(payload)` reads it back; where the form depends on what was agreed upon, both are given
/// the capabilities. Strings are views into the payload; they live as long as it does. A payload
/// that is too short, too long or out of range is a DecodeError.
namespace anabranch::net::mysql {

template <typename M>
using Decoded = std::expected<M, DecodeError>;

/// A decoded message if its payload was read exactly, else the error that names it.
template <typename M>
Decoded<M> finish(const FieldReader& reader, M message, std::string_view name) {
  if (reader.ok() && reader.at_end()) return message;
  return std::unexpected(DecodeError{
      fmt::format("malformed {} packet: {}", name, reader.ok() ? "too long" : "too short")});
}

/// What is wrong with a message beyond its length.
inline std::unexpected<DecodeError> malformed(std::string_view name, std::string_view what) {
  return std::unexpected(DecodeError{fmt::format("malformed {} packet: {}", name, what)});
}

}  // namespace anabranch::net::mysql
