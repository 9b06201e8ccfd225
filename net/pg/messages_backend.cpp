#include <algorithm>

#include "net/pg/codec_helpers.h"
#include "net/pg/messages.h"

namespace anabranch::net::pg {

namespace {

constexpr std::size_t least_column_bytes = 19;  // an empty name and the fixed fields

void write_strings(MessageWriter& writer, const std::vector<std::string_view>& strings) {
  for (const std::string_view string : strings) writer.string(string);
}

Column read_column(FieldReader& reader) {
  Column column;
  column.name = reader.string();
  column.table = static_cast<std::uint32_t>(reader.int32());
  column.attribute = reader.int16();
  column.type = static_cast<std::uint32_t>(reader.int32());
  column.type_size = reader.int16();
  column.type_modifier = reader.int32();
  column.format = reader.int16();
  return column;
}

void write_column(MessageWriter& writer, const Column& column) {
  writer.string(column.name);
  writer.int32(static_cast<std::int32_t>(column.table));
  writer.int16(column.attribute);
  writer.int32(static_cast<std::int32_t>(column.type));
  writer.int16(column.type_size);
  writer.int32(column.type_modifier);
  writer.int16(column.format);
}

}  // namespace

void Authentication::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.int32(static_cast<std::int32_t>(kind));
  if (kind == Kind::sasl) {
    write_strings(writer, mechanisms);
    writer.int8(0);
  } else {
    writer.bytes(data);
  }
}
Decoded<Authentication> Authentication::decode(std::string_view payload) {
  FieldReader reader(payload);
  Authentication message;
  message.kind = static_cast<Kind>(reader.int32());
  switch (message.kind) {
    case Kind::md5:
      message.data = reader.bytes(4);
      break;
    case Kind::gss_continue:
    case Kind::sasl_continue:
    case Kind::sasl_final:
      message.data = reader.rest();
      break;
    case Kind::sasl:
      while (reader.ok()) {
        const std::string_view mechanism = reader.string();
        if (mechanism.empty()) break;
        message.mechanisms.push_back(mechanism);
      }
      break;
    default:
      break;
  }
  return finish(reader, message, "Authentication");
}

void BackendKeyData::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.int32(process);
  writer.int32(secret);
}
Decoded<BackendKeyData> BackendKeyData::decode(std::string_view payload) {
  FieldReader reader(payload);
  BackendKeyData message;
  message.process = reader.int32();
  message.secret = reader.int32();
  return finish(reader, message, "BackendKeyData");
}

void ParameterStatus::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.string(name);
  writer.string(value);
}
Decoded<ParameterStatus> ParameterStatus::decode(std::string_view payload) {
  FieldReader reader(payload);
  ParameterStatus message;
  message.name = reader.string();
  message.value = reader.string();
  return finish(reader, message, "ParameterStatus");
}

void ReadyForQuery::encode(Buffer& out) const {
  MessageWriter(out, type).int8(static_cast<std::uint8_t>(status));
}
Decoded<ReadyForQuery> ReadyForQuery::decode(std::string_view payload) {
  FieldReader reader(payload);
  ReadyForQuery message{static_cast<char>(reader.int8())};
  if (reader.ok() && message.status != 'I' && message.status != 'T' && message.status != 'E') {
    return std::unexpected(DecodeError{"invalid transaction status in ReadyForQuery"});
  }
  return finish(reader, message, "ReadyForQuery");
}

RowDescriptionWriter::RowDescriptionWriter(Buffer& out, std::size_t columns)
    : writer_(out, RowDescription::type) {
  write_count(writer_, columns);
}
void RowDescriptionWriter::add(const Column& column) { write_column(writer_, column); }

void RowDescription::encode(Buffer& out) const {
  RowDescriptionWriter writer(out, columns.size());
  for (const Column& column : columns) writer.add(column);
}
Decoded<RowDescription> RowDescription::decode(std::string_view payload) {
  FieldReader reader(payload);
  RowDescription message;
  const auto count = static_cast<std::uint16_t>(reader.int16());
  if (reader.left() < count * least_column_bytes) reader.fail();
  if (reader.ok()) message.columns.reserve(count);
  for (std::uint16_t i = 0; i < count && reader.ok(); ++i) {
    message.columns.push_back(read_column(reader));
  }
  return finish(reader, std::move(message), "RowDescription");
}

void DataRow::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  write_field_list(writer, fields);
}
Decoded<DataRow> DataRow::decode(std::string_view payload) {
  FieldReader reader(payload);
  DataRow message{read_field_list(reader)};
  return finish(reader, message, "DataRow");
}

