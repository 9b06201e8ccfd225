#include "net/mysql/auth_server_conversation.h"

#include <fmt/core.h>

namespace anabranch::net::mysql {

namespace {

using Plugin = AuthServerConversation::Plugin;

std::string_view name_of(Plugin plugin) {
  return plugin == Plugin::native ? native_password : caching_sha2_password;
}

/// Clients from before plugins answer as mysql_native_password does.
std::string_view plugin_of(std::string_view told) {
  return told.empty() ? native_password : told;
}

std::string_view as_byte(const char& byte) {
  return {&byte, 1};
}

}  // namespace

std::string AuthServerConversation::random_challenge() {
  std::string challenge = random_bytes(challenge_bytes);
  for (char& byte : challenge) {
    byte = static_cast<char>(byte & 0x7f);
    if (byte == '\0' || byte == '$') ++byte;
  }
  return challenge;
}

Plugin AuthServerConversation::plugin_for(const std::optional<std::string>& secret,
                                          std::string_view client_plugin) {
  const bool is_hash = secret && NativeHash::parse(*secret);
  return !is_hash && client_plugin == caching_sha2_password ? Plugin::caching_sha2 : Plugin::native;
}

AuthServerConversation::State AuthServerConversation::start(std::string_view client_plugin,
                                                            std::string_view auth_response,
                                                            Capabilities capabilities, Buffer& out,
                                                            Sequence& sequence) {
  const std::string_view wanted = name_of(options_.plugin);
  if (plugin_of(client_plugin) == wanted) return check_answer(auth_response, out, sequence);
  if (!has(capabilities, capability::plugin_auth)) {
    return fail(error_code::unsupported_authentication, "08004",
                "Client does not support authentication protocol requested by server; consider "
                "upgrading MySQL client");
  }
  options_.challenge = random_challenge();
  AuthSwitchRequest{wanted, options_.challenge}.encode(out, sequence);
  return state_;
}

AuthServerConversation::State AuthServerConversation::resume(const Frame& frame, Buffer& out,
                                                             Sequence& sequence) {
  if (state_ != State::reading) return state_;
  const auto accepted = sequence.accept(frame);
  if (!accepted) return fail(accepted.error().code, "08S01", accepted.error().message);
  switch (step_) {
    case Step::answer:
      return check_answer(frame.payload, out, sequence);
    case Step::password:
      return check_clear(frame.payload);
    case Step::hidden_password:
      return check_hidden(frame.payload, out, sequence);
  }
  return state_;
}

AuthServerConversation::State AuthServerConversation::check_answer(std::string_view answer,
                                                                   Buffer& out,
                                                                   Sequence& sequence) {
  // Some clients send a zero byte for an empty password.
  if (answer.empty() || answer == std::string_view("\0", 1)) return check_without_password();
  return options_.plugin == Plugin::native ? check_native(answer)
                                           : check_fast(answer, out, sequence);
}

AuthServerConversation::State AuthServerConversation::check_without_password() {
  const bool none_is_right = options_.secret && options_.secret->empty();
  return none_is_right ? state_ = State::done : wrong_password(false);
}

AuthServerConversation::State AuthServerConversation::check_native(std::string_view answer) {
  // With no user, or no password, the check takes its course against what nobody knows.
  const bool can_be_right = options_.secret && !options_.secret->empty();
  const auto parsed = can_be_right ? NativeHash::parse(*options_.secret) : std::nullopt;
  const NativeHash hash =
      parsed ? *parsed
             : NativeHash::of(can_be_right ? *options_.secret : random_bytes(sizeof(Sha1)));
  const auto key = hash.check(answer, options_.challenge);
  if (!key || !can_be_right) return wrong_password(true);
  native_key_ = key;
  return state_ = State::done;
}

AuthServerConversation::State AuthServerConversation::check_fast(std::string_view answer,
                                                                 Buffer& out, Sequence& sequence) {
  if (answer.size() != caching_sha2::answer_bytes) {
    return fail(error_code::bad_handshake, "08S01", "Bad handshake");
  }
  const bool is_plain =
      options_.secret && !options_.secret->empty() && !NativeHash::parse(*options_.secret);
  const auto verifier =
      is_plain
          ? CachingSha2Verifier::of(*options_.secret)
          : options_.cached.value_or(CachingSha2Verifier{sha256(random_bytes(sizeof(Sha256)))});
  const bool may_be_right = is_plain || (options_.secret && options_.cached);
  if (verifier.fits(answer, options_.challenge) && may_be_right) {
    AuthMoreData{as_byte(caching_sha2::fast_success)}.encode(out, sequence);
    verifier_ = verifier;
    return state_ = State::done;
  }
  // As servers do: whoever is not recognised, wrong passwords and unknown users alike, is asked for
  // the password, which then decides.
  if (!options_.secure_transport && !options_.rsa) return wrong_password(true);
  step_ = options_.secure_transport ? Step::password : Step::hidden_password;
  AuthMoreData{as_byte(caching_sha2::full_authentication)}.encode(out, sequence);
  return state_;
}

AuthServerConversation::State AuthServerConversation::check_clear(std::string_view payload) {
  if (!payload.ends_with('\0')) return fail(error_code::bad_handshake, "08S01", "Bad handshake");
  payload.remove_suffix(1);
  return check_password(std::string(payload));
}

AuthServerConversation::State AuthServerConversation::check_hidden(std::string_view payload,
                                                                   Buffer& out,
                                                                   Sequence& sequence) {
  if (payload == as_byte(caching_sha2::request_public_key) && !key_was_sent_) {
    key_was_sent_ = true;
    AuthMoreData{options_.rsa->public_key()}.encode(out, sequence);
    return state_;
  }
  auto password = options_.rsa->reveal(payload, options_.challenge);
  return password ? check_password(*std::move(password)) : wrong_password(true);
}

AuthServerConversation::State AuthServerConversation::check_password(std::string password) {
  if (!options_.secret || options_.secret->empty() || password.empty()) return wrong_password(true);
  const auto hash = NativeHash::parse(*options_.secret);
  const bool right =
      hash ? hash->fits(password)
           : equal_in_constant_time(as_view(sha256(password)), as_view(sha256(*options_.secret)));
  if (!right) return wrong_password(true);
  verifier_ = CachingSha2Verifier::of(password);
  native_key_ = sha1(password);
  received_password_ = std::move(password);
  return state_ = State::done;
}

AuthServerConversation::State AuthServerConversation::fail(std::uint16_t code,
                                                           std::string_view sqlstate,
                                                           std::string message) {
  error_ = {code, std::string(sqlstate), std::move(message)};
  return state_ = State::failed;
}

AuthServerConversation::State AuthServerConversation::wrong_password(bool given) {
  return fail(error_code::access_denied, "28000",
              fmt::format("Access denied for user '{}'@'{}' (using password: {})", options_.user,
                          options_.host, given ? "YES" : "NO"));
}

}  // namespace anabranch::net::mysql
