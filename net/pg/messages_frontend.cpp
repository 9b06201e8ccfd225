#include "net/pg/codec_helpers.h"
#include "net/pg/messages.h"

namespace anabranch::net::pg {

namespace {

Decoded<char> subtype(FieldReader& reader, std::string_view name) {
  const std::uint8_t kind = reader.int8();
  if (reader.ok() && (kind == 'S' || kind == 'P')) return static_cast<char>(kind);
  return std::unexpected(DecodeError{fmt::format("invalid {} message subtype {}", name, kind)});
}

}  // namespace

void PasswordMessage::encode(Buffer& out) const {
  MessageWriter(out, type).string(password);
}
Decoded<PasswordMessage> PasswordMessage::decode(std::string_view payload) {
  FieldReader reader(payload);
  PasswordMessage message{reader.string()};
  return finish(reader, message, "password");
}

void SASLInitialResponse::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.string(mechanism);
  write_field(writer, response);
}
Decoded<SASLInitialResponse> SASLInitialResponse::decode(std::string_view payload) {
  FieldReader reader(payload);
  SASLInitialResponse message;
  message.mechanism = reader.string();
  message.response = read_field(reader);
  return finish(reader, message, "SASLInitialResponse");
}

void SASLResponse::encode(Buffer& out) const {
  MessageWriter(out, type).bytes(response);
}
Decoded<SASLResponse> SASLResponse::decode(std::string_view payload) {
  return SASLResponse{payload};
}

void Query::encode(Buffer& out) const {
  MessageWriter(out, type).string(sql);
}
Decoded<Query> Query::decode(std::string_view payload) {
  FieldReader reader(payload);
  Query message{reader.string()};
  return finish(reader, message, "Query");
}

void Parse::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.string(statement);
  writer.string(sql);
  write_int_list(writer, parameter_types);
}
Decoded<Parse> Parse::decode(std::string_view payload) {
  FieldReader reader(payload);
  Parse message;
  message.statement = reader.string();
  message.sql = reader.string();
  message.parameter_types = read_int_list<std::uint32_t>(reader);
  return finish(reader, message, "Parse");
}

void Bind::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.string(portal);
  writer.string(statement);
  write_int_list(writer, parameter_formats);
  write_field_list(writer, parameters);
  write_int_list(writer, result_formats);
}
Decoded<Bind> Bind::decode(std::string_view payload) {
  FieldReader reader(payload);
  Bind message;
  message.portal = reader.string();
  message.statement = reader.string();
  message.parameter_formats = read_int_list<std::int16_t>(reader);
  message.parameters = read_field_list(reader);
  message.result_formats = read_int_list<std::int16_t>(reader);
  const std::size_t formats = message.parameter_formats.size();
  if (reader.ok() && formats > 1 && formats != message.parameters.size()) {
    return std::unexpected(
        DecodeError{fmt::format("bind message has {} parameter formats but {} parameters", formats,
                                message.parameters.size())});
  }
  return finish(reader, message, "Bind");
}

void Describe::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.int8(static_cast<std::uint8_t>(kind));
  writer.string(name);
}
Decoded<Describe> Describe::decode(std::string_view payload) {
  FieldReader reader(payload);
  const auto kind = subtype(reader, "DESCRIBE");
  if (!kind) return std::unexpected(kind.error());
  Describe message{*kind, reader.string()};
  return finish(reader, message, "Describe");
}

void Execute::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.string(portal);
  writer.int32(row_limit);
}
Decoded<Execute> Execute::decode(std::string_view payload) {
  FieldReader reader(payload);
  Execute message;
  message.portal = reader.string();
  message.row_limit = reader.int32();
  return finish(reader, message, "Execute");
}

void Close::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.int8(static_cast<std::uint8_t>(kind));
  writer.string(name);
}
Decoded<Close> Close::decode(std::string_view payload) {
  FieldReader reader(payload);
  const auto kind = subtype(reader, "CLOSE");
  if (!kind) return std::unexpected(kind.error());
  Close message{*kind, reader.string()};
  return finish(reader, message, "Close");
}

void FunctionCall::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.int32(static_cast<std::int32_t>(function));
  write_int_list(writer, argument_formats);
  write_field_list(writer, arguments);
  writer.int16(result_format);
}
Decoded<FunctionCall> FunctionCall::decode(std::string_view payload) {
  FieldReader reader(payload);
  FunctionCall message;
  message.function = static_cast<std::uint32_t>(reader.int32());
  message.argument_formats = read_int_list<std::int16_t>(reader);
  message.arguments = read_field_list(reader);
  message.result_format = reader.int16();
  return finish(reader, message, "FunctionCall");
}

void CopyFail::encode(Buffer& out) const {
  MessageWriter(out, type).string(message);
}
Decoded<CopyFail> CopyFail::decode(std::string_view payload) {
  FieldReader reader(payload);
  CopyFail decoded{reader.string()};
  return finish(reader, decoded, "CopyFail");
}

void CopyData::encode(Buffer& out) const {
  MessageWriter(out, type).bytes(data);
}
Decoded<CopyData> CopyData::decode(std::string_view payload) {
  return CopyData{payload};
}

}  // namespace anabranch::net::pg
