#include <fmt/format.h>

#include <iterator>

#include "net/pg/messages.h"
#include "net/trace_text.h"

namespace anabranch::net::pg {

namespace {

using Line = std::string;

using net::put;
template <typename Number>
void put_number(Line& line, Number number) {
  fmt::format_to(std::back_inserter(line), " {}", number);
}
void put(Line& line, const FieldList& fields) {
  put_number(line, fields.size());
  for (const Field field : fields) put(line, field);
}
template <typename Int>
void put(Line& line, const IntList<Int>& list) {
  put_number(line, list.size());
  for (std::size_t i = 0; i < list.size(); ++i) put_number(line, list[i]);
}
void put(Line& line, char letter) {
  line += ' ';
  line += letter;
}

void show(Line& line, const StartupMessage& m) {
  fmt::format_to(std::back_inserter(line), " {}.{}", m.version >> 16, m.version & 0xffff);
  for (const auto& [name, value] : m.parameters) put(line, name), put(line, value);
}
void show(Line& line, const CancelRequest& m) {
  put_number(line, m.process);
  put_number(line, m.secret);
}
void show(Line&, const SSLRequest&) {}
void show(Line&, const GSSENCRequest&) {}
void show(Line& line, const Query& m) {
  put(line, m.sql);
}
void show(Line& line, const Parse& m) {
  put(line, m.statement), put(line, m.sql), put(line, m.parameter_types);
}
void show(Line& line, const Bind& m) {
  put(line, m.portal), put(line, m.statement);
  put(line, m.parameter_formats), put(line, m.parameters), put(line, m.result_formats);
}
void show(Line& line, const Describe& m) {
  put(line, m.kind), put(line, m.name);
}
void show(Line& line, const Close& m) {
  put(line, m.kind), put(line, m.name);
}
void show(Line& line, const Execute& m) {
  put(line, m.portal), put_number(line, m.row_limit);
}
void show(Line& line, const FunctionCall& m) {
  put_number(line, m.function), put(line, m.argument_formats), put(line, m.arguments);
  put_number(line, m.result_format);
}
void show(Line& line, const CopyFail& m) {
  put(line, m.message);
}
void show(Line& line, const CopyData& m) {
  put(line, m.data);
}
void show(Line& line, const Authentication& m) {
  put_number(line, static_cast<std::int32_t>(m.kind));
  if (!m.data.empty()) put(line, m.data);
  for (const std::string_view mechanism : m.mechanisms) put(line, mechanism);
}
void show(Line& line, const BackendKeyData& m) {
  put_number(line, m.process), put_number(line, m.secret);
}
void show(Line& line, const ParameterStatus& m) {
  put(line, m.name), put(line, m.value);
}
void show(Line& line, const ReadyForQuery& m) {
  put(line, m.status);
}
void show(Line& line, const RowDescription& m) {
  put_number(line, m.columns.size());
  for (const Column& c : m.columns) {
    put(line, c.name), put_number(line, c.table), put_number(line, c.attribute);
    put_number(line, c.type), put_number(line, c.type_size), put_number(line, c.type_modifier);
    put_number(line, c.format);
  }
}
void show(Line& line, const DataRow& m) {
  put(line, m.fields);
}
void show(Line& line, const CommandComplete& m) {
  put(line, m.tag);
}
void show(Line& line, const ParameterDescription& m) {
  put(line, m.types);
}
void show(Line& line, const FunctionCallResponse& m) {
  put(line, m.value);
}
void show(Line& line, const NotificationResponse& m) {
  put_number(line, m.process), put(line, m.channel), put(line, m.payload);
}
void show(Line& line, const NegotiateProtocolVersion& m) {
  put_number(line, m.newest_version);
  for (const std::string_view option : m.unknown_options) put(line, option);
}
void show(Line& line, const ErrorFields& m) {
  for (const auto& [code, value] : m.fields) put(line, code), put(line, std::string_view(value));
}
template <char Type>
void show(Line& line, const CopyResponse<Type>& m) {
  put_number(line, static_cast<int>(m.format)), put(line, m.column_formats);
}
template <char Type>
void show(Line&, const Bare<Type>&) {}

template <typename M>
Line print(std::string_view name, const Message& message) {
  Line line(name);
  if (const auto decoded = M::decode(message.payload)) {
    show(line, *decoded);
  } else {
    line += " BROKEN: " + decoded.error().message;
  }
  return line;
}

Line unknown(const Message& message) {
  Line line = "Unknown";
  put(line, std::string_view(&message.type, 1));
  put(line, message.payload);
  return line;
}

Line print_startup(const Message& message) {
  switch (startup_code(message.payload).value_or(0)) {
    case ssl_request_code:
      return print<SSLRequest>("SSLRequest", message);
    case gssenc_request_code:
      return print<GSSENCRequest>("GSSENCRequest", message);
    case cancel_request_code:
      return print<CancelRequest>("CancelRequest", message);
    default:
      return print<StartupMessage>("StartupMessage", message);
  }
}

Line print_frontend(const Message& message) {
  switch (message.type) {
    case 0:
      return print_startup(message);
    case 'p':
      return fmt::format("AuthResponse {} bytes", message.payload.size());
    case 'Q':
      return print<Query>("Query", message);
    case 'P':
      return print<Parse>("Parse", message);
    case 'B':
      return print<Bind>("Bind", message);
    case 'D':
      return print<Describe>("Describe", message);
    case 'E':
      return print<Execute>("Execute", message);
    case 'C':
      return print<Close>("Close", message);
    case 'F':
      return print<FunctionCall>("FunctionCall", message);
    case 'H':
      return print<Flush>("Flush", message);
    case 'S':
      return print<Sync>("Sync", message);
    case 'X':
      return print<Terminate>("Terminate", message);
    case 'd':
      return print<CopyData>("CopyData", message);
    case 'c':
      return print<CopyDone>("CopyDone", message);
    case 'f':
      return print<CopyFail>("CopyFail", message);
    default:
      return unknown(message);
  }
}

Line print_backend(const Message& message) {
  switch (message.type) {
    case 'R':
      return print<Authentication>("Authentication", message);
    case 'K':
      return print<BackendKeyData>("BackendKeyData", message);
    case 'S':
      return print<ParameterStatus>("ParameterStatus", message);
    case 'Z':
      return print<ReadyForQuery>("ReadyForQuery", message);
    case 'T':
      return print<RowDescription>("RowDescription", message);
    case 'D':
      return print<DataRow>("DataRow", message);
    case 'C':
      return print<CommandComplete>("CommandComplete", message);
    case 'I':
      return print<EmptyQueryResponse>("EmptyQueryResponse", message);
    case 'E':
      return print<ErrorResponse>("ErrorResponse", message);
    case 'N':
      return print<NoticeResponse>("NoticeResponse", message);
    case '1':
      return print<ParseComplete>("ParseComplete", message);
    case '2':
      return print<BindComplete>("BindComplete", message);
    case '3':
      return print<CloseComplete>("CloseComplete", message);
    case 'n':
      return print<NoData>("NoData", message);
    case 's':
      return print<PortalSuspended>("PortalSuspended", message);
    case 't':
      return print<ParameterDescription>("ParameterDescription", message);
    case 'V':
      return print<FunctionCallResponse>("FunctionCallResponse", message);
    case 'A':
      return print<NotificationResponse>("NotificationResponse", message);
    case 'v':
      return print<NegotiateProtocolVersion>("NegotiateProtocolVersion", message);
    case 'G':
      return print<CopyInResponse>("CopyInResponse", message);
    case 'H':
      return print<CopyOutResponse>("CopyOutResponse", message);
    case 'W':
      return print<CopyBothResponse>("CopyBothResponse", message);
    case 'd':
      return print<CopyData>("CopyData", message);
    case 'c':
      return print<CopyDone>("CopyDone", message);
    default:
      return unknown(message);
  }
}

}  // namespace

std::string trace(Direction direction, const Message& message) {
  return direction == Direction::from_frontend ? "F " + print_frontend(message)
                                               : "B " + print_backend(message);
}

}  // namespace anabranch::net::pg
