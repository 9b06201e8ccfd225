#include "net/mysql/result_messages.h"

namespace anabranch::net::mysql {

namespace {

constexpr std::size_t fixed_column_bytes = 12;
constexpr std::size_t sqlstate_bytes = 5;

}  // namespace

void Ok::encode(Buffer& out, Sequence& sequence, Capabilities capabilities) const {
  PacketWriter writer(out, sequence);
  writer.int1(ends_rows ? end_of_rows_header : header);
  writer.lenenc(affected_rows);
  writer.lenenc(last_insert_id);
  writer.int2(status);
  writer.int2(warnings);
  const bool changes =
      has(capabilities, capability::session_track) && (status & status::session_state_changed) != 0;
  // Servers count the text's length in front in either case, whatever some documentation says.
  if (changes || !info.empty()) writer.lenenc_string(info);
  if (changes) writer.lenenc_string(session_state);
}

Decoded<Ok> Ok::decode(std::string_view payload, Capabilities capabilities) {
  FieldReader reader(payload);
  Ok message;
  const std::uint8_t first = reader.int1();
  if (first != header && first != end_of_rows_header) return malformed("OK", "wrong header");
  message.ends_rows = first == end_of_rows_header;
  message.affected_rows = reader.lenenc();
  message.last_insert_id = reader.lenenc();
  message.status = reader.int2();
  message.warnings = reader.int2();
  if (!reader.at_end()) message.info = reader.lenenc_string();
  if (!reader.at_end() && has(capabilities, capability::session_track) &&
      (message.status & status::session_state_changed) != 0) {
    message.session_state = reader.lenenc_string();
  }
  return finish(reader, message, "OK");
}

void Eof::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  writer.int1(header);
  writer.int2(warnings);
  writer.int2(status);
}

Decoded<Eof> Eof::decode(std::string_view payload) {
  FieldReader reader(payload);
  if (reader.int1() != header) return malformed("EOF", "wrong header");
  Eof message;
  message.warnings = reader.int2();
  message.status = reader.int2();
  return finish(reader, message, "EOF");
}

void Err::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  writer.int1(header);
  writer.int2(code);
  writer.bytes("#");
  writer.bytes(sqlstate.size() == sqlstate_bytes ? sqlstate : general_sqlstate);
  writer.bytes(message);
}

Decoded<Err> Err::decode(std::string_view payload) {
  FieldReader reader(payload);
  if (reader.int1() != header) return malformed("ERR", "wrong header");
  Err error;
  error.code = reader.int2();
  error.message = reader.rest();
  if (error.message.starts_with('#') && error.message.size() > sqlstate_bytes) {
    error.sqlstate = error.message.substr(1, sqlstate_bytes);
    error.message.remove_prefix(1 + sqlstate_bytes);
  }
  return finish(reader, error, "ERR");
}

void ColumnCount::encode(Buffer& out, Sequence& sequence, Capabilities capabilities) const {
  PacketWriter writer(out, sequence);
  writer.lenenc(columns);
  if (has(capabilities, capability::mariadb_cache_metadata)) {
    writer.int1(metadata_follows ? 1 : 0);
  }
}

Decoded<ColumnCount> ColumnCount::decode(std::string_view payload, Capabilities capabilities) {
  FieldReader reader(payload);
  ColumnCount message;
  message.columns = reader.lenenc();
  if (has(capabilities, capability::mariadb_cache_metadata)) {
    message.metadata_follows = reader.int1() != 0;
  }
  return finish(reader, message, "column count");
}

void LocalInfileRequest::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  writer.int1(header);
  writer.bytes(file);
}

Decoded<LocalInfileRequest> LocalInfileRequest::decode(std::string_view payload) {
  FieldReader reader(payload);
  if (reader.int1() != header) return malformed("LOCAL INFILE", "wrong header");
  LocalInfileRequest message{reader.rest()};
  return finish(reader, message, "LOCAL INFILE");
}

void ColumnDefinition41::encode(Buffer& out, Sequence& sequence, Capabilities capabilities) const {
  PacketWriter writer(out, sequence);
  for (const auto text : {catalog, schema, table, original_table, name, original_name}) {
    writer.lenenc_string(text);
  }
  if (has(capabilities, capability::mariadb_extended_metadata)) {
    writer.lenenc_string(extended_metadata);
  }
  writer.lenenc(fixed_column_bytes);
  writer.int2(collation);
  writer.int4(length);
  writer.int1(static_cast<std::uint8_t>(type));
  writer.int2(flags);
  writer.int1(decimals);
  writer.zeros(2);
  if (has_default) writer.field(default_value);
}

Decoded<ColumnDefinition41> ColumnDefinition41::decode(std::string_view payload,
                                                       Capabilities capabilities) {
  FieldReader reader(payload);
  ColumnDefinition41 column;
  column.catalog = reader.lenenc_string();
  column.schema = reader.lenenc_string();
  column.table = reader.lenenc_string();
  column.original_table = reader.lenenc_string();
  column.name = reader.lenenc_string();
  column.original_name = reader.lenenc_string();
  if (has(capabilities, capability::mariadb_extended_metadata)) {
    column.extended_metadata = reader.lenenc_string();
  }
  if (reader.lenenc() != fixed_column_bytes) reader.fail();
  column.collation = reader.int2();
  column.length = reader.int4();
  column.type = FieldType{reader.int1()};
  column.flags = reader.int2();
  column.decimals = reader.int1();
  reader.bytes(2);
  column.has_default = reader.ok() && !reader.at_end();
  if (column.has_default) column.default_value = reader.field();
  return finish(reader, column, "column definition");
}

void PrepareOk::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  writer.int1(header);
  writer.int4(statement);
  writer.int2(columns);
  writer.int2(parameters);
  writer.int1(0);
  writer.int2(warnings);
}

Decoded<PrepareOk> PrepareOk::decode(std::string_view payload) {
  FieldReader reader(payload);
  if (reader.int1() != header) return malformed("prepare OK", "wrong header");
  PrepareOk message;
  message.statement = reader.int4();
  message.columns = reader.int2();
  message.parameters = reader.int2();
  reader.int1();
  message.warnings = reader.int2();
  return finish(reader, message, "prepare OK");
}

}  // namespace anabranch::net::mysql
