#include "net/pg/codec_helpers.h"
#include "net/pg/messages.h"

namespace anabranch::net::pg {

namespace {

Decoded<FieldReader> expect_code(std::string_view payload, std::int32_t code,
                                 std::string_view name) {
  FieldReader reader(payload);
  if (reader.int32() != code || !reader.ok()) {
    return std::unexpected(DecodeError{fmt::format("not a {} packet", name)});
  }
  return reader;
}

template <typename Request>
Decoded<Request> decode_bare_request(std::string_view payload, std::int32_t code,
                                     std::string_view name) {
  auto reader = expect_code(payload, code, name);
  if (!reader) return std::unexpected(reader.error());
  return finish(*reader, Request{}, name);
}

}  // namespace

Decoded<std::int32_t> startup_code(std::string_view payload) {
  FieldReader reader(payload);
  const std::int32_t code = reader.int32();
  if (!reader.ok()) return std::unexpected(DecodeError{"incomplete startup packet"});
  return code;
}

std::string_view StartupMessage::parameter(std::string_view name) const {
  std::string_view value;
  for (const auto& [key, given] : parameters) {
    if (key == name) value = given;  // the last one counts, as in the server
  }
  return value;
}

void StartupMessage::encode(Buffer& out) const {
  MessageWriter writer(out);
  writer.int32(version);
  for (const auto& [name, value] : parameters) {
    writer.string(name);
    writer.string(value);
  }
  writer.int8(0);
}

Decoded<StartupMessage> StartupMessage::decode(std::string_view payload) {
  FieldReader reader(payload);
  StartupMessage message;
  message.version = reader.int32();
  for (;;) {
    const std::string_view name = reader.string();
    if (!reader.ok() || name.empty()) break;
    const std::string_view value = reader.string();
    if (reader.ok()) message.parameters.emplace_back(name, value);
  }
  if (!reader.ok() || !reader.at_end()) {
    return std::unexpected(
        DecodeError{"invalid startup packet layout: expected terminator as last byte"});
  }
  return message;
}

void SSLRequest::encode(Buffer& out) const {
  MessageWriter(out).int32(ssl_request_code);
}
Decoded<SSLRequest> SSLRequest::decode(std::string_view payload) {
  return decode_bare_request<SSLRequest>(payload, ssl_request_code, "SSLRequest");
}

void GSSENCRequest::encode(Buffer& out) const {
  MessageWriter(out).int32(gssenc_request_code);
}
Decoded<GSSENCRequest> GSSENCRequest::decode(std::string_view payload) {
  return decode_bare_request<GSSENCRequest>(payload, gssenc_request_code, "GSSENCRequest");
}

void CancelRequest::encode(Buffer& out) const {
  MessageWriter writer(out);
  writer.int32(cancel_request_code);
  writer.int32(process);
  writer.int32(secret);
}
Decoded<CancelRequest> CancelRequest::decode(std::string_view payload) {
  auto reader = expect_code(payload, cancel_request_code, "CancelRequest");
  if (!reader) return std::unexpected(reader.error());
  CancelRequest message;
  message.process = reader->int32();
  message.secret = reader->int32();
  return finish(*reader, message, "CancelRequest");
}

}  // namespace anabranch::net::pg
