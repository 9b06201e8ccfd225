#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/pg/auth_scram.h"
#include "net/pg/messages.h"

namespace anabranch::net::pg {

/// How a client proves who it is, from the server's side, without I/O. start() appends the
/// request; each message of type 'p' goes to resume(), which may append an answer. After `done`
/// the AuthenticationOk has been appended.
class AuthServerConversation {
 public:
  enum class Method { trust, cleartext, md5, scram };
  enum class State { reading, done, failed };

  struct Options {
    Method method = Method::scram;
    std::string user;
    /// Plain text, a SCRAM-SHA-256 or an md5 verifier; with `cleartext` a MySQL hash (`*HEX`) too;
    /// nothing: no such user (fails as late, and
    /// looks the same, as a wrong password).
    std::optional<std::string> secret;
    std::string channel_binding;  // Socket::channel_binding(); empty without TLS
    std::string mock_nonce;       // a secret of the process, for mock salts
  };
  /// scram for plain text and SCRAM verifiers, md5 for md5 verifiers; scram where there is no user.
  static Method method_for(const std::optional<std::string>& secret);

  explicit AuthServerConversation(Options options);

  State start(Buffer& out);
  State resume(const Message& message, Buffer& out);
  State state() const { return state_; }
  /// How long the client's next message may be.
  std::size_t largest_message() const;
  /// For the ErrorResponse: 28P01 or 08P01, and text as PostgreSQL has it.
  const ErrorFields& error() const { return error_; }
  /// The password, where the client sent it in clear (cleartext method) and it was right.
  const std::string& received_password() const { return received_password_; }

 private:
  State fail(std::string_view sqlstate, std::string message);
  State wrong_password();
  State succeed(Buffer& out);
  State resume_password(const Message& message, Buffer& out);
  State resume_sasl(const Message& message, Buffer& out);
  bool password_is_right(std::string_view password) const;

  Options options_;
  State state_ = State::reading;
  ErrorFields error_;
  std::string md5_salt_;
  std::string received_password_;
  std::optional<ScramServer> scram_;
  int sasl_step_ = 0;
};

}  // namespace anabranch::net::pg
