#include "backends/connector_tls.h"
#include "backends/connectors.h"
#include "net/pg/stream.h"

namespace anabranch::backends {

namespace {

using net::pg::BackendLink;
using net::pg::ConnectError;

std::expected<net::pg::ConnectOptions, std::string> connect_options(const Server& server) {
  auto context = tls_context(server);
  if (!context) return std::unexpected(context.error());
  net::pg::ConnectOptions options;
  options.address = {server.address.host, server.address.port};
  options.tls = tls_mode(server.tls);
  options.tls_context = std::move(*context);
  options.user = server.user;
  options.database = server.target;
  options.password = server.password;
  return options;
}

net::Task<std::expected<BackendLink, ConnectError>> connect(std::shared_ptr<const Server> server,
                                                            net::CancelToken token) {
  auto options = connect_options(*server);
  if (!options) co_return std::unexpected(ConnectError{{net::NetError::Kind::tls, options.error()}, {}});
  co_return co_await net::pg::connect(std::move(*options), token);
}

net::Task<net::IoResult> cancel(std::shared_ptr<const Server> server, std::int32_t process,
                                std::int32_t secret, net::CancelToken token) {
  auto options = connect_options(*server);
  if (!options) {
    co_return std::unexpected(net::NetError{net::NetError::Kind::tls, options.error()});
  }
  co_return co_await net::pg::send_cancel(std::move(*options), process, secret, token);
}

void take_leave(net::Buffer& out) { net::pg::Terminate{}.encode(out); }

bool hear(ServerConnection& connection) {
  net::Socket& socket = connection.socket();
  while (!socket.received().empty()) {
    const auto message = net::pg::take_message(socket);
    if (!message || !*message) return false;
    const char type = (*message)->type;
    if (type == net::pg::ParameterStatus::type) {
      const auto status = net::pg::ParameterStatus::decode((*message)->payload);
      if (!status) return false;
      connection.on_parameter(status->name, status->value);
    } else if (type != net::pg::NoticeResponse::type && type != net::pg::NotificationResponse::type) {
      return false;
    }
  }
  return true;
}

}  // namespace

Connector postgres_connector() { return {connect, cancel, take_leave, hear}; }

}  // namespace anabranch::backends
