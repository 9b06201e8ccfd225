#include <fmt/format.h>

#include <algorithm>

#include "conf/sections.h"

namespace anabranch::conf {
namespace {

bool all_of(std::string_view text, std::string_view alphabet) {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

/// `SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER`, the three in base64.
bool is_scram_verifier(std::string_view text) {
  constexpr std::string_view start = "SCRAM-SHA-256$";
  constexpr std::string_view base64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  constexpr std::size_t key_length = 44;  // 32 bytes in base64
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  const std::size_t colon = text.find(':');
  const std::size_t dollar = text.find('$');
  if (colon == std::string_view::npos || dollar == std::string_view::npos || dollar < colon) {
    return false;
  }
  const std::string_view iterations = text.substr(0, colon);
  const std::string_view salt = text.substr(colon + 1, dollar - colon - 1);
  const std::string_view keys = text.substr(dollar + 1);
  return !iterations.empty() && iterations.size() < 9 && all_of(iterations, "0123456789") &&
         !salt.empty() && all_of(salt, base64) && keys.size() == 2 * key_length + 1 &&
         keys[key_length] == ':' && all_of(keys.substr(0, key_length), base64) &&
         all_of(keys.substr(key_length + 1), base64);
}

PasswordKind kind_of(std::string_view text) {
  if (is_scram_verifier(text)) return PasswordKind::scram_sha_256;
  if (text.size() == 35 && text.starts_with("md5") && all_of(text.substr(3), "0123456789abcdef")) {
    return PasswordKind::md5;
  }
  if (text.size() == 41 && text.front() == '*' &&
      all_of(text.substr(1), "0123456789ABCDEFabcdef")) {
    return PasswordKind::mysql_native;
  }
  return PasswordKind::plain;
}

void read_password(Reader& reader, const Node& node, User& user) {
  auto text = reader.secret(node);
  if (!text) return;
  user.password.kind = kind_of(*text);
  if (user.password.kind == PasswordKind::plain && text->starts_with("SCRAM-SHA-256$")) {
    reader.warning(node.where,
                   "is not a whole SCRAM-SHA-256 verifier, and is taken as a plain password");
  }
  user.password.text = std::move(*text);
}

void read_user_databases(Reader& reader, const Node& node, User& user) {
  if (!reader.is_list(node)) return;
  if (auto names = reader.strings(node)) user.databases = std::move(*names);
}

const std::vector<Field<User>>& user_fields() {
  static const std::vector<Field<User>> fields{
      {"name", "text", "", true, true, "The name a client logs in with.", text(&User::name)},
      {"password", "secret", "", false, true,
       "Plain text, a SCRAM-SHA-256 or md5 verifier, a MySQL *HEX hash, env: or file:.",
       read_password},
      {"certificate", "text", "", false, true,
       "The common name that the client's certificate must bear.", text(&User::certificate)},
      {"databases", "list of databases", "", false, true,
       "What the user may connect to. Default: all.", read_user_databases},
      {"admin", "true | false", "false", false, true, "May connect to the database `anabranch`.",
       boolean(&User::admin)},
  };
  return fields;
}

void check_databases(Reader& reader, const Config& config, const User& user) {
  std::vector<std::string_view> known;
  for (const Database& database : config.databases) known.push_back(database.name);
  const Position where = config.where("users." + user.name + ".databases");
  for (const std::string& name : user.databases.value_or(std::vector<std::string>{})) {
    if (name == "anabranch") {
      reader.error_at(where, fmt::format("users.{}.databases: `anabranch` is for users with "
                                         "`admin: true`, and is not listed",
                                         user.name));
    } else if (config.find_database(name) == nullptr && !known.empty()) {
      const std::string_view near = nearest(name, known);
      reader.error_at(
          where,
          fmt::format("users.{}.databases: unknown database `{}`{}", user.name, name,
                      near.empty() ? "" : fmt::format("; the nearest known one is `{}`", near)));
    }
  }
}

/// A server without a `user` of its own is logged in to with the client's name and password: which
/// must then be known in plain.
void check_forwarding(Reader& reader, const Config& config, const User& user) {
  const bool told = config.authentication.method == LoginMethod::cleartext;
  if (user.password.kind == PasswordKind::plain || told) return;
  for (const Database& database : config.databases) {
    const bool listed = user.databases && user.may_use(database.name);
    if (!needs_client_password(database) || (user.databases && !listed)) continue;
    const Position where = config.where("users." + user.name + ".password");
    const std::string message = fmt::format(
        "users.{}.password: database `{}` has no `user` of its own and passes this one on: "
        "expected "
        "a password in plain text, `env:` or `file:`",
        user.name, database.name);
    // An administrator may never mean to use that database.
    reader.diagnostics.push_back(
        {user.admin && !listed ? Severity::warning : Severity::error, config.file, where, message});
  }
}

}  // namespace

void read_users(Reader& reader, const Node& node, Config& config) {
  if (!reader.is_list(node)) return;
  for (const Node& item : node.items) {
    const Node::Entry* name = item.find("name");
    const std::string label = name != nullptr && !name->value.text.empty()
                                  ? name->value.text
                                  : std::to_string(config.users.size() + 1);
    const Reader::Scope scope(reader, label, item.where);
    User user;
    user.where = item.where;
    if (!read_section<User>(reader, item, user_fields(), user)) continue;
    if (item.find("password") == nullptr && item.find("certificate") == nullptr) {
      reader.error(item.where, "expected a `password`, a `certificate`, or both");
    }
    if (!user.name.empty() && config.find_user(user.name) != nullptr) {
      reader.error(item.where, fmt::format("user `{}` is listed twice", user.name));
    }
    config.users.push_back(std::move(user));
  }
}

void check_users(Reader& reader, const Config& config) {
  if (config.users.empty() && !config.authentication.asks_servers()) {
    reader.warning({1, 1}, "`users` is missing or empty: nobody can log in");
  }
  for (const User& user : config.users) {
    check_databases(reader, config, user);
    check_forwarding(reader, config, user);
    if (!user.certificate.empty() && !config.written.contains("tls.client_ca")) {
      reader.error_at(
          config.where("users." + user.name + ".certificate"),
          fmt::format("users.{}.certificate: needs `tls.client_ca`, the CA that signed it",
                      user.name));
    }
  }
}

bool needs_client_password(const Database& database) {
  return std::ranges::any_of(database.shards, [](const Shard& shard) {
    return !shard.primary.backend.user ||
           std::ranges::any_of(shard.replicas, [](const Server& s) { return !s.backend.user; });
  });
}

void user_docs(std::vector<SettingDoc>& docs) {
  document_section<User>("users[]", user_fields(), docs);
}

}  // namespace anabranch::conf
