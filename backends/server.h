#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/config.h"
#include "net/pg/connect.h"
#include "net/pg/messages.h"
#include "values/sql_error.h"

namespace anabranch::backends {

/// Who a client is, as it proved to the proxy. `password` is plain, or empty where `users` holds
/// only a verifier.
struct Identity {
  std::string user;
  std::string password;
};

/// MySQL: what was agreed upon with a client at its login, and has to be with the server, whose answers
/// have that form.
struct SessionForm {
  std::uint64_t capabilities = 0;
  std::uint8_t collation = 0;
  bool in_database = true;  ///< false: the client named none at its login
  bool operator==(const SessionForm&) const = default;
};

/// One server as one login sees it: everything a connection needs. Equal servers share a pool
/// (docs/configuration.md, "backend").
struct Server {
  std::string database;     // the configuration's entry
  conf::Kind kind = conf::Kind::postgres;
  std::uint32_t shard = 0;  // its index there
  std::string shard_name;
  conf::Address address;
  std::string target;  // the database on the server
  std::string user;    // who logs in
  std::string password;
  conf::BackendTls tls = conf::BackendTls::prefer;
  std::string ca;
  conf::Milliseconds connect_timeout{1000};
  std::uint32_t connect_attempts = 3;
  SessionForm form;

  bool operator==(const Server&) const = default;
  /// `s1 (10.0.0.1:5432)`, for errors.
  std::string text() const;
};

/// The shard's primary for this client. `requested` is the database's name as the client gave it
/// (what "*" passes on). `backend.user` left out: the client's own name and password.
Server resolve_server(const conf::Database& database, std::uint32_t shard, const Identity& client,
                      std::string_view requested);

/// The same for the control plane: `backend.catalog_user` where given, else who the clients'
/// connections log in as.
Server control_server(const conf::Database& database, std::uint32_t shard, const Identity& client,
                      std::string_view requested);

/// The role to SET after connecting (`set_role: client`); empty: none. It is part of the session's
/// wanted settings (context.h), not of the pool's key, so that clients share connections.
std::string role_to_set(const conf::Database& database, std::uint32_t shard,
                        const Identity& client);

/// The field of ErrorFields that holds a MySQL server's error number; PostgreSQL has none of that name.
inline constexpr char mysql_code_field = '#';

/// A server's own ErrorResponse as a statement's failure: sessions that know it send `fields` on
/// untouched; everyone else sees a SqlError.
struct ServerError : values::SqlError {
  ServerError(net::pg::ErrorFields from, std::uint32_t of_shard, std::string of_shard_name);
  net::pg::ErrorFields fields;
  std::uint32_t shard;
  std::string shard_name;
};

}  // namespace anabranch::backends
