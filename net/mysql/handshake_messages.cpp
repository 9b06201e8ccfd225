#include "net/mysql/handshake_messages.h"

#include <algorithm>

namespace anabranch::net::mysql {

namespace {

constexpr std::uint8_t protocol_version = 10;
constexpr std::size_t first_piece_bytes = 8;
constexpr std::size_t least_second_piece_bytes = 13;
constexpr std::size_t ssl_request_bytes = 32;
constexpr std::size_t most_attributes =
    512;  // clients send ten; empty ones would cost more than bytes

/// The upper capabilities stand where other peers have zeros.
void write_upper(PacketWriter& writer, Capabilities capabilities) {
  const bool mariadb = !has(capabilities, capability::long_password);
  writer.int4(mariadb ? static_cast<std::uint32_t>(capabilities >> 32) : 0);
}

Capabilities read_upper(FieldReader& reader, Capabilities lower) {
  const Capabilities upper = reader.int4();
  return has(lower, capability::long_password) ? lower : lower | upper << 32;
}

/// What SSLRequest and HandshakeResponse41 share.
template <typename M>
void write_beginning(PacketWriter& writer, const M& message) {
  writer.int4(static_cast<std::uint32_t>(message.capabilities));
  writer.int4(message.max_packet);
  writer.int1(message.collation);
  writer.zeros(19);
  write_upper(writer, message.capabilities);
}

template <typename M>
void read_beginning(FieldReader& reader, M& message) {
  const Capabilities lower = reader.int4();
  message.max_packet = reader.int4();
  message.collation = reader.int1();
  reader.bytes(19);
  message.capabilities = read_upper(reader, lower);
}

}  // namespace

void HandshakeV10::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  writer.int1(protocol_version);
  writer.string(server_version);
  writer.int4(connection);
  writer.bytes(std::string_view(challenge).substr(0, first_piece_bytes));
  writer.int1(0);
  writer.int2(static_cast<std::uint16_t>(capabilities));
  writer.int1(collation);
  writer.int2(status);
  writer.int2(static_cast<std::uint16_t>(capabilities >> 16));
  const bool plugins = has(capabilities, capability::plugin_auth);
  writer.int1(plugins ? static_cast<std::uint8_t>(challenge.size() + 1) : 0);
  writer.zeros(6);
  write_upper(writer, capabilities);
  writer.bytes(std::string_view(challenge).substr(first_piece_bytes));
  writer.int1(0);
  if (plugins) writer.string(plugin);
}

Decoded<HandshakeV10> HandshakeV10::decode(std::string_view payload) {
  FieldReader reader(payload);
  if (reader.int1() != protocol_version) return malformed("HandshakeV10", "not protocol 10");
  HandshakeV10 message;
  message.server_version = reader.string();
  message.connection = reader.int4();
  message.challenge = reader.bytes(first_piece_bytes);
  reader.int1();
  Capabilities lower = reader.int2();
  message.collation = reader.int1();
  message.status = reader.int2();
  lower |= Capabilities{reader.int2()} << 16;
  const bool plugins = has(lower, capability::plugin_auth);
  std::size_t challenge_length = reader.int1();
  if (!plugins) challenge_length = 0;  // the byte says nothing then
  reader.bytes(6);
  message.capabilities = read_upper(reader, lower);
  const std::size_t told = challenge_length - std::min(challenge_length, first_piece_bytes);
  const std::string_view second = reader.bytes(std::max(told, least_second_piece_bytes));
  message.challenge += second.substr(0, second.size() - std::min<std::size_t>(second.size(), 1));
  if (plugins) message.plugin = reader.last_string();
  if (reader.ok() && !has(lower, capability::protocol_41)) {
    return malformed("HandshakeV10", "the server is older than version 4.1");
  }
  return finish(reader, std::move(message), "HandshakeV10");
}

bool SSLRequest::is(std::string_view payload) {
  return payload.size() == ssl_request_bytes && has(FieldReader(payload).int4(), capability::ssl);
}

void SSLRequest::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_beginning(writer, *this);
}

Decoded<SSLRequest> SSLRequest::decode(std::string_view payload) {
  FieldReader reader(payload);
  SSLRequest message;
  read_beginning(reader, message);
  return finish(reader, message, "SSLRequest");
}

