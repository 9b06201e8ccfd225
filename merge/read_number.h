#pragma once

#include <bit>
#include <cstdint>

#include "merge/row_block.h"
#include "values/codec.h"
#include "values/datum.h"
#include "values/errors.h"

namespace anabranch::merge {

/// A field, not NULL, of an integer type (or of one that travels as one: money, date, timestamp…),
/// signed. Binary by its length, text by its digits. Throws invalid_binary, invalid_text.
inline std::int64_t read_integer(const Field& field, const Column& column) {
  if (column.format == values::Format::binary) {
    switch (field.length) {
      case 8:
        return values::load_be<std::int64_t>(field.data);
      case 4:
        return values::load_be<std::int32_t>(field.data);
      case 2:
        return values::load_be<std::int16_t>(field.data);
      default:
        throw values::make_error(values::ErrorId::invalid_binary, values::type_name(column.type));
    }
  }
  if (const auto number = values::parse_int8(field.bytes())) return *number;
  throw values::make_error(values::ErrorId::invalid_text, values::type_name(column.type),
                           field.bytes());
}

/// A field, not NULL, of any number type as float8.
inline double read_float8(const Field& field, const Column& column) {
  if (column.format == values::Format::binary && column.type.oid == values::oid::float8 &&
      field.length == 8)
    return std::bit_cast<double>(values::load_be<std::uint64_t>(field.data));
  const values::Datum datum = values::decode(column.type.oid, column.format, field.bytes());
  if (const auto* real = std::get_if<double>(&datum.value)) return *real;
  if (const auto* real = std::get_if<float>(&datum.value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&datum.value))
    return static_cast<double>(*integer);
  if (const auto* decimal = std::get_if<values::Decimal>(&datum.value)) return decimal->to_float8();
  throw values::make_error(values::ErrorId::invalid_binary, values::type_name(column.type));
}

inline bool is_integer_type(values::Oid type) {
  return type == values::oid::int2 || type == values::oid::int4 || type == values::oid::int8;
}

}  // namespace anabranch::merge
