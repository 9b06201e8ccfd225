#include "net/mysql/rows.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

namespace anabranch::net::mysql {

namespace {

constexpr std::uint8_t binary_row_header = 0x00;
constexpr std::size_t null_bit_offset = 2;  // of a row's bitmap; a parameters' begins at 0

using Kind = BinaryForm::Kind;

bool is_temporal_length(FieldType type, std::size_t length) {
  if (type == FieldType::time) return length == 0 || length == 8 || length == 12;
  return length == 0 || length == 4 || length == 7 || length == 11;
}

bool fits(BinaryForm form, FieldType type, std::size_t length) {
  if (form.kind == Kind::temporal) return is_temporal_length(type, length);
  return form.kind != Kind::unknown && length == form.size;  // 0 of type null
}

}  // namespace

bool is_number(FieldType type) {
  using enum FieldType;
  switch (type) {
    case decimal:
    case tiny_int:
    case small_int:
    case int_:
    case float_:
    case double_:
    case big_int:
    case medium_int:
    case year:
    case new_decimal:
      return true;
    default:
      return false;
  }
}

BinaryForm binary_form(FieldType type) {
  using enum FieldType;
  switch (type) {
    case tiny_int:
      return {Kind::fixed, 1};
    case small_int:
    case year:
      return {Kind::fixed, 2};
    case int_:
    case medium_int:
    case float_:
      return {Kind::fixed, 4};
    case big_int:
    case double_:
      return {Kind::fixed, 8};
    case timestamp:
    case date:
    case datetime:
    case time:
      return {Kind::temporal, 0};
    case null:
      return {Kind::nothing, 0};
    case decimal:
    case new_decimal:
    case new_date:
    case varchar:
    case var_string:
    case string:
    case bit:
    case vector:
    case json:
    case enum_:
    case set:
    case tiny_blob:
    case medium_blob:
    case long_blob:
    case blob:
    case geometry:
      return {Kind::counted, 0};
    case timestamp2:
    case datetime2:
    case time2:
      break;
  }
  return {};
}

bool split_text_row(std::string_view payload, std::span<Field> fields) {
  FieldReader reader(payload);
  for (Field& field : fields) field = reader.field();
  return reader.ok() && reader.at_end();
}

std::string_view read_binary_value(FieldReader& reader, FieldType type) {
  const BinaryForm form = binary_form(type);
  switch (form.kind) {
    case Kind::fixed:
      return reader.bytes(form.size);
    case Kind::counted:
      return reader.lenenc_string();
    case Kind::temporal: {
      const std::size_t length = reader.int1();
      if (!is_temporal_length(type, length)) reader.fail();
      return reader.bytes(reader.ok() ? length : 0);
    }
    case Kind::nothing:
      return {};
    case Kind::unknown:
      break;
  }
  reader.fail();
  return {};
}

void write_binary_value(PacketWriter& writer, FieldType type, std::string_view value) {
  const BinaryForm form = binary_form(type);
  if (form.kind == Kind::counted) return writer.lenenc_string(value);
  if (form.kind == Kind::temporal) writer.int1(static_cast<std::uint8_t>(value.size()));
  if (!fits(form, type, value.size())) {
    fmt::print(stderr, "net::mysql: {} bytes are no value of type {}\n", value.size(),
               static_cast<int>(type));
    std::abort();
  }
  writer.bytes(value);
}

bool split_binary_row(std::string_view payload, std::span<const FieldType> types,
                      std::span<Field> fields) {
  FieldReader reader(payload);
  if (reader.int1() != binary_row_header || types.size() != fields.size()) return false;
  const std::string_view nulls = reader.bytes((fields.size() + null_bit_offset + 7) / 8);
  if (!reader.ok()) return false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t bit = i + null_bit_offset;
    if ((nulls[bit / 8] >> (bit % 8) & 1) != 0) {
      fields[i] = std::nullopt;
    } else {
      fields[i] = read_binary_value(reader, types[i]);
    }
  }
  return reader.ok() && reader.at_end();
}

BinaryRowWriter::BinaryRowWriter(Buffer& out, Sequence& sequence, std::size_t columns)
    : writer_(out, sequence) {
  writer_.int1(binary_row_header);
  writer_.zeros((columns + null_bit_offset + 7) / 8);
}

void BinaryRowWriter::add(FieldType type, const Field& value) {
  const std::size_t bit = column_++ + null_bit_offset;
  if (value) return write_binary_value(writer_, type, *value);
  char& byte = *writer_.at(1 + bit / 8);
  byte = static_cast<char>(byte | 1 << (bit % 8));
}

}  // namespace anabranch::net::mysql
