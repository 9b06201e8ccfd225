#pragma once

#include <fmt/core.h>

#include <expected>
#include <limits>
#include <string_view>

#include "net/pg/lists.h"
#include "net/pg/messages.h"

// Shared by the messages_*.cpp files; internal to this room.
namespace anabranch::net::pg {

/// A decoded message if its payload was read exactly, else the error that names it.
template <typename M>
Decoded<M> finish(const FieldReader& reader, M message, std::string_view name) {
  if (reader.ok() && reader.at_end()) return message;
  return std::unexpected(DecodeError{
      fmt::format("invalid {} message: {}", name, reader.ok() ? "too long" : "too short")});
}

template <typename Int>
IntList<Int> read_int_list(FieldReader& reader) {
  const auto count = static_cast<std::uint16_t>(reader.int16());
  return IntList<Int>(reader.bytes(count * sizeof(Int)));
}

/// A count, then values with their lengths; each length is checked, nothing is copied.
inline FieldList read_field_list(FieldReader& reader) {
  const auto count = static_cast<std::uint16_t>(reader.int16());
  FieldReader values = reader;
  for (std::uint16_t i = 0; i < count && values.ok(); ++i) {
    const std::int32_t length = values.int32();
    if (length < -1) values.fail();
    if (length > 0) values.bytes(static_cast<std::size_t>(length));
  }
  if (!values.ok()) {
    reader.fail();
    return {};
  }
  return FieldList(count, reader.bytes(reader.left() - values.left()));
}

inline Field read_field(FieldReader& reader) {
  const std::int32_t length = reader.int32();
  if (length == -1) return std::nullopt;
  if (length < -1) {
    reader.fail();
    return std::nullopt;
  }
  return reader.bytes(static_cast<std::size_t>(length));
}

inline void write_count(MessageWriter& writer, std::size_t count) {
  writer.int16(static_cast<std::int16_t>(static_cast<std::uint16_t>(count)));
}

template <typename Int>
void write_int_list(MessageWriter& writer, const IntList<Int>& list) {
  write_count(writer, list.size());
  writer.bytes(list.raw());
}

inline void write_field_list(MessageWriter& writer, const FieldList& list) {
  write_count(writer, list.size());
  writer.bytes(list.raw());
}

inline void write_field(MessageWriter& writer, const Field& field) {
  writer.int32(field ? static_cast<std::int32_t>(field->size()) : -1);
  if (field) writer.bytes(*field);
}

}  // namespace anabranch::net::pg
