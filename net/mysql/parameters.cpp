#include "net/mysql/parameters.h"

#include <utility>

#include "net/mysql/message.h"

namespace anabranch::net::mysql {

namespace {

constexpr std::string_view packet_name = "COM_STMT_EXECUTE";
constexpr std::uint8_t unsigned_bit = 0x80;

}  // namespace

bool BoundParameters::mark_sent_ahead(std::size_t index) {
  if (index >= size()) return false;
  sent_ahead_[index] = true;
  return true;
}

void BoundParameters::set(std::size_t index, ParameterType type, Field value) {
  types_[index] = type;
  values_[index] = value;
}

bool BoundParameters::is_null(std::string_view nulls, std::size_t index) const {
  return types_[index].type == FieldType::null || (nulls[index / 8] >> (index % 8) & 1) != 0;
}

bool BoundParameters::read_types(FieldReader& reader) {
  const std::uint8_t sent = reader.int1();
  if (sent > 1) reader.fail();
  types_were_sent_ = sent == 1;
  if (!types_were_sent_) return reader.ok();
  for (ParameterType& type : types_) {
    type.type = FieldType{reader.int1()};
    type.is_unsigned = (reader.int1() & unsigned_bit) != 0;
  }
  return reader.ok();
}

std::expected<void, DecodeError> BoundParameters::read(std::string_view parameters) {
  // Without parameters there is nothing; some clients send an empty list's flag all the same.
  if (size() == 0) return {};
  FieldReader reader(parameters);
  const std::string_view nulls = reader.bytes((size() + 7) / 8);
  const bool known_before = std::exchange(known_, false);
  if (!read_types(reader)) return malformed(packet_name, "too short for its parameters");
  if (!types_were_sent_ && !known_before) {
    return malformed(packet_name, "its parameters have no types");
  }
  for (std::size_t i = 0; i < size(); ++i) {
    values_[i] = std::nullopt;
    if (sent_ahead_[i] || is_null(nulls, i)) continue;
    values_[i] = read_binary_value(reader, types_[i].type);
  }
  if (!reader.ok()) return malformed(packet_name, "a parameter has no value of its type");
  if (!reader.at_end()) return malformed(packet_name, "more than its parameters");
  known_ = true;
  return {};
}

void BoundParameters::encode(Buffer& out, Sequence& sequence, const ComStmtExecute& head,
                             bool send_types) const {
  PacketWriter writer(out, sequence);
  head.write_head(writer);
  if (size() == 0) return;
  const std::size_t nulls = writer.size();
  writer.zeros((size() + 7) / 8);
  for (std::size_t i = 0; i < size(); ++i) {
    if (values_[i] || sent_ahead_[i]) continue;
    char& byte = *writer.at(nulls + i / 8);
    byte = static_cast<char>(byte | 1 << (i % 8));
  }
  writer.int1(send_types ? 1 : 0);
  for (const ParameterType& type : types_) {
    if (!send_types) break;
    writer.int1(static_cast<std::uint8_t>(type.type));
    writer.int1(type.is_unsigned ? unsigned_bit : 0);
  }
  for (std::size_t i = 0; i < size(); ++i) {
    if (values_[i]) write_binary_value(writer, types_[i].type, *values_[i]);
  }
}

}  // namespace anabranch::net::mysql
