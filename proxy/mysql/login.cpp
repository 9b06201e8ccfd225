#include "proxy/mysql/login.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/loop.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/result_messages.h"
#include "net/mysql/stream.h"
#include "proxy/mysql/replies.h"
#include "values/errors.h"

namespace anabranch::proxy::mysql {

namespace {

using net::mysql::Capabilities;
using values::ErrorId;
using values::SqlError;
using Conversation = net::mysql::AuthServerConversation;
namespace capability = net::mysql::capability;

/// What depends on our end of the connection, and not on the server's.
constexpr Capabilities of_login = capability::ssl | capability::connect_with_db | capability::connect_attributes |
                                  capability::plugin_auth | capability::plugin_auth_lenenc |
                                  capability::secure_connection | capability::protocol_41;
/// Besides, definitions that a client would keep from one execution to the next.
constexpr Capabilities declined = capability::never_agreed | capability::mariadb_cache_metadata;

/// A client that is not offered bulk executions sends one after another. Which database it means is not known
/// yet.
Capabilities offered(Capabilities of_server, const conf::Config& config) {
  const bool plans = std::ranges::any_of(config.databases, [](const conf::Database& database) {
    return database.kind == conf::Kind::mysql && !(database.schemes.empty() && database.tables.empty());
  });
  return of_server & ~(plans ? declined | capability::mariadb_stmt_bulk_operations : declined);
}

std::string host_of(const net::Socket& socket) {
  const std::string peer = socket.peer();
  return peer.substr(0, peer.rfind(':'));
}

/// One client's way from its claims to the packet before OK.
class Authentication {
 public:
  Authentication(net::Socket& socket, const LoginContext& context, MysqlLogin& made, net::CancelToken token)
      : socket_(socket), context_(context), made_(made), token_(std::move(token)) {}

  /// Nothing: the client is who it says, and may go where it wants. Otherwise it has been told why not.
  net::Task<std::optional<TurnedAway>> run(std::string plugin, std::string answer) {
    key_ = LoginBackoff::key(socket_.peer(), made_.login.user);
    if (auto away = co_await wait_turn(context_, key_, token_)) co_return away;
    find_account();
    Conversation conversation(options(plugin));
    auto state = conversation.start(plugin, answer, made_.agreement.capabilities, socket_.out(), made_.sequence);
    while (state == Conversation::State::reading) {
      if (const auto sent = co_await socket_.flush(token_); !sent) co_return hung_up(sent.error());
      const auto frame = co_await net::mysql::read_frame(socket_, token_, net::mysql::max_unauthenticated_bytes);
      if (!frame) co_return hung_up(frame.error());
      state = conversation.resume(*frame, socket_.out(), made_.sequence);
    }
    if (state == Conversation::State::failed) {
      context_.backoff->failed(key_, LoginBackoff::Clock::now());
      const auto& error = conversation.error();
      co_return refuse(server_error(error.code, error.sqlstate, error.message));
    }
    context_.backoff->succeeded(key_);
    if (const auto refused = admit()) co_return refuse(*refused);
    made_.agreement.challenge = conversation.challenge();
    keep_password(conversation);
    co_return std::nullopt;
  }

  TurnedAway refuse(const SqlError& error) {
    send_error(socket_.out(), made_.sequence, error);
    socket_.send_now();
    return {error.message};
  }

 private:
  /// Verifiers of PostgreSQL's kinds prove nothing here: their users are like strangers.
  void find_account() {
    user_ = context_.snapshot->config->find_user(made_.login.user);
    if (user_ == nullptr) return;
    const conf::Password& password = user_->password;
    const bool usable = password.kind == conf::PasswordKind::plain || password.kind == conf::PasswordKind::mysql_native;
    if (usable) secret_ = password.text;
  }

  Conversation::Options options(std::string_view plugin) const {
    Conversation::Options options;
    options.user = made_.login.user;
    options.host = host_of(socket_);
    options.secret = secret_;
    options.plugin = Conversation::plugin_for(secret_, plugin);
    options.challenge = made_.agreement.challenge;
    options.secure_transport = socket_.is_tls();
    return options;
  }

  /// After the password: may this user go there?
  std::optional<SqlError> admit() {
    if (!user_->certificate.empty() && socket_.peer_common_name() != user_->certificate) {
      return server_error(1045, "28000",
                          fmt::format("Access denied for user '{}'@'{}' (its certificate is not the user's)",
                                      made_.login.user, host_of(socket_)));
    }
    return enter_database(*context_.snapshot, *user_, made_.login);
  }

  /// For servers that are logged in to as the client.
  void keep_password(const Conversation& conversation) {
    if (user_->password.kind == conf::PasswordKind::plain) {
      made_.login.password = user_->password.text;
    } else if (conversation.received_password()) {
      made_.login.password = *conversation.received_password();
    }
  }

  net::Socket& socket_;
  const LoginContext& context_;
  MysqlLogin& made_;
  net::CancelToken token_;
  std::string key_;
  const conf::User* user_ = nullptr;  // inside the snapshot's configuration
  std::optional<std::string> secret_;
};

/// The client's first packet, once TLS is settled.
class Opening {
 public:
  Opening(net::Socket& socket, const LoginContext& context, MysqlLogin& made, net::CancelToken token)
      : socket_(socket), context_(context), made_(made), token_(std::move(token)) {}

