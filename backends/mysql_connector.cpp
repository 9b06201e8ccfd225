#include "backends/connector_tls.h"
#include "backends/connectors.h"
#include "backends/mysql_exchange.h"
#include "net/mysql/command_messages.h"
#include "net/mysql/connect.h"

namespace anabranch::backends {

namespace {

using net::pg::BackendLink;
using net::pg::ConnectError;

/// What the form of results depends on: a client's session must get it as it was agreed with the client.
constexpr net::mysql::Capabilities result_forms =
    net::mysql::capability::found_rows | net::mysql::capability::local_files | net::mysql::capability::ignore_space |
    net::mysql::capability::multi_statements | net::mysql::capability::multi_results |
    net::mysql::capability::ps_multi_results | net::mysql::capability::session_track |
    net::mysql::capability::deprecate_eof;

std::expected<net::mysql::ConnectOptions, std::string> connect_options(const Server& server) {
  auto context = tls_context(server);
  if (!context) return std::unexpected(context.error());
  net::mysql::ConnectOptions options;
  options.address = {server.address.host, server.address.port};
  options.tls = tls_mode(server.tls);
  options.tls_context = std::move(*context);
  options.login.user = server.user;
  if (server.form.in_database) options.login.database = server.target;
  options.login.password = server.password;
  options.login.capabilities = server.form.capabilities;
  options.login.collation = server.form.collation;
  options.login.attributes = {{"program_name", "anabranch"}};
  return options;
}

ConnectError error_of(net::mysql::ConnectError failure) {
  ConnectError error;
  error.net = std::move(failure.net);
  if (error.net.kind != net::NetError::Kind::rejected) return error;
  error.server = mysql_error_fields(failure.server.code, failure.server.sqlstate, failure.server.message);
  return error;
}

net::Task<std::expected<BackendLink, ConnectError>> connect(std::shared_ptr<const Server> server,
                                                            net::CancelToken token) {
  auto options = connect_options(*server);
  if (!options) co_return std::unexpected(ConnectError{{net::NetError::Kind::tls, options.error()}, {}});
  auto opened = co_await net::mysql::connect(std::move(*options), token);
  if (!opened) co_return std::unexpected(error_of(std::move(opened.error())));
  if (((opened->capabilities ^ server->form.capabilities) & result_forms) != 0) {
    co_return std::unexpected(ConnectError{
        {net::NetError::Kind::protocol, "it no longer has the capabilities that the client was greeted with"}, {}});
  }
  BackendLink link;
  link.socket = std::move(opened->socket);
  link.process = static_cast<std::int32_t>(opened->connection);
  link.parameters.emplace_back(mysql_session_state, std::move(opened->session_state));
  co_return link;
}

net::Task<net::IoResult> cancel(std::shared_ptr<const Server> server, std::int32_t process, std::int32_t,
                                net::CancelToken token) {
  auto options = connect_options(*server);
  if (!options) co_return std::unexpected(net::NetError{net::NetError::Kind::tls, options.error()});
  options->login.database.clear();
  co_return co_await net::mysql::kill_query(std::move(*options), static_cast<std::uint32_t>(process), token);
}

void take_leave(net::Buffer& out) {
  net::mysql::Sequence sequence;
  net::mysql::ComQuit{}.encode(out, sequence);
}

/// A server speaks unasked only to say why it ends the connection.
bool hear(ServerConnection&) { return false; }

}  // namespace

Connector mysql_connector() { return {connect, cancel, take_leave, hear}; }

}  // namespace anabranch::backends
