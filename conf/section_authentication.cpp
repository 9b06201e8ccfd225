#include <fmt/format.h>

#include <array>

#include "conf/sections.h"

namespace anabranch::conf {
namespace {

constexpr std::array<std::string_view, 2> methods{"scram", "cleartext"};

const std::vector<Field<Authentication>>& authentication_fields() {
  static const std::vector<Field<Authentication>> fields{
      {"method", "scram | cleartext", "scram", false, true,
       "cleartext: clients with TLS are asked for the password itself, so that servers without a "
       "`user` can be logged in to with it. Clients without TLS are never asked for it.",
       choice(&Authentication::method, methods)},
      {"user", "text", "", false, true,
       "Who asks a database's default shard for users that `users` does not list. Left out: nobody.",
       text(&Authentication::user)},
      {"password", "secret", "", false, true, "Its password.",
       [](Reader& reader, const Node& node, Authentication& into) {
         if (auto secret = reader.secret(node)) into.password = {PasswordKind::plain, *secret};
       }},
      {"query", "SQL", "", false, true,
       "What it asks: $1 is the user's name, the answer's last column a SCRAM-SHA-256 or md5 "
       "verifier. Default: pg_authid, of roles that may log in and whose password is valid.",
       text(&Authentication::query)},
      {"cache_time", "duration, or 0", "10s", false, true,
       "How long an answer counts, also that there is no such user; 0: not at all.",
       duration(&Authentication::cache_time, true)},
  };
  return fields;
}

}  // namespace

void read_authentication(Reader& reader, const Node& node, Config& config) {
  read_section<Authentication>(reader, node, authentication_fields(), config.authentication);
  if (node.find("user") != nullptr) return;
  for (const std::string_view key : {"password", "query", "cache_time"}) {
    const Node::Entry* entry = node.find(key);
    if (entry != nullptr) {
      reader.error(entry->where, fmt::format("`{}` without `user`: nobody would use it", key));
    }
  }
}

void check_authentication(Reader& reader, const Config& config) {
  const Authentication& own = config.authentication;
  if (own.method == LoginMethod::cleartext && config.tls.mode == ListenTls::disable) {
    reader.error_at(config.where("authentication.method"),
                    "authentication.method: passwords are asked for over TLS only, and `tls` has no "
                    "certificate");
  }
  if (!own.asks_servers()) return;
  if (own.query.find("$1") == std::string::npos) {
    reader.error_at(config.where("authentication.query"),
                    "authentication.query: expected `$1`, which stands for the user's name");
  }
  if (own.method == LoginMethod::cleartext) return;
  for (const Database& database : config.databases) {
    if (!needs_client_password(database)) continue;
    reader.diagnostics.push_back(
        {Severity::warning, config.file, config.where("authentication.user"),
         fmt::format("authentication.user: database `{}` has no `user` of its own: who is not in "
                     "`users` can log in to its servers only where they ask for no password, or "
                     "with `authentication.method: cleartext`",
                     database.name)});
  }
}

void authentication_docs(std::vector<SettingDoc>& docs) {
  document_section<Authentication>("authentication", authentication_fields(), docs);
}

}  // namespace anabranch::conf
