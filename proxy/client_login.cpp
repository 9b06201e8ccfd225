#include "proxy/client_login.h"

#include <fmt/format.h>

#include "net/loop.h"
#include "net/pg/auth_server_conversation.h"
#include "net/pg/auth_verifier.h"
#include "net/pg/stream.h"
#include "proxy/replies.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using values::ErrorId;
using values::make_error;
using values::SqlError;
using Conversation = net::pg::AuthServerConversation;
using Method = Conversation::Method;

/// The message's own checks, and those that need no secret.
std::expected<net::pg::StartupMessage, SqlError> read_startup_message(std::string_view payload,
                                                                      const net::Socket& socket,
                                                                      const LoginContext& context) {
  const std::int32_t version = net::pg::startup_code(payload).value_or(0);
  if (version >> 16 != 3) {
    return std::unexpected(make_error(
        ErrorId::feature_not_in_protocol,
        fmt::format("{}.{}: server supports 3.0 to 3.0", version >> 16, version & 0xFFFF)));
  }
  auto startup = net::pg::StartupMessage::decode(payload);
  if (!startup) return std::unexpected(make_error(ErrorId::protocol_violation, startup.error().message));
  if (context.full) return std::unexpected(make_error<>(ErrorId::too_many_connections));
  if (context.snapshot->config->tls.mode == conf::ListenTls::require && !socket.is_tls()) {
    return std::unexpected(make_error<>(ErrorId::tls_required));
  }
  return std::move(*startup);
}

/// What the configuration, or else a server, knows of who the client claims to be. Strangers, and users
/// without a secret that this connection can prove, have none of it: they get the exchange of a user
/// who exists, which fails as late and says the same.
struct Account {
  const conf::User* listed = nullptr;  ///< inside the snapshot's configuration
  std::optional<std::string> secret;
  bool trusted = false;  ///< the client's certificate is enough
};

Account account_of(const conf::User& user, const net::Socket& socket, const LoginContext& context) {
  Account account{&user, std::nullopt, false};
  switch (user.password.kind) {
    case conf::PasswordKind::none:
      account.trusted = !user.certificate.empty() && socket.peer_common_name() == user.certificate;
      break;
    case conf::PasswordKind::mysql_native:
      // No challenge can be answered with it: the password itself is needed, and never in the open.
      if (socket.is_tls()) account.secret = user.password.text;
      break;
    case conf::PasswordKind::plain:
    case conf::PasswordKind::scram_sha_256:
    case conf::PasswordKind::md5:
      account.secret = context.verifiers->secret_of(user);
      break;
  }
  return account;
}

/// One client's way from its claims to AuthenticationOk.
class Authentication {
 public:
  Authentication(net::Socket& socket, Login& login, const LoginContext& context, net::CancelToken token)
      : socket_(socket),
        login_(login),
        context_(context),
        token_(std::move(token)),
        key_(LoginBackoff::key(socket.peer(), login.user)) {}

  /// Null: the client is who it says, and may go where it wants. Otherwise it has been told why not.
  net::Task<std::optional<TurnedAway>> run() {
    if (auto away = co_await wait_turn(context_, key_, token_)) co_return away;
    if (auto away = co_await find_account()) co_return away;
    conversation_ = std::make_shared<Conversation>(options());
    if (auto away = co_await converse()) co_return away;
    if (const auto admitted = admit(); !admitted) co_return turn_away(socket_, admitted.error());
    keep_password();
    co_return std::nullopt;
  }

 private:
  net::Task<std::optional<TurnedAway>> find_account() {
    const conf::Config& config = *context_.snapshot->config;
    if (const conf::User* listed = config.find_user(login_.user)) {
      account_ = account_of(*listed, socket_, context_);
      co_return std::nullopt;
    }
    const auto state = context_.snapshot->find(login_.database);
    if (!config.authentication.asks_servers() || login_.admin_console || state == nullptr ||
        state->conf->kind != conf::Kind::postgres) {
      co_return std::nullopt;
    }
    auto answer = co_await context_.users->find(state, login_.user, token_);
    if (token_.cancelled()) co_return hung_up(net::NetError::from(token_.state()));
    if (!answer) {
      const conf::Shard& shard = state->conf->shards[state->conf->default_shard];
      TurnedAway away =
          turn_away(socket_, make_error(ErrorId::shard_unavailable, shard.name, "its users cannot be asked for"));
      away.reason += ": " + answer.error();
      co_return away;
    }
    account_.secret = std::move(*answer);
    looked_up_in_ = state;
    co_return std::nullopt;
  }

  Conversation::Options options() const {
    const bool in_clear = context_.snapshot->config->authentication.method == conf::LoginMethod::cleartext;
    const bool hash_only = account_.listed != nullptr && account_.secret &&
                           account_.listed->password.kind == conf::PasswordKind::mysql_native;
    Conversation::Options options;
    options.user = login_.user;
    options.secret = account_.secret;
    options.channel_binding = socket_.channel_binding();
    options.mock_nonce = context_.mock_nonce;
    options.method = Conversation::method_for(account_.secret);
    if (socket_.is_tls() && (in_clear || hash_only)) options.method = Method::cleartext;
    if (account_.trusted) options.method = Method::trust;
    return options;
  }

