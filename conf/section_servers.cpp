#include <fmt/format.h>

#include <array>

#include "conf/config.h"
#include "conf/sections.h"

namespace anabranch::conf {
namespace {

constexpr std::array<std::string_view, 2> set_roles{"none", "client"};
constexpr std::array<std::string_view, 4> tls_modes{"disable", "prefer", "require", "verify-full"};
constexpr std::size_t most_shards = 1024;
constexpr std::size_t most_replicas = 64;

Password plain(std::string text) {
  return {PasswordKind::plain, std::move(text)};
}

const std::vector<Field<Backend>>& backend_fields() {
  static const std::vector<Field<Backend>> fields{
      {"database", "text", "", false, true,
       "The database on the servers. Default: the name of the entry; in \"*\" the client's.",
       text(&Backend::database)},
      {"user", "text", "", false, true,
       "Who logs in to the servers. Left out: each client's own name, with its password.",
       text(&Backend::user)},
      {"password", "secret", "", false, true, "The user's password.",
       [](Reader& reader, const Node& node, Backend& into) {
         if (auto secret = reader.secret(node)) into.password = plain(std::move(*secret));
       }},
      {"set_role", "none | client", "none", false, true,
       "client: connect as `user`, then SET ROLE to the client's name.",
       choice(&Backend::set_role, set_roles)},
      {"catalog_user", "text", "", false, true,
       "Who loads the catalog and watches replicas. Default: `user`.",
       text(&Backend::catalog_user)},
      {"catalog_password", "secret", "", false, true,
       "The catalog user's password. Default: `password`.",
       [](Reader& reader, const Node& node, Backend& into) {
         if (auto secret = reader.secret(node)) into.catalog_password = plain(std::move(*secret));
       }},
      {"tls", "disable | prefer | require | verify-full", "prefer", false, true,
       "TLS towards the servers.", choice(&Backend::tls, tls_modes)},
      {"ca", "path", "", false, true,
       "For verify-full: the CA of the servers' certificates. Default: the system's.",
       [](Reader& reader, const Node& node, Backend& into) {
         if (auto path = reader.readable_file(node)) into.ca = std::move(*path);
       }},
      {"connect_timeout", "duration", "1s", false, true, "For one attempt to connect.",
       duration(&Backend::connect_timeout, false)},
      {"connect_attempts", "1 to 100", "3", false, true, "Before a server counts as down.",
       whole(&Backend::connect_attempts, 1, 100)},
  };
  return fields;
}

void read_host(Reader& reader, const Node& node, Server& into) {
  const auto host = reader.string(node);
  if (!host) return;
  if (host->find_first_of(" []/@,") != std::string::npos) {
    reader.wrong(node, "a host name or address without a port");
    return;
  }
  into.address.host = *host;
}

/// A server takes all that a backend takes, and its address.
const std::vector<Field<Server>>& server_fields() {
  static const std::vector<Field<Server>> fields = [] {
    std::vector<Field<Server>> list{
        {"host", "host", "", true, true, "Name or address of the server.", read_host},
        {"port", "1 to 65535", "5432", false, true, "Default: 5432, for mysql 3306.",
         [](Reader& reader, const Node& node, Server& into) {
           const auto port = reader.whole(node, 1, 65'535);
           if (port) into.address.port = static_cast<std::uint16_t>(*port);
         }},
    };
    for (const Field<Backend>& field : backend_fields()) {
      list.push_back({field.name, field.type, field.fallback, field.required, field.reloadable,
                      field.doc, [&field](Reader& reader, const Node& node, Server& into) {
                        field.read(reader, node, into.backend);
                      }});
    }
    return list;
  }();
  return fields;
}

void check_backend(Reader& reader, Position where, const Backend& backend) {
  if (backend.set_role == SetRole::client && !backend.user) {
    reader.error(where, "`set_role: client` needs a `user` to connect as");
  }
  if (!backend.user && backend.password.kind != PasswordKind::none) {
    reader.error(where, "`password` needs the `user` it belongs to");
  }
  if (!backend.ca.empty() && backend.tls != BackendTls::verify_full) {
    reader.error(where, "`ca` is for `tls: verify-full` only");
  }
}

struct ShardInput {
  Shard shard;
  const Database& database;
};

void read_replicas(Reader& reader, const Node& node, ShardInput& into) {
  if (!reader.is_list(node)) return;
  if (node.items.size() > most_replicas) {
    reader.error(node.where, fmt::format("expected at most {} replicas", most_replicas));
    return;
  }
  for (const Node& item : node.items) {
    if (auto server = read_server(reader, item, into.database)) {
      into.shard.replicas.push_back(std::move(*server));
    }
  }
}

const std::vector<Field<ShardInput>>& shard_fields() {
  static const std::vector<Field<ShardInput>> fields{
      {"primary", "host:port, or a map with host, port and any backend setting", "", true, true,
       "The server that takes writes.",
       [](Reader& reader, const Node& node, ShardInput& into) {
         if (auto server = read_server(reader, node, into.database)) {
           into.shard.primary = std::move(*server);
         }
       }},
      {"replicas", "list of servers", "", false, true, "Servers that may answer reads.",
       read_replicas},
      {"weight", "1 to 1000000", "1", false, true,
       "The shard's part of the rows, for strategies by weight.",
       [](Reader& reader, const Node& node, ShardInput& into) {
         const auto weight = reader.whole(node, 1, 1'000'000);
         if (weight) into.shard.weight = static_cast<std::uint32_t>(*weight);
       }},
      {"internal_replication", "true | false", "true", false, true,
       "true: the servers replicate among themselves; false: writes go to every one.",
       [](Reader& reader, const Node& node, ShardInput& into) {
         if (const auto value = reader.boolean(node)) into.shard.internal_replication = *value;
       }},
  };
  return fields;
}

}  // namespace

std::optional<Server> read_server(Reader& reader, const Node& node, const Database& database) {
  Server server;
  server.backend = database.backend;
  server.address.port = database.kind == Kind::mysql ? 3306 : 5432;
  if (node.kind == Node::Kind::scalar) {
    auto address = reader.address(node);
    if (!address) return std::nullopt;
    server.address = std::move(*address);
    return server;
  }
  if (node.kind != Node::Kind::map) {
    reader.wrong(node, "a server: host:port, or a map with host and port");
    return std::nullopt;
  }
  // A user of one's own does not go with the other one's password.
  if (node.find("user") != nullptr) server.backend.password = {};
  read_section<Server>(reader, node, server_fields(), server);
  check_backend(reader, node.where, server.backend);
  return server;
}

void read_backend(Reader& reader, const Node& node, Database& database) {
  if (read_section<Backend>(reader, node, backend_fields(), database.backend)) {
    check_backend(reader, reader.here(), database.backend);
  }
}

void read_shards(Reader& reader, const Node& node, Database& database) {
  if (!reader.is_map(node)) return;
  if (node.entries.empty() || node.entries.size() > most_shards) {
    reader.error(node.where, fmt::format("expected 1 to {} shards", most_shards));
    return;
  }
  for (const Node::Entry& entry : node.entries) {
    const Reader::Scope scope(reader, entry.key, entry.where);
    if (entry.key.empty()) reader.error(entry.where, "expected a name for the shard");
    ShardInput input{{}, database};
    input.shard.name = entry.key;
    input.shard.where = entry.where;
    read_section<ShardInput>(reader, entry.value, shard_fields(), input);
    database.shards.push_back(std::move(input.shard));
  }
}

void server_docs(std::vector<SettingDoc>& docs) {
  document_section<Backend>("databases.NAME.backend", backend_fields(), docs);
  document_section<ShardInput>("databases.NAME.shards.NAME", shard_fields(), docs);
  document_section<Server>("databases.NAME.shards.NAME.primary", server_fields(), docs);
}

}  // namespace anabranch::conf
