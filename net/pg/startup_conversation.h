#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/pg/auth_scram.h"
#include "net/pg/messages.h"

namespace anabranch::net::pg {

/// The client's side of opening a session on a server, after TLS has been settled and without I/O:
/// startup, authentication, parameters, key, ReadyForQuery. start() appends the startup message;
/// each message of the server goes to resume(), which may append an answer.
class StartupConversation {
 public:
  enum class State { reading, done, failed };

  struct Options {
    std::string user;
    std::string database;
    std::string password;  // plain text, or an md5 verifier (then only md5 works)
    std::vector<std::pair<std::string, std::string>> parameters;  // further startup parameters
    std::string channel_binding;                                  // Socket::channel_binding()
    bool allow_cleartext = true;  // answer a request for the password in clear
  };
  explicit StartupConversation(Options options) : options_(std::move(options)) {}

  State start(Buffer& out);
  State resume(const Message& message, Buffer& out);
  State state() const { return state_; }

  /// After `failed`: the server's ErrorResponse, where it sent one; else only a message (08P01).
  const ErrorFields& error() const { return error_; }
  bool rejected_by_server() const { return rejected_; }

  /// After `done`.
  const std::vector<std::pair<std::string, std::string>>& parameters() const { return parameters_; }
  BackendKeyData key() const { return key_; }
  char transaction_status() const { return status_; }

 private:
  State fail(std::string message);
  State resume_authentication(const Message& message, Buffer& out);
  State answer_password(std::string_view password, Buffer& out);
  State begin_sasl(const Authentication& request, Buffer& out);

  Options options_;
  State state_ = State::reading;
  bool authenticated_ = false;
  bool server_proved_ = true;  // false between a SCRAM exchange's start and its server signature
  bool rejected_ = false;
  std::optional<ScramClient> scram_;
  ErrorFields error_;
  std::vector<std::pair<std::string, std::string>> parameters_;
  BackendKeyData key_;
  char status_ = 'I';
};

}  // namespace anabranch::net::pg
