#include "proxy/session_state.h"

#include <algorithm>
#include <utility>

#include "net/pg/messages.h"
#include "proxy/portal.h"
#include "values/ascii.h"

namespace anabranch::proxy {

namespace {

backends::Settings startup_settings(const Login& login) {
  backends::Settings settings;
  for (const auto& [name, value] : login.settings) {
    backends::add_startup_parameter(settings, name, value);
  }
  const auto role = backends::role_to_set(*login.state->conf, login.state->conf->default_shard,
                                          {login.user, login.password});
  if (!role.empty()) settings.insert_or_assign("role", backends::quote_literal(role));
  return settings;
}

/// The names of a `search_path` value, as SQL text or as reported, "$user" replaced by the role.
std::vector<std::string> split_path(std::string_view value, const std::string& user) {
  std::vector<std::string> names;
  std::string name;
  bool quoted = false;
  bool any = false;
  const auto finish = [&] {
    if (any) names.push_back(name == "$user" ? user : name);
    name.clear();
    any = false;
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char letter = value[i];
    if (letter == '"') {
      if (quoted && i + 1 < value.size() && value[i + 1] == '"') {
        name += value[++i];
      } else {
        quoted = !quoted;
      }
      any = true;
    } else if (!quoted && letter == ',') {
      finish();
    } else if (quoted || (letter != ' ' && letter != '\'' && letter != '\t')) {
      name += quoted ? letter : static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      any = true;
    }
  }
  finish();
  return names;
}

std::string unquoted(const std::string* sql) { return sql == nullptr ? std::string() : backends::literal_value(*sql); }

}  // namespace

SessionState::SessionState(Worker& on, net::Socket socket, Login who)
    : SessionCore(on, who, on.shared_settings().share(startup_settings(who))),
      client(std::move(socket)),
      held_rows(db->config->limits.query_memory) {
  startup_ = reported_settings_ = settings.current();
  refresh_planning();
  keep_all(db->conf->pool.mode == conf::PoolMode::session);
}

void SessionState::refresh_planning() {
  const std::string* strings = settings.find("standard_conforming_strings");
  planning.standard_conforming_strings = strings == nullptr || unquoted(strings) != "off";
  planning.role = unquoted(settings.find("role"));
  if (planning.role.empty() || planning.role == "none") {
    planning.role = db->conf->backend.user.value_or(login.user);
  }
  const std::string* path = settings.find("search_path");
  planning.search_path = split_path(path == nullptr ? "\"$user\", public" : *path, planning.role);
  planning_key = rewriter::planning_key(planning);
  if (temporary_serial != 0) planning_key.append("\2").append(std::to_string(temporary_serial));
  reading_key = backends::reading_key(*settings.current());
}

const std::string* SessionState::reported(std::string_view name) const {
  if (const auto found = reported_since.find(name); found != reported_since.end()) return &found->second;
  if (greeting == nullptr) return nullptr;
  const auto found = greeting->find(name);
  return found == greeting->end() ? nullptr : &found->second;
}

void SessionState::report_settings() {
  const auto& now = settings.current();
  if (now == reported_settings_ || greeting == nullptr) return;
  for (const auto& [name, at_login] : *greeting) {
    const auto wanted = now->find(values::lower_case(name));
    const auto before = wanted == now->end() ? startup_->end() : startup_->find(wanted->first);
    const bool as_at_login = wanted == now->end() || (before != startup_->end() && before->second == wanted->second);
    report_parameter(name, as_at_login ? at_login : backends::literal_value(wanted->second));
  }
  reported_settings_ = now;
}

void SessionState::report_parameter(std::string_view name, std::string_view value) {
  const std::string* known = reported(name);
  if (known != nullptr && *known == value) return;
  reported_since.insert_or_assign(std::string(name), std::string(value));
  reported_settings_ = nullptr;
  net::pg::ParameterStatus{name, value}.encode(out());
}

void SessionState::end_portals() {
  std::erase_if(portals, [](const auto& entry) { return !entry.second->cursor || !entry.second->cursor->held; });
}

void SessionState::end_portals_above(std::size_t level) {
  std::erase_if(portals, [&](const auto& entry) { return entry.second->level > level; });
}

void SessionState::lower_portals_to(std::size_t level) {
  for (auto& [name, portal] : portals) portal->level = std::min(portal->level, level);
}

void SessionState::deallocate_all() {
  std::erase_if(statements, [](const auto& entry) { return !entry.first.empty(); });
}

}  // namespace anabranch::proxy
