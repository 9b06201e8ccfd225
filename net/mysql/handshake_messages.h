#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/mysql/message.h"

/// The messages of a connection's beginning ("Connection Phase").
namespace anabranch::net::mysql {

/// Random bytes that a server sends, without the zero byte behind them.
inline constexpr std::size_t challenge_bytes = 20;

/// The plugins that this room knows.
inline constexpr std::string_view native_password = "mysql_native_password";
inline constexpr std::string_view caching_sha2_password = "caching_sha2_password";
inline constexpr std::string_view clear_password = "mysql_clear_password";

/// The server's greeting.
struct HandshakeV10 {
  std::string_view server_version;
  std::uint32_t connection = 0;  // its id, for KILL
  std::string challenge;         // in two pieces on the wire, therefore owned
  Capabilities capabilities = 0;
  std::uint8_t collation = 0;  // the low byte of its number
  std::uint16_t status = 0;
  std::string_view plugin;  // empty without plugin_auth
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<HandshakeV10> decode(std::string_view payload);
};

/// What a HandshakeResponse41 begins with, alone: TLS is to begin. (The client then sends the whole
/// of it, encrypted.)
struct SSLRequest {
  Capabilities capabilities = 0;
  std::uint32_t max_packet = 0;
  std::uint8_t collation = 0;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<SSLRequest> decode(std::string_view payload);
  /// Whether a client's first packet is one.
  static bool is(std::string_view payload);
};

/// Names and values that tell about the client, in its order.
using ConnectionAttributes = std::vector<std::pair<std::string_view, std::string_view>>;

struct HandshakeResponse41 {
  Capabilities capabilities = 0;
  std::uint32_t max_packet = 0;
  std::uint8_t collation = 0;
  std::string_view user;
  std::string_view auth_response;
  std::string_view database;        // with connect_with_db
  std::string_view plugin;          // with plugin_auth; empty where the client left it out
  ConnectionAttributes attributes;  // with connect_attributes
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<HandshakeResponse41> decode(std::string_view payload);
};

struct AuthSwitchRequest {
  static constexpr std::uint8_t header = 0xfe;
  std::string_view plugin;  // empty: the short form, which asks for a pre-4.1 password
  std::string_view data;    // the new challenge; a zero byte behind it is not part of it
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<AuthSwitchRequest> decode(std::string_view payload);
};

struct AuthMoreData {
  static constexpr std::uint8_t header = 0x01;
  std::string_view data;
  void encode(Buffer& out, Sequence& sequence) const;
  static Decoded<AuthMoreData> decode(std::string_view payload);
};

/// A client's answer to either: bytes alone.
struct AuthResponse {
  std::string_view data;
  void encode(Buffer& out, Sequence& sequence) const { PacketWriter(out, sequence).bytes(data); }
  static Decoded<AuthResponse> decode(std::string_view payload) { return AuthResponse{payload}; }
};

/// Attributes as HandshakeResponse41 and COM_CHANGE_USER have them, their common length in front.
void write_attributes(PacketWriter& writer, const ConnectionAttributes& attributes);
ConnectionAttributes read_attributes(FieldReader& reader);

}  // namespace anabranch::net::mysql
