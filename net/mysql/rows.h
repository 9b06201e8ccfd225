#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/mysql/fields.h"
#include "net/mysql/flags.h"
#include "net/mysql/framing.h"

/// Rows, taken apart without copying or allocating ("Text Resultset Row", "Binary Protocol
/// Resultset Row"). A text row is written with PacketWriter::field.
namespace anabranch::net::mysql {

/// The values of a text row into `fields`, one a column: views into the payload. False: the row has
/// another number of values, or is malformed.
[[nodiscard]] bool split_text_row(std::string_view payload, std::span<Field> fields);

/// The values of a binary row: integers and floats as they stand (little-endian), dates and times
/// without the byte that is their length, all else without its length. `types` and `fields` have
/// one entry a column. False: malformed.
[[nodiscard]] bool split_binary_row(std::string_view payload, std::span<const FieldType> types,
                                    std::span<Field> fields);

/// One non-NULL value in the binary protocol, in the form that split_binary_row() gives it.
std::string_view read_binary_value(FieldReader& reader, FieldType type);
/// The reverse; a fixed type's value must have its size, else aborts.
void write_binary_value(PacketWriter& writer, FieldType type, std::string_view value);

/// Writes a binary row value by value.
class BinaryRowWriter {
 public:
  BinaryRowWriter(Buffer& out, Sequence& sequence, std::size_t columns);
  void add(FieldType type, const Field& value);

 private:
  PacketWriter writer_;
  std::size_t column_ = 0;
};

}  // namespace anabranch::net::mysql
