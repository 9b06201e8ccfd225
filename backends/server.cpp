#include "backends/server.h"

#include <charconv>
#include <utility>

namespace anabranch::backends {

std::string Server::text() const {
  return shard_name + " (" + address.text() + ")";
}

Server resolve_server(const conf::Database& database, std::uint32_t shard, const Identity& client,
                      std::string_view requested) {
  const conf::Shard& where = database.shards.at(shard);
  const conf::Backend& backend = where.primary.backend;
  Server server;
  server.database = database.name;
  server.kind = database.kind;
  server.shard = shard;
  server.shard_name = where.name;
  server.address = where.primary.address;
  server.target = backend.database.empty() ? std::string(requested) : backend.database;
  server.user = backend.user ? *backend.user : client.user;
  server.password = backend.user ? backend.password.text : client.password;
  server.tls = backend.tls;
  server.ca = backend.ca;
  server.connect_timeout = backend.connect_timeout;
  server.connect_attempts = backend.connect_attempts;
  return server;
}

Server control_server(const conf::Database& database, std::uint32_t shard, const Identity& client,
                      std::string_view requested) {
  Server server = resolve_server(database, shard, client, requested);
  const conf::Backend& backend = database.shards[shard].primary.backend;
  if (!backend.catalog_user) return server;
  server.user = *backend.catalog_user;
  if (backend.catalog_password) server.password = backend.catalog_password->text;
  return server;
}

std::string role_to_set(const conf::Database& database, std::uint32_t shard,
                        const Identity& client) {
  const conf::Backend& backend = database.shards.at(shard).primary.backend;
  return backend.set_role == conf::SetRole::client ? client.user : std::string();
}

namespace {

template <typename Number>
Number number_of(const net::pg::ErrorFields& fields, char field, Number otherwise) {
  const std::string_view text = fields.get(field);
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

}  // namespace

ServerError::ServerError(net::pg::ErrorFields from, std::uint32_t of_shard,
                         std::string of_shard_name)
    : SqlError(std::string(from.sqlstate()), std::string(from.message()),
               std::string(from.get('H'))),
      fields(std::move(from)),
      shard(of_shard),
      shard_name(std::move(of_shard_name)) {
  detail = fields.get('D');
  context = fields.get('W');
  position = number_of(fields, 'P', position);
  mysql_code = number_of(fields, mysql_code_field, mysql_code);
}

}  // namespace anabranch::backends
