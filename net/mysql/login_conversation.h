#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/mysql/auth_server_conversation.h"

namespace anabranch::net::mysql {

/// The client's side of opening a session on a server, without I/O: greeting, TLS, authentication,
/// OK. The server speaks first: each of its frames goes to resume(), which may append an answer.
class LoginConversation {
 public:
  enum class State : std::uint8_t {
    reading,
    start_tls,  // send what was appended, do the TLS handshake, then call tls_started()
    done,
    failed,
  };
  enum class Tls : std::uint8_t { never, if_offered, always };

  /// What this room's codecs are made for, and a relay wants.
  static constexpr Capabilities usual_capabilities =
      capability::long_password | capability::long_flag | capability::protocol_41 |
      capability::transactions | capability::secure_connection | capability::multi_statements |
      capability::multi_results | capability::ps_multi_results | capability::plugin_auth |
      capability::plugin_auth_lenenc | capability::session_track | capability::deprecate_eof;

  struct Options {
    std::string user;
    std::string database;
    std::string password;            // plain text; a hash cannot answer
    std::optional<Sha1> native_key;  // SHA1(password) in its place: mysql_native_password only
    /// Asked for as far as the server offers it. connect_with_db, connect_attributes and ssl follow
    /// from the other options.
    Capabilities capabilities = usual_capabilities;
    std::uint8_t collation = 45;  // utf8mb4_general_ci
    std::vector<std::pair<std::string, std::string>> attributes;
    Tls tls = Tls::never;
    bool local_socket = false;  // a Unix socket: as good as TLS for caching_sha2_password
    /// For caching_sha2_password without TLS: the server's RSA key in PEM, or leave to ask for it
    /// (whoever sits in between may then answer, and read the password).
    std::string server_public_key;
    bool ask_for_public_key = false;
  };
  explicit LoginConversation(Options options) : options_(std::move(options)) {}

  /// Takes the server's next frame; its number is checked and counted.
  State resume(const Frame& frame, Buffer& out, Sequence& sequence);
  State tls_started(Buffer& out, Sequence& sequence);
  /// After `done`: logs in anew by COM_CHANGE_USER, as somebody else or in another database. The
  /// options' user, password, native_key, database and attributes count.
  State change_user(Options options, Buffer& out, Sequence& sequence);
  State state() const { return state_; }

  /// After `failed`: the server's error, or one of our own that says what was wrong.
  const ServerError& error() const { return error_; }
  bool rejected_by_server() const { return rejected_; }

  /// After `done`.
  Capabilities capabilities() const { return agreed_; }
  const std::string& server_version() const { return server_version_; }
  std::uint32_t connection() const { return connection_; }
  std::uint8_t collation() const { return server_collation_; }
  std::uint16_t status() const { return status_; }
  /// For SessionChanges: what the server tells about the session it has opened.
  const std::string& session_state() const { return session_state_; }

 private:
  enum class Step : std::uint8_t { greeting, result, public_key };

  State read_greeting(std::string_view payload, Buffer& out, Sequence& sequence);
  void send_response(Buffer& out, Sequence& sequence);
  State read_ok(std::string_view payload);
  State read_error(std::string_view payload);
  State switch_plugin(std::string_view payload, Buffer& out, Sequence& sequence);
  State read_more(std::string_view payload, Buffer& out, Sequence& sequence);
  State send_password(Buffer& out, Sequence& sequence);
  State send_hidden(std::string_view public_key, Buffer& out, Sequence& sequence);
  /// An answer by plugin_ to challenge_.
  std::expected<std::string, std::string> answer() const;
  /// The plugin to begin with: the server's, if an answer by it can be given.
  std::string first_plugin(std::string_view offered) const;
  ConnectionAttributes attributes() const;
  bool has_password() const { return !options_.password.empty() || options_.native_key; }
  State fail(std::string message, std::uint16_t code = error_code::bad_handshake);

  Options options_;
  State state_ = State::reading;
  Step step_ = Step::greeting;
  int rounds_ = 0;
  bool tls_active_ = false;
  bool rejected_ = false;
  Capabilities agreed_ = 0;
  std::string plugin_;
  std::string challenge_;
  std::string first_answer_;
  std::string server_version_;
  std::uint32_t connection_ = 0;
  std::uint8_t server_collation_ = 0;
  std::uint16_t status_ = 0;
  std::string session_state_;
  ServerError error_;
};

}  // namespace anabranch::net::mysql
