#include "proxy/client_login.h"

#include <fmt/format.h>

#include "net/pg/auth_server_conversation.h"
#include "net/pg/stream.h"
#include "proxy/replies.h"
#include "values/errors.h"

namespace anabranch::proxy {

namespace {

using values::ErrorId;
using values::make_error;
using values::SqlError;

TurnedAway turn_away(net::Socket& socket, const SqlError& error) {
  send_error(socket.out(), error, "FATAL");
  socket.send_now();
  return {error.message};
}

TurnedAway hung_up(const net::NetError& error) { return {"the client left: " + error.message}; }

/// The first packet that is a startup message or a cancel request; TLS and GSS requests before it
/// are answered here.
class FirstPacket {
 public:
  FirstPacket(net::Socket& socket, const LoginContext& context) : socket_(socket), context_(context) {}

  net::Task<std::variant<std::string, CancelWish, TurnedAway>> read(net::CancelToken token) {
    // At most one request of each kind may come first (as PostgreSQL allows).
    for (int packets = 0; packets < 3; ++packets) {
      const auto packet = co_await net::pg::read_startup(socket_, token);
      if (!packet) co_return hung_up(packet.error());
      const auto code = net::pg::startup_code(packet->payload);
      if (!code) co_return turn_away(socket_, make_error<>(ErrorId::protocol_violation, code.error().message));
      if (*code == net::pg::cancel_request_code) {
        const auto wish = net::pg::CancelRequest::decode(packet->payload);
        if (!wish) co_return TurnedAway{"malformed cancel request"};
        co_return CancelWish{wish->process, wish->secret};
      }
      if (*code == net::pg::ssl_request_code) {
        const auto refused = co_await answer_tls(token);
        if (refused) co_return *refused;
      } else if (*code == net::pg::gssenc_request_code) {
        socket_.write("N");
        (void)co_await socket_.flush(token);
      } else {
        co_return std::string(packet->payload);
      }
    }
    co_return TurnedAway{"too many encryption requests"};
  }

 private:
  net::Task<std::optional<TurnedAway>> answer_tls(net::CancelToken token) {
    const bool offered = context_.tls != nullptr && !socket_.is_tls();
    socket_.write(offered ? "S" : "N");
    if (const auto sent = co_await socket_.flush(token); !sent) co_return hung_up(sent.error());
    if (!offered) co_return std::nullopt;
    const auto done = co_await socket_.start_tls_server(context_.tls, token);
    if (!done) co_return TurnedAway{"TLS handshake failed: " + done.error().message};
    co_return std::nullopt;
  }

  net::Socket& socket_;
  const LoginContext& context_;
};

bool is_setting(std::string_view name) {
  return name != "user" && name != "database" && name != "options" && name != "replication" &&
         !name.starts_with("_pq_.");
}

/// `-c name=value` and `--name=value` of the startup parameter `options`, as the server reads them:
/// separated by blanks, a backslash quotes the next character.
std::expected<std::vector<std::pair<std::string, std::string>>, SqlError> parse_options(
    std::string_view options) {
  std::vector<std::string> words(1);
  bool in_word = false;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const bool blank = options[i] == ' ' || options[i] == '\t' || options[i] == '\n';
    if (blank && in_word) words.emplace_back();
    in_word = !blank;
    if (blank) continue;
    if (options[i] == '\\' && i + 1 < options.size()) ++i;
    words.back() += options[i];
  }
  if (words.back().empty()) words.pop_back();
  std::vector<std::pair<std::string, std::string>> settings;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "-c" && i + 1 < words.size()) {
      word = words[++i];
    } else if (word.starts_with("--") || word.starts_with("-c")) {
      word.remove_prefix(2);
    } else {
      return std::unexpected(
          make_error(ErrorId::invalid_parameter_value,
                     fmt::format("the startup option \"{}\" is not supported", word)));
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      return std::unexpected(make_error(ErrorId::invalid_parameter_value,
                                        fmt::format("the startup option \"{}\" has no value", word)));
    }
    std::string name(word.substr(0, equals));
    for (char& letter : name) {
      if (letter == '-') letter = '_';
    }
    settings.emplace_back(std::move(name), std::string(word.substr(equals + 1)));
  }
  return settings;
}

/// Who the client says it is and where it wants to go; no secret has been checked yet.
std::expected<Login, SqlError> read_claims(const net::pg::StartupMessage& startup,
                                           const LoginContext& context) {
  Login login;
  login.user = startup.parameter("user");
  if (login.user.empty()) {
    return std::unexpected(make_error(ErrorId::invalid_authorization,
                                      "no PostgreSQL user name specified in startup packet"));
  }
  login.database = startup.parameter("database");
  if (login.database.empty()) login.database = login.user;
  const std::string_view replication = startup.parameter("replication");
  if (!replication.empty() && replication != "false" && replication != "0" && replication != "off" &&
      replication != "no") {
    return std::unexpected(make_error(ErrorId::unsupported_protocol_feature, "a replication connection",
                                      "Connect to the shard itself to replicate from it."));
  }
  auto options = parse_options(startup.parameter("options"));
  if (!options) return std::unexpected(options.error());
  login.settings = std::move(*options);
  for (const auto& [name, value] : startup.parameters) {
    if (is_setting(name)) login.settings.emplace_back(name, value);
  }
  login.account = context.snapshot->config->find_user(login.user);
  login.admin_console = login.database == "anabranch";
  return login;
}