void write_attributes(PacketWriter& writer, const ConnectionAttributes& attributes) {
  const auto length_bytes = [](std::size_t size) -> std::size_t {
    return size < 0xfb ? 1 : size <= 0xffff ? 3 : size <= 0xff'ffff ? 4 : 9;
  };
  std::size_t total = 0;
  for (const auto& [name, value] : attributes) {
    total += length_bytes(name.size()) + name.size() + length_bytes(value.size()) + value.size();
  }
  writer.lenenc(total);
  for (const auto& [name, value] : attributes) {
    writer.lenenc_string(name);
    writer.lenenc_string(value);
  }
}

ConnectionAttributes read_attributes(FieldReader& reader) {
  ConnectionAttributes attributes;
  FieldReader inner(reader.lenenc_string());
  while (reader.ok() && !inner.at_end()) {
    const std::string_view name = inner.lenenc_string();
    const std::string_view value = inner.lenenc_string();
    if (!inner.ok() || attributes.size() == most_attributes) {
      reader.fail();
      return {};
    }
    attributes.emplace_back(name, value);
  }
  return attributes;
}

void HandshakeResponse41::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  write_beginning(writer, *this);
  writer.string(user);
  if (has(capabilities, capability::plugin_auth_lenenc)) {
    writer.lenenc_string(auth_response);
  } else if (has(capabilities, capability::secure_connection)) {
    writer.int1(static_cast<std::uint8_t>(auth_response.size()));
    writer.bytes(auth_response);
  } else {
    writer.string(auth_response);
  }
  if (has(capabilities, capability::connect_with_db)) writer.string(database);
  if (has(capabilities, capability::plugin_auth)) writer.string(plugin);
  if (has(capabilities, capability::connect_attributes)) write_attributes(writer, attributes);
}

Decoded<HandshakeResponse41> HandshakeResponse41::decode(std::string_view payload) {
  FieldReader reader(payload);
  HandshakeResponse41 message;
  read_beginning(reader, message);
  const Capabilities agreed = message.capabilities;
  if (reader.ok() && !has(agreed, capability::protocol_41)) {
    return malformed("HandshakeResponse41", "the client is older than version 4.1");
  }
  message.user = reader.string();
  if (has(agreed, capability::plugin_auth_lenenc)) {
    message.auth_response = reader.lenenc_string();
  } else if (has(agreed, capability::secure_connection)) {
    message.auth_response = reader.bytes(reader.int1());
  } else {
    message.auth_response = reader.string();
  }
  if (has(agreed, capability::connect_with_db)) message.database = reader.string();
  // Some clients say that they have plugins or attributes, and then send none.
  if (has(agreed, capability::plugin_auth)) message.plugin = reader.last_string();
  if (has(agreed, capability::connect_attributes) && !reader.at_end()) {
    message.attributes = read_attributes(reader);
  }
  return finish(reader, std::move(message), "HandshakeResponse41");
}

void AuthSwitchRequest::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  writer.int1(header);
  if (plugin.empty()) return;
  writer.string(plugin);
  writer.bytes(data);
  writer.int1(0);
}

Decoded<AuthSwitchRequest> AuthSwitchRequest::decode(std::string_view payload) {
  FieldReader reader(payload);
  if (reader.int1() != header) return malformed("AuthSwitchRequest", "wrong header");
  AuthSwitchRequest message;
  if (!reader.at_end()) {
    message.plugin = reader.string();
    message.data = reader.rest();
    if (message.data.ends_with('\0')) message.data.remove_suffix(1);
  }
  return finish(reader, message, "AuthSwitchRequest");
}

void AuthMoreData::encode(Buffer& out, Sequence& sequence) const {
  PacketWriter writer(out, sequence);
  writer.int1(header);
  writer.bytes(data);
}

Decoded<AuthMoreData> AuthMoreData::decode(std::string_view payload) {
  FieldReader reader(payload);
  if (reader.int1() != header) return malformed("AuthMoreData", "wrong header");
  AuthMoreData message{reader.rest()};
  return finish(reader, message, "AuthMoreData");
}

}  // namespace anabranch::net::mysql