  net::Task<std::optional<TurnedAway>> converse() {
    using State = Conversation::State;
    State state = conversation_->start(socket_.out());
    while (state == State::reading) {
      if (const auto sent = co_await socket_.flush(token_); !sent) co_return hung_up(sent.error());
      const auto message = co_await net::pg::read_message(socket_, token_, conversation_->largest_message());
      if (!message) co_return hung_up(message.error());
      // A password in clear is hashed thousands of times before it can be compared.
      const bool slow = conversation_->largest_message() > net::pg::max_challenge_answer_bytes;
      state = slow ? co_await resume_on_worker(*message) : conversation_->resume(*message, socket_.out());
      if (token_.cancelled()) co_return hung_up(net::NetError::from(token_.state()));
    }
    if (state == State::failed) {
      const auto& fields = conversation_->error();
      co_return refuse(SqlError(std::string(fields.sqlstate()), std::string(fields.message())));
    }
    const std::string wanted = account_.listed != nullptr ? account_.listed->certificate : std::string();
    if (!wanted.empty() && socket_.peer_common_name() != wanted) {
      socket_.out().clear();  // AuthenticationOk: not sent yet, and not true
      co_return refuse(make_error(ErrorId::invalid_authorization,
                                  fmt::format("certificate authentication failed for user \"{}\"", login_.user)));
    }
    context_.backoff->succeeded(key_);
    co_return std::nullopt;
  }

  /// The work outlives a login that is given up: it owns what it uses.
  net::Task<Conversation::State> resume_on_worker(const net::pg::Message& message) {
    const auto out = std::make_shared<net::Buffer>();
    auto work = [conversation = conversation_, out, type = message.type, payload = std::string(message.payload)] {
      return conversation->resume({type, payload, {}}, *out);
    };
    try {
      const auto state = co_await net::run_on_worker(std::move(work), token_);
      socket_.write(out->view());
      co_return state;
    } catch (const net::Cancelled&) {
      co_return Conversation::State::reading;  // the worker still has it: it is not to be asked again
    }
  }

  TurnedAway refuse(const SqlError& error) {
    context_.backoff->failed(key_, LoginBackoff::Clock::now());
    if (looked_up_in_ != nullptr) context_.users->forget(*looked_up_in_, login_.user);
    return turn_away(socket_, error);
  }

  /// After the password: may this user go there?
  std::expected<void, SqlError> admit() {
    const conf::User* listed = account_.listed;
    if (login_.admin_console) {
      if (listed != nullptr && listed->admin) return {};
      return std::unexpected(make_error(ErrorId::not_permitted_database, login_.database));
    }
    login_.state = context_.snapshot->find(login_.database);
    if (login_.state == nullptr || login_.state->conf->kind != conf::Kind::postgres) {
      return std::unexpected(make_error(ErrorId::no_such_database, login_.database));
    }
    if (listed != nullptr && !listed->may_use(login_.database)) {
      return std::unexpected(make_error(ErrorId::not_permitted_database, login_.database));
    }
    return {};
  }

  /// For servers that are logged in to as the client.
  void keep_password() {
    const conf::User* listed = account_.listed;
    if (listed != nullptr && listed->password.kind == conf::PasswordKind::plain) {
      login_.password = listed->password.text;
    } else if (!conversation_->received_password().empty()) {
      login_.password = conversation_->received_password();
    } else if (account_.secret && net::pg::is_md5_verifier(*account_.secret)) {
      login_.password = *account_.secret;
    }
  }

  net::Socket& socket_;
  Login& login_;
  const LoginContext& context_;
  net::CancelToken token_;
  const std::string key_;
  Account account_;
  std::shared_ptr<const DatabaseState> looked_up_in_;
  std::shared_ptr<Conversation> conversation_;
};

}  // namespace

net::Task<std::optional<TurnedAway>> wait_turn(const LoginContext& context, const std::string& key, net::CancelToken token) {
  const auto delay = context.backoff->delay(key, LoginBackoff::Clock::now());
  if (delay.count() == 0) co_return std::nullopt;
  ++*context.delayed;
  if (co_await net::sleep(delay, token) == net::Wait::ready) co_return std::nullopt;
  co_return hung_up(net::NetError::from(token.state()));
}

net::Task<LoginResult> log_in(net::Socket& socket, LoginContext context, net::CancelToken token) {
  socket.read_sparingly(true);
  auto packet = co_await read_first_packet(socket, context.tls, token);
  if (auto* wish = std::get_if<CancelWish>(&packet)) co_return *wish;
  if (auto* away = std::get_if<TurnedAway>(&packet)) co_return *away;
  const std::string payload = std::get<std::string>(std::move(packet));

  const auto startup = read_startup_message(payload, socket, context);
  if (!startup) co_return turn_away(socket, startup.error());
  auto claims = read_claims(*startup);
  if (!claims) co_return turn_away(socket, claims.error());
  Login login;
  login.user = std::move(claims->user);
  login.database = std::move(claims->database);
  login.settings = std::move(claims->settings);
  login.admin_console = login.database == "anabranch";
  negotiate_version(*startup, socket.out());
  Authentication authentication(socket, login, context, token);
  if (const auto away = co_await authentication.run()) co_return *away;
  socket.read_sparingly(false);
  co_return std::move(login);
}

}  // namespace anabranch::proxy