/// After the password: may this user go there?
std::expected<void, SqlError> admit(Login& login, const LoginContext& context) {
  if (login.admin_console) {
    if (login.account->admin) return {};
    return std::unexpected(make_error(ErrorId::not_permitted_database, login.database));
  }
  login.state = context.snapshot->find(login.database);
  if (login.state == nullptr) return std::unexpected(make_error(ErrorId::no_such_database, login.database));
  if (!login.account->may_use(login.database)) {
    return std::unexpected(make_error(ErrorId::not_permitted_database, login.database));
  }
  return {};
}

net::pg::AuthServerConversation::Options authentication_of(const Login& login, const net::Socket& socket,
                                                           const LoginContext& context) {
  using Method = net::pg::AuthServerConversation::Method;
  net::pg::AuthServerConversation::Options options;
  options.user = login.user;
  options.channel_binding = socket.channel_binding();
  options.mock_nonce = context.mock_nonce;
  if (login.account != nullptr && login.account->password.kind != conf::PasswordKind::none) {
    options.secret = context.verifiers->secret_of(*login.account);
  }
  options.method = net::pg::AuthServerConversation::method_for(options.secret);
  const bool certificate_alone = login.account != nullptr && !login.account->certificate.empty() &&
                                 login.account->password.kind == conf::PasswordKind::none;
  if (certificate_alone && socket.peer_common_name() == login.account->certificate) {
    options.method = Method::trust;
  }
  return options;
}

/// Null: the client is who it says. Otherwise it has been told why not.
net::Task<std::optional<TurnedAway>> authenticate(net::Socket& socket, const Login& login,
                                                  const LoginContext& context, net::CancelToken token) {
  using State = net::pg::AuthServerConversation::State;
  net::pg::AuthServerConversation conversation(authentication_of(login, socket, context));
  State state = conversation.start(socket.out());
  while (state == State::reading) {
    if (const auto sent = co_await socket.flush(token); !sent) co_return hung_up(sent.error());
    const auto message = co_await net::pg::read_message(socket, token, net::pg::max_unauthenticated_bytes);
    if (!message) co_return hung_up(message.error());
    state = conversation.resume(*message, socket.out());
  }
  if (state == State::failed) {
    const auto& fields = conversation.error();
    co_return turn_away(socket, SqlError(std::string(fields.sqlstate()), std::string(fields.message())));
  }
  const std::string& wanted = login.account->certificate;
  if (!wanted.empty() && socket.peer_common_name() != wanted) {
    co_return turn_away(
        socket, make_error(ErrorId::invalid_authorization,
                           fmt::format("certificate authentication failed for user \"{}\"", login.user)));
  }
  co_return std::nullopt;
}

}  // namespace

net::Task<LoginResult> log_in(net::Socket& socket, LoginContext context, net::CancelToken token) {
  FirstPacket first(socket, context);
  auto packet = co_await first.read(token);
  if (auto* wish = std::get_if<CancelWish>(&packet)) co_return *wish;
  if (auto* away = std::get_if<TurnedAway>(&packet)) co_return *away;
  const std::string payload = std::get<std::string>(std::move(packet));

  const auto startup = net::pg::StartupMessage::decode(payload);
  if (!startup) co_return turn_away(socket, make_error(ErrorId::protocol_violation, startup.error().message));
  if (startup->version >> 16 != 3) {
    co_return turn_away(
        socket, make_error(ErrorId::feature_not_in_protocol,
                           fmt::format("{}.{}: server supports 3.0 to 3.0", startup->version >> 16,
                                       startup->version & 0xFFFF)));
  }
  if (context.full) co_return turn_away(socket, make_error<>(ErrorId::too_many_connections));
  const conf::Config& config = *context.snapshot->config;
  if (config.tls.mode == conf::ListenTls::require && !socket.is_tls()) {
    co_return turn_away(socket, make_error<>(ErrorId::tls_required));
  }
  auto login = read_claims(*startup, context);
  if (!login) co_return turn_away(socket, login.error());
  negotiate_version(*startup, socket.out());
  if (const auto away = co_await authenticate(socket, *login, context, token)) co_return *away;
  if (const auto admitted = admit(*login, context); !admitted) {
    co_return turn_away(socket, admitted.error());
  }
  if (login->account->password.kind == conf::PasswordKind::plain) {
    login->password = login->account->password.text;
  }
  co_return std::move(*login);
}

}  // namespace anabranch::proxy
