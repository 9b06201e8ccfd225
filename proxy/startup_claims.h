#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/pg/messages.h"
#include "values/sql_error.h"

namespace anabranch::proxy {

using StartupSettings = std::vector<std::pair<std::string, std::string>>;

/// What a startup message says: who the client says it is, where it wants to go, and its settings
/// (those of `options` first, then the others, in the client's order; of equal ones the last
/// counts). No secret has been checked yet.
struct Claims {
  std::string user;
  std::string database;
  StartupSettings settings;
};

/// As PostgreSQL reads it: a missing database is the user's name, both are cut after 63 bytes. Refuses
/// (28000, 22023, 0A000) a message without a user, unreadable options, and replication connections.
std::expected<Claims, values::SqlError> read_claims(const net::pg::StartupMessage& startup);

/// `-c name=value` and `--name=value` of the startup parameter `options`: separated by white space, a
/// backslash quotes the next character.
std::expected<StartupSettings, values::SqlError> parse_options(std::string_view options);

}  // namespace anabranch::proxy
