#include "net/pg/auth_server_conversation.h"

#include <fmt/core.h>

#include "net/mysql/auth_native.h"

namespace anabranch::net::pg {

using Kind = Authentication::Kind;

AuthServerConversation::Method AuthServerConversation::method_for(
    const std::optional<std::string>& secret) {
  return secret && is_md5_verifier(*secret) ? Method::md5 : Method::scram;
}

AuthServerConversation::AuthServerConversation(Options options) : options_(std::move(options)) {}

AuthServerConversation::State AuthServerConversation::start(Buffer& out) {
  switch (options_.method) {
    case Method::trust:
      return succeed(out);
    case Method::cleartext:
      Authentication{Kind::cleartext, {}, {}}.encode(out);
      return state_;
    case Method::md5:
      md5_salt_ = random_bytes(4);
      Authentication{Kind::md5, md5_salt_, {}}.encode(out);
      return state_;
    case Method::scram:
      break;
  }
  std::optional<ScramVerifier> verifier;
  if (options_.secret) {
    verifier = ScramVerifier::parse(*options_.secret);
    const bool plain = !verifier && !is_md5_verifier(*options_.secret);
    if (plain) verifier = ScramVerifier::from_password(*options_.secret);
  }
  // Nothing to compare with: the exchange runs all the same, so that it does not tell who exists.
  const bool mock = !verifier;
  if (mock) verifier = ScramVerifier::mock(options_.user, options_.mock_nonce);
  scram_.emplace(std::move(*verifier), mock, options_.channel_binding);
  Authentication{Kind::sasl, {}, scram_->mechanisms()}.encode(out);
  return state_;
}

AuthServerConversation::State AuthServerConversation::resume(const Message& message, Buffer& out) {
  if (state_ != State::reading) return state_;
  if (message.type != PasswordMessage::type) {
    return fail("08P01", fmt::format("expected password response, got message type {}",
                                     static_cast<int>(static_cast<unsigned char>(message.type))));
  }
  return options_.method == Method::scram ? resume_sasl(message, out)
                                          : resume_password(message, out);
}

std::size_t AuthServerConversation::largest_message() const {
  return options_.method == Method::cleartext ? max_unauthenticated_bytes : max_challenge_answer_bytes;
}

AuthServerConversation::State AuthServerConversation::resume_password(const Message& message,
                                                                      Buffer& out) {
  const auto decoded = PasswordMessage::decode(message.payload);
  if (!decoded) return fail("08P01", decoded.error().message);
  if (!password_is_right(decoded->password)) return wrong_password();
  if (options_.method == Method::cleartext) received_password_ = decoded->password;
  return succeed(out);
}

bool AuthServerConversation::password_is_right(std::string_view password) const {
  if (password.empty()) return false;
  if (!options_.secret) {
    (void)ScramVerifier::mock(options_.user, options_.mock_nonce).matches(password);  // takes as long
    return false;
  }
  const std::string& secret = *options_.secret;
  const auto scram = ScramVerifier::parse(secret);
  if (options_.method == Method::md5) {
    if (scram) return false;  // an md5 answer cannot be checked against it
    const std::string verifier =
        is_md5_verifier(secret) ? secret : md5_verifier(secret, options_.user);
    return equal_in_constant_time(password, md5_response(verifier, md5_salt_));
  }
  if (scram) return scram->matches(password);
  if (is_md5_verifier(secret)) {
    return equal_in_constant_time(md5_verifier(password, options_.user), secret);
  }
  if (const auto hash = mysql::NativeHash::parse(secret)) return hash->fits(password);
  return equal_in_constant_time(as_view(sha256(password)), as_view(sha256(secret)));
}

AuthServerConversation::State AuthServerConversation::resume_sasl(const Message& message,
                                                                  Buffer& out) {
  std::expected<std::string, ScramServer::Error> answer;
  Kind kind = Kind::sasl_continue;
  if (sasl_step_++ == 0) {
    const auto initial = SASLInitialResponse::decode(message.payload);
    if (!initial) return fail("08P01", initial.error().message);
    answer = scram_->first(initial->mechanism, initial->response.value_or(std::string_view()));
  } else {
    answer = scram_->final_message(message.payload);
    kind = Kind::sasl_final;
  }
  if (!answer) {
    if (answer.error().failure == ScramServer::Failure::wrong_password) return wrong_password();
    return fail("08P01", answer.error().message);
  }
  Authentication{kind, *answer, {}}.encode(out);
  return kind == Kind::sasl_final ? succeed(out) : state_;
}

AuthServerConversation::State AuthServerConversation::succeed(Buffer& out) {
  Authentication{Kind::ok, {}, {}}.encode(out);
  return state_ = State::done;
}

AuthServerConversation::State AuthServerConversation::fail(std::string_view sqlstate,
                                                           std::string message) {
  error_ = ErrorFields::make("FATAL", sqlstate, message);
  return state_ = State::failed;
}

AuthServerConversation::State AuthServerConversation::wrong_password() {
  return fail("28P01",
              fmt::format("password authentication failed for user \"{}\"", options_.user));
}

}  // namespace anabranch::net::pg
