#include "net/mysql/command_messages.h"

#include <array>

namespace anabranch::net::mysql {

namespace {

constexpr std::array<std::string_view, 0x20> command_names = {
    "COM_SLEEP",
    "COM_QUIT",
    "COM_INIT_DB",
    "COM_QUERY",
    "COM_FIELD_LIST",
    "COM_CREATE_DB",
    "COM_DROP_DB",
    "COM_REFRESH",
    "COM_SHUTDOWN",
    "COM_STATISTICS",
    "COM_PROCESS_INFO",
    "COM_CONNECT",
    "COM_PROCESS_KILL",
    "COM_DEBUG",
    "COM_PING",
    "COM_TIME",
    "COM_DELAYED_INSERT",
    "COM_CHANGE_USER",
    "COM_BINLOG_DUMP",
    "COM_TABLE_DUMP",
    "COM_CONNECT_OUT",
    "COM_REGISTER_SLAVE",
    "COM_STMT_PREPARE",
    "COM_STMT_EXECUTE",
    "COM_STMT_SEND_LONG_DATA",
    "COM_STMT_CLOSE",
    "COM_STMT_RESET",
    "COM_SET_OPTION",
    "COM_STMT_FETCH",
    "COM_DAEMON",
    "COM_BINLOG_DUMP_GTID",
    "COM_RESET_CONNECTION",
};

void write_command(PacketWriter& writer, Command command) {
  writer.int1(static_cast<std::uint8_t>(command));
}

/// A reader behind the command's number, failed where it is another one.
FieldReader read_command(std::string_view payload, Command command) {
  FieldReader reader(payload);
  if (Command{reader.int1()} != command) reader.fail();
  return reader;
}

}  // namespace

std::string_view name(Command command) {
  const auto number = static_cast<std::uint8_t>(command);
  if (number < command_names.size()) return command_names[number];
  return command == Command::stmt_bulk_execute ? "COM_STMT_BULK_EXECUTE" : std::string_view();
}

std::optional<Command> command_of(std::string_view payload) {
  const auto first = first_byte(payload);
  if (!first) return std::nullopt;
  return Command{*first};
}

void ComFieldList::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_command(writer, command);
  writer.string(table);
  writer.bytes(wildcard);
}

Decoded<ComFieldList> ComFieldList::decode(std::string_view payload) {
  FieldReader reader = read_command(payload, command);
  ComFieldList message;
  message.table = reader.string();
  message.wildcard = reader.rest();
  return finish(reader, message, name(command));
}

void ComProcessKill::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_command(writer, command);
  writer.int4(connection);
}

Decoded<ComProcessKill> ComProcessKill::decode(std::string_view payload) {
  FieldReader reader = read_command(payload, command);
  const ComProcessKill message{reader.int4()};
  return finish(reader, message, name(command));
}

void ComChangeUser::encode(Buffer& out, Sequence& sequence, Capabilities capabilities) const {
  PacketWriter writer(out, sequence);
  write_command(writer, command);
  writer.string(user);
  if (has(capabilities, capability::secure_connection)) {
    writer.int1(static_cast<std::uint8_t>(auth_response.size()));
    writer.bytes(auth_response);
  } else {
    writer.string(auth_response);
  }
  writer.string(database);
  writer.int2(collation);
  if (!has(capabilities, capability::plugin_auth)) return;
  writer.string(plugin);
  if (has(capabilities, capability::connect_attributes)) write_attributes(writer, attributes);
}

Decoded<ComChangeUser> ComChangeUser::decode(std::string_view payload, Capabilities capabilities) {
  FieldReader reader = read_command(payload, command);
  ComChangeUser message;
  message.user = reader.string();
  message.auth_response = has(capabilities, capability::secure_connection)
                              ? reader.bytes(reader.int1())
                              : reader.string();
  message.database = reader.string();
  // All that follows may be left out by older clients.
  if (!reader.at_end()) message.collation = reader.int2();
  if (has(capabilities, capability::plugin_auth)) message.plugin = reader.last_string();
  if (has(capabilities, capability::connect_attributes) && !reader.at_end()) {
    message.attributes = read_attributes(reader);
  }
  return finish(reader, std::move(message), name(command));
}

void ComSetOption::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_command(writer, command);
  writer.int2(option);
}

Decoded<ComSetOption> ComSetOption::decode(std::string_view payload) {
  FieldReader reader = read_command(payload, command);
  const ComSetOption message{reader.int2()};
  return finish(reader, message, name(command));
}

void ComStmtExecute::write_head(PacketWriter& writer) const {
  write_command(writer, command);
  writer.int4(statement);
  writer.int1(flags);
  writer.int4(iterations);
}

void ComStmtExecute::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_head(writer);
  writer.bytes(parameters);
}

Decoded<ComStmtExecute> ComStmtExecute::decode(std::string_view payload) {
  FieldReader reader = read_command(payload, command);
  ComStmtExecute message;
  message.statement = reader.int4();
  message.flags = reader.int1();
  message.iterations = reader.int4();
  message.parameters = reader.rest();
  return finish(reader, message, name(command));
}

void ComStmtFetch::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_command(writer, command);
  writer.int4(statement);
  writer.int4(rows);
}

Decoded<ComStmtFetch> ComStmtFetch::decode(std::string_view payload) {
  FieldReader reader = read_command(payload, command);
  ComStmtFetch message;
  message.statement = reader.int4();
  message.rows = reader.int4();
  return finish(reader, message, name(command));
}

void ComStmtSendLongData::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_command(writer, command);
  writer.int4(statement);
  writer.int2(parameter);
  writer.bytes(data);
}

Decoded<ComStmtSendLongData> ComStmtSendLongData::decode(std::string_view payload) {
  FieldReader reader = read_command(payload, command);
  ComStmtSendLongData message;
  message.statement = reader.int4();
  message.parameter = reader.int2();
  message.data = reader.rest();
  return finish(reader, message, name(command));
}

void ComStmtBulkExecute::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_command(writer, command);
  writer.int4(statement);
  writer.int2(flags);
  writer.bytes(rest);
}

Decoded<ComStmtBulkExecute> ComStmtBulkExecute::decode(std::string_view payload) {
  FieldReader reader = read_command(payload, command);
  ComStmtBulkExecute message;
  message.statement = reader.int4();
  message.flags = reader.int2();
  message.rest = reader.rest();
  return finish(reader, message, name(command));
}

}  // namespace anabranch::net::mysql
