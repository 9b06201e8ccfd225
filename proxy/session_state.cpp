#include "proxy/session_state.h"

#include "net/pg/messages.h"
#include "values/errors.h"

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

std::string unquoted(const std::string* sql) {
  if (sql == nullptr) return {};
  std::string_view text = *sql;
  if (text.starts_with('E')) text.remove_prefix(1);
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"')) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

}  // namespace

SessionState::SessionState(Worker& on, net::Socket socket, Login who)
    : worker(on),
      client(std::move(socket)),
      login(std::move(who)),
      identity{login.user, login.password},
      db(login.state),
      settings(on.shared_settings().share(startup_settings(login))),
      transaction(holder, settings) {
  refresh_planning();
  if (db->conf->pool.mode == conf::PoolMode::session) pin();
}

void SessionState::pin() {
  pinned_ = true;
  transaction.keep_leases(true);
}

void SessionState::end_leases() {
  if (pinned_) {
    for (auto& member : transaction.enlisted()) member->lease.discard();
  }
  transaction.drop();
}

bool SessionState::explicit_transaction() const {
  return transaction.state() == backends::TransactionState::explicit_ ||
         transaction.state() == backends::TransactionState::failed;
}

void SessionState::renew_database() {
  const auto& snapshot = worker.snapshot();
  if (snapshot->serial == looked_up_in_) return;
  const auto current = snapshot->find(login.database);
  if (current == nullptr) {
    throw values::make_error(values::ErrorId::no_such_database, login.database);
  }
  looked_up_in_ = snapshot->serial;
  if (current == db) return;
  const bool same_servers = current->config == db->config;
  db = current;
  if (!same_servers) targets_.clear();
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
  planning_key = planning.standard_conforming_strings ? "s" : "n";
  for (const std::string& name : planning.search_path) planning_key.append(name).push_back('\0');
  planning_key.append("\1").append(planning.role);
  reading_key = backends::reading_key(*settings.current());
}

const backends::ShardTarget& SessionState::target(std::uint32_t shard) {
  if (targets_.size() <= shard) targets_.resize(db->map->shards().size());
  if (targets_[shard] == nullptr) {
    targets_[shard] = worker.pools().target(*db->conf, shard, identity, login.database);
  }
  return targets_[shard];
}

const std::string* SessionState::reported(std::string_view name) const {
  if (const auto found = reported_since.find(name); found != reported_since.end()) return &found->second;
  if (greeting == nullptr) return nullptr;
  const auto found = greeting->find(name);
  return found == greeting->end() ? nullptr : &found->second;
}

void SessionState::report_parameter(std::string_view name, std::string_view value) {
  const std::string* known = reported(name);
  if (known != nullptr && *known == value) return;
  reported_since.insert_or_assign(std::string(name), std::string(value));
  net::pg::ParameterStatus{name, value}.encode(out());
}

void SessionState::deallocate_all() {
  std::erase_if(statements, [](const auto& entry) { return !entry.first.empty(); });
}

void SessionState::check_cancelled() const {
  if (timed_out) throw values::make_error<>(values::ErrorId::statement_timeout);
  if (cancel_requested) throw values::make_error<>(values::ErrorId::canceled);
}

}  // namespace anabranch::proxy
