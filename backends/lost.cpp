#include "backends/lost.h"

#include "values/errors.h"

namespace anabranch::backends {

void lose(const Lease& lease, std::string_view reason) {
  lease->mark_broken();
  throw make_error(values::ErrorId::shard_lost, lease->server().text(), reason);
}

void violate(const Lease& lease, std::string_view reason) {
  lease->mark_broken();
  throw make_error(values::ErrorId::shard_protocol, lease->server().text(), reason);
}

void check_alive(const Lease& lease) {
  const net::Socket& socket = lease->socket();
  if (const net::NetError* error = socket.error()) lose(lease, error->message);
  if (socket.at_end()) lose(lease, "the server closed the connection");
}

}  // namespace anabranch::backends
