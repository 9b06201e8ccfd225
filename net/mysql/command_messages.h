#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/mysql/handshake_messages.h"
#include "net/mysql/message.h"

/// What a client asks for once it is logged in ("Command Phase"): a packet's first byte.
namespace anabranch::net::mysql {

enum class Command : std::uint8_t {
  sleep = 0x00,
  quit = 0x01,
  init_db = 0x02,
  query = 0x03,
  field_list = 0x04,
  create_db = 0x05,
  drop_db = 0x06,
  refresh = 0x07,
  shutdown = 0x08,
  statistics = 0x09,
  process_info = 0x0a,
  connect = 0x0b,
  process_kill = 0x0c,
  debug = 0x0d,
  ping = 0x0e,
  time = 0x0f,
  delayed_insert = 0x10,
  change_user = 0x11,
  binlog_dump = 0x12,
  table_dump = 0x13,
  connect_out = 0x14,
  register_slave = 0x15,
  stmt_prepare = 0x16,
  stmt_execute = 0x17,
  stmt_send_long_data = 0x18,
  stmt_close = 0x19,
  stmt_reset = 0x1a,
  set_option = 0x1b,
  stmt_fetch = 0x1c,
  daemon = 0x1d,
  binlog_dump_gtid = 0x1e,
  reset_connection = 0x1f,
  stmt_bulk_execute = 0xfa,
};
/// "COM_QUERY"; empty for numbers that neither MySQL nor MariaDB knows.
std::string_view name(Command command);
/// The command of a packet; nothing of an empty one. Its value need not have a name.
std::optional<Command> command_of(std::string_view payload);

/// A command that is its number alone.
template <Command Number>
struct BareCommand {
  static constexpr Command command = Number;
  void encode(Buffer& out, Sequence& sequence) const {
    PacketWriter(out, sequence).int1(static_cast<std::uint8_t>(Number));
  }
  static Decoded<BareCommand> decode(std::string_view payload) {
    FieldReader reader(payload);
    if (Command{reader.int1()} != Number) return malformed(name(Number), "wrong command");
    return finish(reader, BareCommand{}, name(Number));
  }
};
using ComQuit = BareCommand<Command::quit>;
using ComStatistics = BareCommand<Command::statistics>;
using ComPing = BareCommand<Command::ping>;
using ComResetConnection = BareCommand<Command::reset_connection>;

/// A command whose text reaches to the packet's end.
template <Command Number>
struct TextCommand {
  static constexpr Command command = Number;
  std::string_view text;
  void encode(Buffer& out, Sequence& sequence) const {
    PacketWriter writer(out, sequence);
    writer.int1(static_cast<std::uint8_t>(Number));
    writer.bytes(text);
  }
  static Decoded<TextCommand> decode(std::string_view payload) {
    FieldReader reader(payload);
    if (Command{reader.int1()} != Number) return malformed(name(Number), "wrong command");
    TextCommand message{reader.rest()};
    return finish(reader, message, name(Number));
  }
};
using ComQuery = TextCommand<Command::query>;
using ComInitDb = TextCommand<Command::init_db>;
using ComStmtPrepare = TextCommand<Command::stmt_prepare>;

struct ComFieldList {
  static constexpr Command command = Command::field_list;
  std::string_view table;
  std::string_view wildcard;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<ComFieldList> decode(std::string_view payload);
};

struct ComProcessKill {
  static constexpr Command command = Command::process_kill;
  std::uint32_t connection = 0;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<ComProcessKill> decode(std::string_view payload);
};

/// Begins a login anew on the same connection; its answer is to the connection's first challenge.
struct ComChangeUser {
  static constexpr Command command = Command::change_user;
  std::string_view user;
  std::string_view auth_response;  // up to 255 bytes
  std::string_view database;
  std::uint16_t collation = 0;  // 0: left out
  std::string_view plugin;
  ConnectionAttributes attributes;
  void encode(Buffer& out, Sequence& sequence, Capabilities capabilities) const;
  static Decoded<ComChangeUser> decode(std::string_view payload, Capabilities capabilities);
};

struct ComSetOption {
  static constexpr Command command = Command::set_option;
  static constexpr std::uint16_t multi_statements_on = 0;
  static constexpr std::uint16_t multi_statements_off = 1;
  std::uint16_t option = 0;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<ComSetOption> decode(std::string_view payload);
};

/// MariaDB: execute the statement that was prepared last.
inline constexpr std::uint32_t last_prepared_statement = 0xffff'ffff;

/// A prepared statement's number alone.
template <Command Number>
struct StatementCommand {
  static constexpr Command command = Number;
  std::uint32_t statement = 0;
  void encode(Buffer& out, Sequence& sequence) const {
    PacketWriter writer(out, sequence);
    writer.int1(static_cast<std::uint8_t>(Number));
    writer.int4(statement);
  }
  static Decoded<StatementCommand> decode(std::string_view payload) {
    FieldReader reader(payload);
    if (Command{reader.int1()} != Number) return malformed(name(Number), "wrong command");
    StatementCommand message{reader.int4()};
    return finish(reader, message, name(Number));
  }
};
using ComStmtClose = StatementCommand<Command::stmt_close>;
using ComStmtReset = StatementCommand<Command::stmt_reset>;

struct ComStmtExecute {
  static constexpr Command command = Command::stmt_execute;
  std::uint32_t statement = 0;
  std::uint8_t flags = cursor::none;
  std::uint32_t iterations = 1;
  std::string_view parameters;  // for BoundParameters; empty where the statement has none
  /// All but the parameters.
  void write_head(PacketWriter& writer) const;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<ComStmtExecute> decode(std::string_view payload);
};

struct ComStmtFetch {
  static constexpr Command command = Command::stmt_fetch;
  std::uint32_t statement = 0;
  std::uint32_t rows = 0;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<ComStmtFetch> decode(std::string_view payload);
};

/// A piece of a parameter's value, ahead of the execution; the server says nothing to it.
struct ComStmtSendLongData {
  static constexpr Command command = Command::stmt_send_long_data;
  std::uint32_t statement = 0;
  std::uint16_t parameter = 0;
  std::string_view data;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<ComStmtSendLongData> decode(std::string_view payload);
};

/// MariaDB: one statement with many rows of parameters. Recognised; its rows are not read.
struct ComStmtBulkExecute {
  static constexpr Command command = Command::stmt_bulk_execute;
  std::uint32_t statement = 0;
  std::uint16_t flags = 0;
  std::string_view rest;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<ComStmtBulkExecute> decode(std::string_view payload);
};

}  // namespace anabranch::net::mysql