void CommandComplete::encode(Buffer& out) const {
  MessageWriter(out, type).string(tag);
}
Decoded<CommandComplete> CommandComplete::decode(std::string_view payload) {
  FieldReader reader(payload);
  CommandComplete message{reader.string()};
  return finish(reader, message, "CommandComplete");
}

void ParameterDescription::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  write_int_list(writer, types);
}
Decoded<ParameterDescription> ParameterDescription::decode(std::string_view payload) {
  FieldReader reader(payload);
  ParameterDescription message{read_int_list<std::uint32_t>(reader)};
  return finish(reader, message, "ParameterDescription");
}

void FunctionCallResponse::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  write_field(writer, value);
}
Decoded<FunctionCallResponse> FunctionCallResponse::decode(std::string_view payload) {
  FieldReader reader(payload);
  FunctionCallResponse message{read_field(reader)};
  return finish(reader, message, "FunctionCallResponse");
}

void NotificationResponse::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.int32(process);
  writer.string(channel);
  writer.string(payload);
}
Decoded<NotificationResponse> NotificationResponse::decode(std::string_view bytes) {
  FieldReader reader(bytes);
  NotificationResponse message;
  message.process = reader.int32();
  message.channel = reader.string();
  message.payload = reader.string();
  return finish(reader, message, "NotificationResponse");
}

void NegotiateProtocolVersion::encode(Buffer& out) const {
  MessageWriter writer(out, type);
  writer.int32(newest_version);
  writer.int32(static_cast<std::int32_t>(unknown_options.size()));
  write_strings(writer, unknown_options);
}
Decoded<NegotiateProtocolVersion> NegotiateProtocolVersion::decode(std::string_view payload) {
  FieldReader reader(payload);
  NegotiateProtocolVersion message;
  message.newest_version = reader.int32();
  const std::int32_t count = reader.int32();
  if (count < 0 || static_cast<std::size_t>(count) > reader.left()) reader.fail();
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
    message.unknown_options.push_back(reader.string());
  }
  return finish(reader, std::move(message), "NegotiateProtocolVersion");
}

template <char Type>
void CopyResponse<Type>::encode(Buffer& out) const {
  MessageWriter writer(out, Type);
  writer.int8(static_cast<std::uint8_t>(format));
  write_int_list(writer, column_formats);
}
template <char Type>
Decoded<CopyResponse<Type>> CopyResponse<Type>::decode(std::string_view payload) {
  FieldReader reader(payload);
  CopyResponse message;
  message.format = static_cast<std::int8_t>(reader.int8());
  message.column_formats = read_int_list<std::int16_t>(reader);
  return finish(reader, message, "CopyResponse");
}
template struct CopyResponse<'G'>;
template struct CopyResponse<'H'>;
template struct CopyResponse<'W'>;

// --- errors and notices ---

std::string_view ErrorFields::get(char code) const {
  for (const auto& [field, value] : fields) {
    if (field == code) return value;
  }
  return {};
}

void ErrorFields::set(char code, std::string value) {
  // What a client sent may be quoted; on the wire a field ends with its first zero byte.
  if (const std::size_t zero = value.find('\0'); zero != std::string::npos) value.resize(zero);
  for (auto& [field, present] : fields) {
    if (field != code) continue;
    present = std::move(value);
    return;
  }
  fields.emplace_back(code, std::move(value));
}

void ErrorFields::remove(char code) {
  std::erase_if(fields, [code](const auto& field) { return field.first == code; });
}

ErrorFields ErrorFields::make(std::string_view severity, std::string_view sqlstate,
                              std::string_view message) {
  ErrorFields made;
  made.set('S', std::string(severity));
  made.set('V', std::string(severity));
  made.set('C', std::string(sqlstate));
  made.set('M', std::string(message));
  return made;
}

template <char Type>
void Report<Type>::encode(Buffer& out) const {
  MessageWriter writer(out, Type);
  for (const auto& [code, value] : fields) {
    writer.int8(static_cast<std::uint8_t>(code));
    // Text of any origin may be in a message; a zero byte in it ends the field.
    writer.string(std::string_view(value).substr(0, value.find('\0')));
  }
  writer.int8(0);
}
template <char Type>
Decoded<Report<Type>> Report<Type>::decode(std::string_view payload) {
  FieldReader reader(payload);
  Report message;
  for (;;) {
    const auto code = static_cast<char>(reader.int8());
    if (!reader.ok() || code == 0) break;
    message.fields.emplace_back(code, std::string(reader.string()));
  }
  return finish(reader, std::move(message), Type == 'E' ? "ErrorResponse" : "NoticeResponse");
}
template struct Report<'E'>;
template struct Report<'N'>;

}  // namespace anabranch::net::pg
