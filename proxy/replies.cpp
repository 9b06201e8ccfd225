#include "proxy/replies.h"

#include <charconv>

#include <string>

namespace anabranch::proxy {

void send_error(net::Buffer& out, const values::SqlError& error, std::string_view severity) {
  net::pg::ErrorResponse response(
      net::pg::ErrorFields::make(severity, error.sqlstate, error.message));
  if (!error.detail.empty()) response.set('D', error.detail);
  if (!error.hint.empty()) response.set('H', error.hint);
  if (error.position > 0) response.set('P', std::to_string(error.position));
  if (!error.context.empty()) response.set('W', error.context);
  response.encode(out);
}

void send_notice(net::Buffer& out, std::string_view severity, std::string_view sqlstate,
                 std::string_view message) {
  net::pg::NoticeResponse(net::pg::ErrorFields::make(severity, sqlstate, message)).encode(out);
}

void send_ready(net::Buffer& out, char status) { net::pg::ReadyForQuery{status}.encode(out); }

void send_complete(net::Buffer& out, std::string_view tag) {
  net::pg::CommandComplete{tag}.encode(out);
}

void send_row_description(net::Buffer& out, std::span<const rewriter::ResultColumn> columns,
                          net::pg::FormatList formats) {
  net::pg::RowDescriptionWriter writer(out, columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const rewriter::ResultColumn& column = columns[i];
    writer.add({column.name, column.table, column.attribute, column.type, column.type_size,
                column.typmod, net::pg::format_of(formats, i)});
  }
}

void send_text_row(net::Buffer& out, std::span<const std::optional<std::string>> fields) {
  net::pg::MessageWriter writer(out, net::pg::DataRow::type);
  writer.int16(static_cast<std::int16_t>(fields.size()));
  for (const auto& field : fields) {
    writer.int32(field ? static_cast<std::int32_t>(field->size()) : -1);
    if (field) writer.bytes(*field);
  }
}

void negotiate_version(const net::pg::StartupMessage& startup, net::Buffer& out) {
  net::pg::NegotiateProtocolVersion answer;
  for (const auto& [name, value] : startup.parameters) {
    if (name.starts_with("_pq_.")) answer.unknown_options.push_back(name);
  }
  const bool newer_minor = (startup.version & 0xFFFF) > 0;
  if (newer_minor || !answer.unknown_options.empty()) answer.encode(out);
}

values::SqlError error_from(const net::pg::ErrorFields& fields) {
  values::SqlError error(std::string(fields.sqlstate()), std::string(fields.message()),
                         std::string(fields.get('H')));
  error.detail = fields.get('D');
  error.context = fields.get('W');
  const std::string position(fields.get('P'));
  if (!position.empty()) error.position = std::atoi(position.c_str());
  return error;
}

std::uint64_t count_in_tag(std::string_view tag) {
  const std::size_t blank = tag.rfind(' ');
  std::uint64_t count = 0;
  if (blank != std::string_view::npos) std::from_chars(tag.data() + blank + 1, tag.data() + tag.size(), count);
  return count;
}

}  // namespace anabranch::proxy
