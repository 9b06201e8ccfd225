#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/mysql/auth_caching_sha2.h"
#include "net/mysql/auth_native.h"
#include "net/mysql/handshake_messages.h"

namespace anabranch::net::mysql {

/// An error as an ERR packet has it, owned.
struct ServerError {
  std::uint16_t code = 0;
  std::string sqlstate;
  std::string message;
};

/// How a client proves who it is, from the server's side, without I/O; begun by a
/// HandshakeResponse41 or a COM_CHANGE_USER. start() and resume() may append a packet. After `done`
/// the caller sends the OK, after `failed` the error.
class AuthServerConversation {
 public:
  enum class Plugin : std::uint8_t { native, caching_sha2 };
  enum class State : std::uint8_t { reading, done, failed };

  struct Options {
    std::string user;
    std::string host;  // of the client, for the error's text
    Plugin plugin = Plugin::native;
    /// Plain text (empty: no password) or a mysql_native_password hash (`*HEX`); nothing: no such
    /// user (fails as late, and looks the same, as a wrong password).
    std::optional<std::string> secret;
    /// A verifier that an earlier conversation of this user gave; not needed for plain text.
    std::optional<CachingSha2Verifier> cached;
    std::string challenge;  // that the client has answered: the handshake's, or the last one
    bool secure_transport = false;  // TLS or a Unix socket: clients then send passwords in clear
    std::shared_ptr<const RsaKeyPair> rsa;  // none: no full caching_sha2 path without TLS
  };
  explicit AuthServerConversation(Options options) : options_(std::move(options)) {}

  /// A challenge of random bytes, none of which ends a string or is one that clients cut.
  static std::string random_challenge();
  /// The plugin that spares a user the switch, where the secret allows it.
  static Plugin plugin_for(const std::optional<std::string>& secret,
                           std::string_view client_plugin);

  /// `capabilities` are those of the client.
  State start(std::string_view client_plugin, std::string_view auth_response,
              Capabilities capabilities, Buffer& out, Sequence& sequence);
  /// Takes the client's next frame; its number is checked and counted.
  State resume(const Frame& frame, Buffer& out, Sequence& sequence);
  State state() const { return state_; }
  /// After `failed`.
  const ServerError& error() const { return error_; }

  /// The challenge that was answered last: a later COM_CHANGE_USER answers it, too.
  const std::string& challenge() const { return options_.challenge; }
  /// After `done`, where the exchange has brought it: SHA1(password), for answering elsewhere; the
  /// verifier to cache; the password itself.
  const std::optional<Sha1>& native_key() const { return native_key_; }
  const std::optional<CachingSha2Verifier>& verifier() const { return verifier_; }
  const std::optional<std::string>& received_password() const { return received_password_; }

 private:
  enum class Step : std::uint8_t { answer, password, hidden_password };

  State check_answer(std::string_view answer, Buffer& out, Sequence& sequence);
  State check_native(std::string_view answer);
  State check_fast(std::string_view answer, Buffer& out, Sequence& sequence);
  State check_clear(std::string_view payload);
  State check_hidden(std::string_view payload, Buffer& out, Sequence& sequence);
  State check_password(std::string password);
  State check_without_password();
  State fail(std::uint16_t code, std::string_view sqlstate, std::string message);
  State wrong_password(bool given);

  Options options_;
  State state_ = State::reading;
  Step step_ = Step::answer;
  bool key_was_sent_ = false;
  ServerError error_;
  std::optional<Sha1> native_key_;
  std::optional<CachingSha2Verifier> verifier_;
  std::optional<std::string> received_password_;
};

}  // namespace anabranch::net::mysql
