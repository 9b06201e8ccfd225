#include "net/mysql/trace.h"

#include <fmt/format.h>

#include <iterator>

#include "net/mysql/command_messages.h"
#include "net/mysql/handshake_messages.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/session_changes.h"
#include "net/trace_text.h"

namespace anabranch::net::mysql {

namespace {

using Line = std::string;

using net::put;
template <typename... Values>
void print(Line& line, fmt::format_string<Values...> form, Values&&... values) {
  fmt::format_to(std::back_inserter(line), form, std::forward<Values>(values)...);
}
void put_attributes(Line& line, const ConnectionAttributes& attributes) {
  for (const auto& [name, value] : attributes) put(line, name), put(line, value);
}

void show(Line& line, const HandshakeV10& m) {
  put(line, m.server_version);
  print(line, " {} capabilities {:x} collation {} status {:x}", m.connection, m.capabilities,
        m.collation, m.status);
  put(line, m.plugin);
}
void show(Line& line, const SSLRequest& m) {
  print(line, " capabilities {:x} collation {}", m.capabilities, m.collation);
}
void show(Line& line, const HandshakeResponse41& m) {
  print(line, " capabilities {:x} collation {}", m.capabilities, m.collation);
  put(line, m.user);
  print(line, " {} bytes", m.auth_response.size());
  put(line, m.database), put(line, m.plugin);
  put_attributes(line, m.attributes);
}
void show(Line& line, const AuthSwitchRequest& m) {
  put(line, m.plugin);
}
void show(Line& line, const AuthMoreData& m) {
  if (m.data.size() == 1) {
    print(line, " {}", static_cast<int>(m.data[0]));
  } else {
    print(line, " {} bytes", m.data.size());
  }
}
void show(Line& line, const Ok& m) {
  print(line, " {} {} status {:x} warnings {}", m.affected_rows, m.last_insert_id, m.status,
        m.warnings);
  if (!m.info.empty()) put(line, m.info);
  SessionChanges changes(m.session_state);
  while (const auto change = changes.next()) {
    print(line, " {}", static_cast<int>(change->kind));
    if (!change->name.empty()) put(line, change->name);
    put(line, change->value);
  }
  if (!changes.ok()) line += " BROKEN";
}
void show(Line& line, const Eof& m) {
  print(line, " status {:x} warnings {}", m.status, m.warnings);
}
void show(Line& line, const Err& m) {
  print(line, " {} {}", m.code, m.sqlstate);
  put(line, m.message);
}
void show(Line& line, const ColumnCount& m) {
  print(line, " {}", m.columns);
}
void show(Line& line, const LocalInfileRequest& m) {
  put(line, m.file);
}
void show(Line& line, const ColumnDefinition41& m) {
  for (const auto text : {m.schema, m.table, m.original_table, m.name, m.original_name}) {
    put(line, text);
  }
  print(line, " type {} length {} collation {} flags {:x} decimals {}", static_cast<int>(m.type),
        m.length, m.collation, m.flags, m.decimals);
}
void show(Line& line, const PrepareOk& m) {
  print(line, " {} columns {} parameters {} warnings {}", m.statement, m.columns, m.parameters,
        m.warnings);
}
template <Command Number>
void show(Line&, const BareCommand<Number>&) {}
template <Command Number>
void show(Line& line, const TextCommand<Number>& m) {
  put(line, m.text);
}
template <Command Number>
void show(Line& line, const StatementCommand<Number>& m) {
  print(line, " {}", m.statement);
}
void show(Line& line, const ComFieldList& m) {
  put(line, m.table), put(line, m.wildcard);
}
void show(Line& line, const ComProcessKill& m) {
  print(line, " {}", m.connection);
}
void show(Line& line, const ComChangeUser& m) {
  put(line, m.user);
  print(line, " {} bytes", m.auth_response.size());
  put(line, m.database);
  print(line, " collation {}", m.collation);
  put(line, m.plugin);
  put_attributes(line, m.attributes);
}
void show(Line& line, const ComSetOption& m) {
  print(line, " {}", m.option);
}
void show(Line& line, const ComStmtExecute& m) {
  print(line, " {} flags {} iterations {} parameters of {} bytes", m.statement, m.flags,
        m.iterations, m.parameters.size());
}
void show(Line& line, const ComStmtFetch& m) {
  print(line, " {} {}", m.statement, m.rows);
}
void show(Line& line, const ComStmtSendLongData& m) {
  print(line, " {} {} {} bytes", m.statement, m.parameter, m.data.size());
}
void show(Line& line, const ComStmtBulkExecute& m) {
  print(line, " {} flags {} {} bytes", m.statement, m.flags, m.rest.size());
}

template <typename M>
Line shown(std::string_view name, const Decoded<M>& decoded) {
  Line line(name);
  if (decoded) {
    show(line, *decoded);
  } else {
    line += " BROKEN: " + decoded.error().message;
  }
  return line;
}

Line show_end(std::string_view payload, Capabilities capabilities) {
  const bool is_ok =
      first_byte(payload) == Ok::header || (first_byte(payload) == Ok::end_of_rows_header &&
                                            has(capabilities, capability::deprecate_eof));
  return is_ok ? shown("OK", Ok::decode(payload, capabilities))
               : shown("EOF", Eof::decode(payload));
}

Line show_row(std::string_view payload, ResultReader::Reply reply) {
  if (reply != ResultReader::Reply::text) return fmt::format("BinaryRow {} bytes", payload.size());
  if (payload.size() == max_frame_bytes) return "Row of more than 16 MiB";
  Line line = "Row";
  FieldReader reader(payload);
  while (reader.ok() && !reader.at_end()) {
    const Field field = reader.field();
    if (reader.ok()) put(line, field);
  }
  if (!reader.ok()) line += " BROKEN";
  return line;
}

template <typename M>
Line show_command(std::string_view payload) {
  return shown(name(M::command), M::decode(payload));
}

Line show_command(std::string_view payload, Capabilities capabilities) {
  switch (command_of(payload).value_or(Command::sleep)) {
    case Command::quit:
      return show_command<ComQuit>(payload);
    case Command::init_db:
      return show_command<ComInitDb>(payload);
    case Command::query:
      return show_command<ComQuery>(payload);
    case Command::field_list:
      return show_command<ComFieldList>(payload);
    case Command::statistics:
      return show_command<ComStatistics>(payload);
    case Command::process_kill:
      return show_command<ComProcessKill>(payload);
    case Command::ping:
      return show_command<ComPing>(payload);
    case Command::change_user:
      return shown(name(Command::change_user), ComChangeUser::decode(payload, capabilities));
    case Command::stmt_prepare:
      return show_command<ComStmtPrepare>(payload);
    case Command::stmt_execute:
      return show_command<ComStmtExecute>(payload);
    case Command::stmt_send_long_data:
      return show_command<ComStmtSendLongData>(payload);
    case Command::stmt_close:
      return show_command<ComStmtClose>(payload);
    case Command::stmt_reset:
      return show_command<ComStmtReset>(payload);
    case Command::set_option:
      return show_command<ComSetOption>(payload);
    case Command::stmt_fetch:
      return show_command<ComStmtFetch>(payload);
    case Command::reset_connection:
      return show_command<ComResetConnection>(payload);
    case Command::stmt_bulk_execute:
      return show_command<ComStmtBulkExecute>(payload);
    default:
      break;
  }
  const std::string_view known = payload.empty() ? "" : name(*command_of(payload));
  Line line(known.empty() ? "Unknown" : known);
  put(line, payload);
  return line;
}

Line show_question(std::string_view payload, Capabilities capabilities) {
  switch (first_byte(payload).value_or(Err::header)) {
    case Ok::header:
      return shown("OK", Ok::decode(payload, capabilities));
    case AuthMoreData::header:
      return shown("AuthMoreData", AuthMoreData::decode(payload));
    case AuthSwitchRequest::header:
      return shown("AuthSwitchRequest", AuthSwitchRequest::decode(payload));
    case Err::header:
      return shown("ERR", Err::decode(payload));
    default:
      return fmt::format("AuthQuestion {} bytes", payload.size());
  }
}

}  // namespace

std::string trace(Stage stage, std::string_view payload, Capabilities capabilities) {
  switch (stage) {
    case Stage::greeting:
      if (first_byte(payload) == Err::header) return "S " + shown("ERR", Err::decode(payload));
      return "S " + shown("HandshakeV10", HandshakeV10::decode(payload));
    case Stage::login:
      if (SSLRequest::is(payload)) return "C " + shown("SSLRequest", SSLRequest::decode(payload));
      return "C " + shown("HandshakeResponse41", HandshakeResponse41::decode(payload));
    case Stage::auth_question:
      return "S " + show_question(payload, capabilities);
    case Stage::auth_answer:
      return fmt::format("C AuthResponse {} bytes", payload.size());
    case Stage::command:
      break;
  }
  return "C " + show_command(payload, capabilities);
}

std::string trace(ResultReader::Event event, std::string_view payload, Capabilities capabilities,
                  ResultReader::Reply reply) {
  using enum ResultReader::Event;
  switch (event) {
    case ok:
    case rows_end:
    case columns_end:
    case parameters_end:
      return "S " + show_end(payload, capabilities);
    case error:
      return "S " + shown("ERR", Err::decode(payload));
    case column_count:
      return "S " + shown("ColumnCount", ColumnCount::decode(payload, capabilities));
    case column:
      return "S " + shown("Column", ColumnDefinition41::decode(payload, capabilities));
    case parameter:
      return "S " + shown("Parameter", ColumnDefinition41::decode(payload, capabilities));
    case prepared:
      return "S " + shown("PrepareOk", PrepareOk::decode(payload));
    case infile_request:
      return "S " + shown("LocalInfile", LocalInfileRequest::decode(payload));
    case row:
      return "S " + show_row(payload, reply);
    case statistics: {
      Line line = "S Statistics";
      put(line, payload);
      return line;
    }
    case continuation:
      break;
  }
  return fmt::format("S … {} bytes", payload.size());
}

}  // namespace anabranch::net::mysql