  net::Task<std::expected<net::mysql::HandshakeResponse41, TurnedAway>> read() {
    auto frame = co_await next();
    if (frame && net::mysql::SSLRequest::is(frame->payload) && context_.tls != nullptr) {
      const auto secured = co_await socket_.start_tls_server(context_.tls, token_);
      if (!secured) co_return std::unexpected(hung_up(secured.error()));
      frame = co_await next();
    }
    if (!frame) co_return std::unexpected(std::move(frame.error()));
    auto response = net::mysql::HandshakeResponse41::decode(frame->payload);
    if (!response) co_return refuse(response.error());
    if (context_.snapshot->config->tls.mode == conf::ListenTls::require && !socket_.is_tls()) {
      co_return refuse(values::make_error<>(ErrorId::tls_required));
    }
    co_return std::move(*response);
  }

 private:
  net::Task<std::expected<net::mysql::Frame, TurnedAway>> next() {
    if (const auto sent = co_await socket_.flush(token_); !sent) co_return std::unexpected(hung_up(sent.error()));
    const auto frame = co_await net::mysql::read_frame(socket_, token_, net::mysql::max_unauthenticated_bytes);
    if (!frame) co_return std::unexpected(hung_up(frame.error()));
    if (const auto accepted = made_.sequence.accept(*frame); !accepted) co_return refuse(accepted.error());
    co_return *frame;
  }

  std::unexpected<TurnedAway> refuse(const SqlError& error) {
    send_error(socket_.out(), made_.sequence, error);
    socket_.send_now();
    return std::unexpected(TurnedAway{error.message});
  }
  std::unexpected<TurnedAway> refuse(const net::mysql::DecodeError& error) {
    return refuse(server_error(error.code, "08S01", error.message));
  }

  net::Socket& socket_;
  const LoginContext& context_;
  MysqlLogin& made_;
  net::CancelToken token_;
};

}  // namespace

namespace {

std::shared_ptr<const DatabaseState> only_database(const Snapshot& snapshot, const conf::User& user) {
  std::shared_ptr<const DatabaseState> only;
  for (const auto& state : snapshot.databases) {
    if (state->conf->kind != conf::Kind::mysql || !user.may_use(state->conf->name)) continue;
    if (only != nullptr) return nullptr;
    only = state;
  }
  return only;
}

}  // namespace

std::optional<SqlError> enter_database(const Snapshot& snapshot, const conf::User& user, Login& login) {
  if (login.database.empty()) {
    login.state = only_database(snapshot, user);
    return std::nullopt;
  }
  const auto state = snapshot.find(login.database);
  if (state == nullptr || state->conf->kind != conf::Kind::mysql) {
    return server_error(1049, "42000", fmt::format("Unknown database '{}'", login.database));
  }
  if (!user.may_use(login.database)) {
    return server_error(1044, "42000", fmt::format("Access denied for user '{}' to database '{}'", login.user,
                                                   login.database));
  }
  login.state = state;
  return std::nullopt;
}

net::Task<LoginResult> log_in(net::Socket& socket, LoginContext context, net::mysql::ServerGreeting greeting,
                              std::uint32_t connection, net::CancelToken token) {
  socket.read_sparingly(true);
  MysqlLogin made;
  net::mysql::HandshakeV10 hello;
  hello.server_version = greeting.version;
  hello.connection = connection;
  hello.challenge = made.agreement.challenge = Conversation::random_challenge();
  hello.capabilities = offered(greeting.capabilities, *context.snapshot->config) | of_login;
  if (context.tls == nullptr) hello.capabilities &= ~capability::ssl;
  hello.collation = greeting.collation;
  hello.status = net::mysql::status::autocommit;
  hello.plugin = net::mysql::native_password;
  if (context.full) {
    const SqlError full = server_error(1040, "08004", "Too many connections");
    send_error(socket.out(), made.sequence, full);
    socket.send_now();
    co_return TurnedAway{full.message};
  }
  hello.encode(socket.out(), made.sequence);
  auto response = co_await Opening(socket, context, made, token).read();
  if (!response) co_return std::move(response.error());
  made.agreement.connection = connection;
  made.agreement.capabilities = response->capabilities & hello.capabilities;
  made.agreement.collation = response->collation;
  made.login.user = response->user;
  made.login.database = response->database;
  std::string plugin(response->plugin);
  std::string answer(response->auth_response);
  Authentication authentication(socket, context, made, token);
  if (auto away = co_await authentication.run(std::move(plugin), std::move(answer))) co_return std::move(*away);
  socket.read_sparingly(false);
  co_return std::move(made);
}

net::Task<LoginResult> change_user(net::Socket& socket, LoginContext context, Agreement agreement, std::string payload,
                                   net::CancelToken token) {
  MysqlLogin made;
  made.sequence.reset(1);
  made.agreement = std::move(agreement);
  Authentication authentication(socket, context, made, token);
  const auto command = net::mysql::ComChangeUser::decode(payload, made.agreement.capabilities);
  if (!command) co_return authentication.refuse(server_error(command.error().code, "08S01", command.error().message));
  made.login.user = command->user;
  made.login.database = command->database;
  if (command->collation != 0) made.agreement.collation = static_cast<std::uint8_t>(command->collation);
  std::string plugin(command->plugin);
  std::string answer(command->auth_response);
  if (auto away = co_await authentication.run(std::move(plugin), std::move(answer))) co_return std::move(*away);
  co_return std::move(made);
}

}  // namespace anabranch::proxy::mysql
