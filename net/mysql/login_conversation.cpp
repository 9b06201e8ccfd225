#include "net/mysql/login_conversation.h"

#include <fmt/core.h>

#include "net/mysql/command_messages.h"
#include "net/mysql/result_messages.h"

namespace anabranch::net::mysql {

namespace {

constexpr int most_rounds = 16;  // of questions and answers: no server needs more
constexpr Capabilities needed_capabilities =
    capability::protocol_41 | capability::secure_connection;

using State = LoginConversation::State;

}  // namespace

State LoginConversation::resume(const Frame& frame, Buffer& out, Sequence& sequence) {
  if (state_ != State::reading) return state_;
  const auto accepted = sequence.accept(frame);
  if (!accepted) return fail(accepted.error().message, accepted.error().code);
  if (++rounds_ > most_rounds) return fail("the server does not come to an end with its questions");
  const auto first = first_byte(frame.payload);
  if (first == Err::header) return read_error(frame.payload);
  if (step_ == Step::greeting) return read_greeting(frame.payload, out, sequence);
  if (first == Ok::header) return read_ok(frame.payload);
  if (first == AuthSwitchRequest::header) return switch_plugin(frame.payload, out, sequence);
  if (first == AuthMoreData::header) return read_more(frame.payload, out, sequence);
  return fail("unexpected packet during authentication");
}

State LoginConversation::read_greeting(std::string_view payload, Buffer& out, Sequence& sequence) {
  const auto greeting = HandshakeV10::decode(payload);
  if (!greeting) return fail(greeting.error().message, greeting.error().code);
  server_version_ = greeting->server_version;
  connection_ = greeting->connection;
  server_collation_ = greeting->collation;
  challenge_ = greeting->challenge;
  plugin_ = first_plugin(greeting->plugin);
  Capabilities wanted = options_.capabilities | needed_capabilities | capability::connect_with_db |
                        capability::connect_attributes;
  if (options_.database.empty()) wanted &= ~capability::connect_with_db;
  if (options_.attributes.empty()) wanted &= ~capability::connect_attributes;
  agreed_ = wanted & greeting->capabilities & ~capability::never_agreed & ~capability::ssl;
  if ((agreed_ & needed_capabilities) != needed_capabilities) {
    return fail("the server is too old: it does not know 4.1 passwords");
  }
  if (!options_.database.empty() && !has(agreed_, capability::connect_with_db)) {
    return fail("the server takes no database name at login");
  }
  const bool offered = has(greeting->capabilities, capability::ssl);
  if (options_.tls == Tls::always && !offered) return fail("the server does not offer TLS");
  // What cannot be answered is known before anything is sent.
  auto first = answer();
  if (!first) return fail(std::move(first.error()));
  first_answer_ = *std::move(first);
  step_ = Step::result;
  if (options_.tls == Tls::never || !offered) {
    send_response(out, sequence);
    return state_;
  }
  agreed_ |= capability::ssl;
  SSLRequest{agreed_, max_packet_bytes, options_.collation}.encode(out, sequence);
  return state_ = State::start_tls;
}

State LoginConversation::tls_started(Buffer& out, Sequence& sequence) {
  tls_active_ = true;
  send_response(out, sequence);
  return state_ = State::reading;
}

void LoginConversation::send_response(Buffer& out, Sequence& sequence) {
  HandshakeResponse41 response;
  response.capabilities = agreed_;
  response.max_packet = max_packet_bytes;
  response.collation = options_.collation;
  response.user = options_.user;
  response.auth_response = first_answer_;
  response.database = options_.database;
  response.plugin = plugin_;
  response.attributes = attributes();
  response.encode(out, sequence);
}

ConnectionAttributes LoginConversation::attributes() const {
  return {options_.attributes.begin(), options_.attributes.end()};
}

State LoginConversation::change_user(Options options, Buffer& out, Sequence& sequence) {
  options_.user = std::move(options.user);
  options_.password = std::move(options.password);
  options_.native_key = options.native_key;
  options_.database = std::move(options.database);
  options_.attributes = std::move(options.attributes);
  rounds_ = 0;
  step_ = Step::result;
  plugin_ = first_plugin(plugin_);
  const auto first = answer();
  if (!first) return fail(first.error());
  sequence.reset();
  ComChangeUser command;
  command.user = options_.user;
  command.auth_response = *first;
  command.database = options_.database;
  command.collation = options_.collation;
  command.plugin = plugin_;
  command.attributes = attributes();
  command.encode(out, sequence, agreed_);
  return state_ = State::reading;
}

State LoginConversation::read_ok(std::string_view payload) {
  const auto ok = Ok::decode(payload, agreed_);
  if (!ok) return fail(ok.error().message, ok.error().code);
  status_ = ok->status;
  session_state_ = ok->session_state;
  return state_ = State::done;
}

State LoginConversation::read_error(std::string_view payload) {
  const auto error = Err::decode(payload);
  if (!error) return fail(error.error().message, error.error().code);
  error_ = {error->code, std::string(error->sqlstate), std::string(error->message)};
  rejected_ = true;
  return state_ = State::failed;
}

State LoginConversation::switch_plugin(std::string_view payload, Buffer& out, Sequence& sequence) {
  const auto request = AuthSwitchRequest::decode(payload);
  if (!request) return fail(request.error().message, request.error().code);
  if (request->plugin.empty()) return fail("the server asks for a password of before version 4.1");
  plugin_ = request->plugin;
  challenge_ = request->data;
  step_ = Step::result;
  const auto answered = answer();
  if (!answered) return fail(answered.error());
  AuthResponse{*answered}.encode(out, sequence);
  return state_;
}

State LoginConversation::read_more(std::string_view payload, Buffer& out, Sequence& sequence) {
  const auto more = AuthMoreData::decode(payload);
  if (!more) return fail(more.error().message, more.error().code);
  if (plugin_ != caching_sha2_password) {
    return fail(fmt::format("unexpected question of the plugin {}", plugin_));
  }
  if (step_ == Step::public_key) {
    step_ = Step::result;
    return send_hidden(more->data, out, sequence);
  }
  if (more->data.size() != 1) return fail("unexpected question of the plugin");
  if (more->data[0] == caching_sha2::fast_success) return state_;
  if (more->data[0] == caching_sha2::full_authentication) return send_password(out, sequence);
  return fail("unexpected question of the plugin");
}

State LoginConversation::send_password(Buffer& out, Sequence& sequence) {
  if (tls_active_ || options_.local_socket) {
    AuthResponse{options_.password + '\0'}.encode(out, sequence);
    return state_;
  }
  if (!options_.server_public_key.empty()) {
    return send_hidden(options_.server_public_key, out, sequence);
  }
  if (!options_.ask_for_public_key) {
    return fail("the server asks for the password itself, and the connection has no TLS");
  }
  step_ = Step::public_key;
  AuthResponse{std::string_view(&caching_sha2::request_public_key, 1)}.encode(out, sequence);
  return state_;
}

State LoginConversation::send_hidden(std::string_view public_key, Buffer& out, Sequence& sequence) {
  const auto hidden = rsa_hide(options_.password,
                               std::string_view(challenge_).substr(0, challenge_bytes), public_key);
  if (!hidden) return fail(hidden.error());
  AuthResponse{*hidden}.encode(out, sequence);
  return state_;
}

std::string LoginConversation::first_plugin(std::string_view offered) const {
  const bool sha2 = offered == caching_sha2_password && !options_.native_key;
  return std::string(sha2 ? caching_sha2_password : native_password);
}

std::expected<std::string, std::string> LoginConversation::answer() const {
  if (NativeHash::parse(options_.password)) {
    return std::unexpected("a mysql_native_password hash cannot answer for its password");
  }
  const bool needs_challenge = plugin_ == native_password || plugin_ == caching_sha2_password;
  if (needs_challenge && challenge_.size() < challenge_bytes) {
    return std::unexpected("the server's challenge is too short");
  }
  const std::string_view challenge = std::string_view(challenge_).substr(0, challenge_bytes);
  if (plugin_ == native_password) {
    if (!has_password()) return std::string();
    return native_answer(options_.native_key.value_or(sha1(options_.password)), challenge);
  }
  const bool needs_text = plugin_ == caching_sha2_password || plugin_ == clear_password;
  if (!needs_text) {
    return std::unexpected(
        fmt::format("the server asks for the authentication plugin {}, which is not supported",
                    std::string_view(plugin_).substr(0, 64)));
  }
  if (options_.native_key) {
    return std::unexpected(
        fmt::format("{} needs the password, and only its hash is known", plugin_));
  }
  if (plugin_ == clear_password) {
    if (!tls_active_) {
      return std::unexpected("the server asks for the password in clear, without TLS");
    }
    return options_.password + '\0';
  }
  return has_password() ? caching_sha2_answer(options_.password, challenge) : std::string();
}

State LoginConversation::fail(std::string message, std::uint16_t code) {
  error_ = {code, "08S01", std::move(message)};
  return state_ = State::failed;
}

}  // namespace anabranch::net::mysql
