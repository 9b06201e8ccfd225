#include "net/pg/startup_conversation.h"

#include <fmt/core.h>

namespace anabranch::net::pg {

using Kind = Authentication::Kind;

StartupConversation::State StartupConversation::start(Buffer& out) {
  StartupMessage message;
  message.parameters.emplace_back("user", options_.user);
  if (!options_.database.empty()) message.parameters.emplace_back("database", options_.database);
  for (const auto& [name, value] : options_.parameters)
    message.parameters.emplace_back(name, value);
  message.encode(out);
  return state_;
}

StartupConversation::State StartupConversation::resume(const Message& message, Buffer& out) {
  if (state_ != State::reading) return state_;
  switch (message.type) {
    case Authentication::type:
      return resume_authentication(message, out);
    case ErrorResponse::type: {
      auto decoded = ErrorResponse::decode(message.payload);
      if (!decoded) return fail(decoded.error().message);
      error_ = std::move(*decoded);
      rejected_ = true;
      return state_ = State::failed;
    }
    case NoticeResponse::type:
    case NegotiateProtocolVersion::type:
      return state_;
    default:
      break;
  }
  if (!authenticated_) {
    return fail(fmt::format("expected an authentication request, got message type {}",
                            static_cast<int>(static_cast<unsigned char>(message.type))));
  }
  switch (message.type) {
    case ParameterStatus::type: {
      const auto decoded = ParameterStatus::decode(message.payload);
      if (!decoded) return fail(decoded.error().message);
      parameters_.emplace_back(decoded->name, decoded->value);
      return state_;
    }
    case BackendKeyData::type: {
      const auto decoded = BackendKeyData::decode(message.payload);
      if (!decoded) return fail(decoded.error().message);
      key_ = *decoded;
      return state_;
    }
    case ReadyForQuery::type: {
      const auto decoded = ReadyForQuery::decode(message.payload);
      if (!decoded) return fail(decoded.error().message);
      status_ = decoded->status;
      return state_ = State::done;
    }
    default:
      return fail(fmt::format("unexpected message type {} during startup",
                              static_cast<int>(static_cast<unsigned char>(message.type))));
  }
}

StartupConversation::State StartupConversation::resume_authentication(const Message& message,
                                                                      Buffer& out) {
  const auto request = Authentication::decode(message.payload);
  if (!request) return fail(request.error().message);
  if (authenticated_) return fail("authentication request after authentication");
  switch (request->kind) {
    case Kind::ok:
      if (!server_proved_) return fail("the server did not prove that it knows the password");
      authenticated_ = true;
      return state_;
    case Kind::cleartext:
      if (!options_.allow_cleartext || is_md5_verifier(options_.password)) {
        return fail("the server asks for the password in clear");
      }
      return answer_password(options_.password, out);
    case Kind::md5: {
      const std::string verifier = is_md5_verifier(options_.password)
                                       ? options_.password
                                       : md5_verifier(options_.password, options_.user);
      return answer_password(md5_response(verifier, request->data), out);
    }
    case Kind::sasl:
      return begin_sasl(*request, out);
    case Kind::sasl_continue: {
      if (!scram_) return fail("unexpected SASL continuation");
      const auto answer = scram_->final_message(request->data);
      if (!answer) return fail(answer.error());
      SASLResponse{*answer}.encode(out);
      return state_;
    }
    case Kind::sasl_final: {
      if (!scram_) return fail("unexpected SASL outcome");
      const auto verdict = scram_->verify(request->data);
      if (!verdict) return fail(verdict.error());
      server_proved_ = true;
      return state_;
    }
    default:
      return fail(fmt::format("authentication method {} is not supported",
                              static_cast<std::int32_t>(request->kind)));
  }
}

StartupConversation::State StartupConversation::begin_sasl(const Authentication& request,
                                                           Buffer& out) {
  if (scram_) return fail("duplicate SASL authentication request");
  if (options_.password.empty()) return fail("the server asks for a password, and none is given");
  if (is_md5_verifier(options_.password)) {
    return fail("the server asks for SCRAM, which an md5 verifier cannot answer");
  }
  scram_.emplace(options_.password, options_.channel_binding);
  const auto mechanism = scram_->choose(request.mechanisms);
  if (!mechanism) return fail(mechanism.error());
  server_proved_ = false;
  const std::string first = scram_->first();
  SASLInitialResponse{*mechanism, first}.encode(out);
  return state_;
}

StartupConversation::State StartupConversation::answer_password(std::string_view password,
                                                                Buffer& out) {
  if (options_.password.empty()) return fail("the server asks for a password, and none is given");
  PasswordMessage{password}.encode(out);
  return state_;
}

StartupConversation::State StartupConversation::fail(std::string message) {
  error_ = ErrorFields::make("FATAL", "08P01", message);
  return state_ = State::failed;
}

}  // namespace anabranch::net::pg
