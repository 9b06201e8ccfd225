#include "backends/context.h"
#include "values/ascii.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace anabranch::backends {

const std::string* SettingsStack::find(std::string_view name) const {
  const auto found = current_->find(name);
  return found == current_->end() ? nullptr : &found->second;
}

void SettingsStack::set(std::string_view name, std::string value) {
  auto changed = std::make_shared<Settings>(*current_);
  changed->insert_or_assign(std::string(name), std::move(value));
  current_ = std::move(changed);
}

void SettingsStack::reset(std::string_view name) {
  if (const auto base = base_->find(name); base != base_->end()) {
    set(name, base->second);
    return;
  }
  const auto found = current_->find(name);
  if (found == current_->end()) return;
  auto changed = std::make_shared<Settings>(*current_);
  changed->erase(found->first);
  current_ = std::move(changed);
}

void SettingsStack::reset_all() {
  auto changed = std::make_shared<Settings>(*base_);
  for (const std::string_view name : {"role", "session_authorization"}) {
    changed->erase(std::string(name));
    if (const auto kept = current_->find(name); kept != current_->end()) changed->insert(*kept);
  }
  current_ = *changed == *base_ ? base_ : std::move(changed);
}

void SettingsStack::begin() {
  if (levels_.empty()) levels_.push_back({{}, current_});
}

void SettingsStack::rollback() {
  if (!levels_.empty()) current_ = levels_.front().before;
  levels_.clear();
}

void SettingsStack::savepoint(std::string_view name) {
  if (in_transaction()) levels_.push_back({std::string(name), current_});
}

std::size_t SettingsStack::find_level(std::string_view name) const {
  for (std::size_t level = levels_.size(); level > 1; --level) {
    if (levels_[level - 1].savepoint == name) return level - 1;
  }
  return levels_.size();
}

void SettingsStack::rollback_to(std::string_view name) {
  const std::size_t level = find_level(name);
  if (level == levels_.size()) return;
  current_ = levels_[level].before;
  levels_.resize(level + 1);
}

void SettingsStack::release(std::string_view name) {
  levels_.resize(find_level(name));
}

namespace {

// Settings of which a server accepts here whatever another server of its version has accepted
// there. Not among them: roles, and whatever names a file, a library or an object.
constexpr auto always_accepted =
    std::to_array<std::string_view>({"application_name",
                                     "bytea_output",
                                     "client_encoding",
                                     "client_min_messages",
                                     "datestyle",
                                     "default_transaction_isolation",
                                     "default_transaction_read_only",
                                     "enable_hashjoin",
                                     "enable_indexscan",
                                     "enable_mergejoin",
                                     "enable_nestloop",
                                     "enable_seqscan",
                                     "enable_sort",
                                     "extra_float_digits",
                                     "geqo",
                                     "idle_in_transaction_session_timeout",
                                     "intervalstyle",
                                     "jit",
                                     "lock_timeout",
                                     "plan_cache_mode",
                                     "search_path",
                                     "standard_conforming_strings",
                                     "statement_timeout",
                                     "synchronous_commit",
                                     "timezone",
                                     "work_mem"});
static_assert(std::ranges::is_sorted(always_accepted));

bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c >= 0x80;
  });
}

std::string setting_name(std::string_view name) {
  if (is_plain_name(name)) return std::string(name);
  return quote_identifier(name);
}

// The role and the session's user decide what else may be set: they are left first and taken last.
int rank(std::string_view name) {
  if (name == "session_authorization") return 1;
  if (name == "role") return 2;
  return 0;
}

class ChangeWriter {
 public:
  explicit ChangeWriter(Reach reach) : local_(reach == Reach::local) {}
  void reset(std::string_view name) {
    if (local_) return add("SET LOCAL ", name, "DEFAULT");
    add("RESET ", name, {});
  }
  void set(std::string_view name, std::string_view value) { add(local_ ? "SET LOCAL " : "SET ", name, value); }
  ContextChange take() { return std::move(change_); }

 private:
  void add(std::string_view verb, std::string_view name, std::string_view value) {
    if (!change_.sql.empty()) change_.sql += "; ";
    change_.sql += verb;
    change_.sql += setting_name(name);
    if (!value.empty()) {
      change_.sql += " TO ";
      change_.sql += value;
    }
    change_.pipeline &= std::ranges::binary_search(always_accepted, name);
  }
  ContextChange change_;
  const bool local_;
};

void write_resets(const Settings& applied, const Settings& wanted, int of_rank, ChangeWriter& out) {
  for (const auto& [name, value] : applied) {
    if (rank(name) == of_rank && !wanted.contains(name)) out.reset(name);
  }
}

void write_sets(const Settings& applied, const Settings& wanted, int of_rank, bool all,
                ChangeWriter& out) {
  for (const auto& [name, value] : wanted) {
    if (rank(name) != of_rank) continue;
    const auto had = applied.find(name);
    if (all || had == applied.end() || had->second != value) out.set(name, value);
  }
}

bool differs(const Settings& left, const Settings& right, std::string_view name) {
  const auto a = left.find(name);
  const auto b = right.find(name);
  if (a == left.end() || b == right.end()) return (a == left.end()) != (b == right.end());
  return a->second != b->second;
}

}  // namespace

ContextChange context_change(const std::shared_ptr<const Settings>& applied,
                             const std::shared_ptr<const Settings>& wanted, Reach reach) {
  if (applied == wanted || *applied == *wanted) return {};
  ChangeWriter out(reach);
  // While another role is on, a setting may be forbidden to it that the wanted session could make.
  // A role that stays as it is is left alone unless the session's user changes under it.
  const bool user_changes = differs(*applied, *wanted, "session_authorization");
  const bool role_leaves =
      applied->contains("role") && (user_changes || differs(*applied, *wanted, "role"));
  if (role_leaves) out.reset("role");
  if (user_changes && applied->contains("session_authorization")) {
    out.reset("session_authorization");
  }
  write_resets(*applied, *wanted, 0, out);
  write_sets(*applied, *wanted, 0, false, out);
  if (user_changes) write_sets(*applied, *wanted, 1, true, out);
  if (user_changes || differs(*applied, *wanted, "role")) {
    write_sets(*applied, *wanted, 2, true, out);
  }
  return out.take();
}

std::shared_ptr<const Settings> SharedSettings::share(Settings settings) {
  std::erase_if(known_, [](const auto& known) { return known.expired(); });
  for (const auto& known : known_) {
    if (auto shared = known.lock(); *shared == settings) return shared;
  }
  auto made = std::make_shared<const Settings>(std::move(settings));
  known_.push_back(made);
  return made;
}

namespace {

// Input functions that are run while a statement is parsed, and functions that are folded while it
// is planned, heed these.
constexpr auto reading_settings = std::to_array<std::string_view>(
    {"array_nulls", "backslash_quote", "client_encoding", "datestyle", "default_text_search_config",
     "extra_float_digits", "intervalstyle", "lc_monetary", "timezone", "transform_null_equals",
     "xmloption"});

}  // namespace

std::string reading_key(const Settings& settings) {
  std::string key;
  for (const std::string_view name : reading_settings) {
    const auto found = settings.find(name);
    if (found == settings.end()) continue;
    key.append(name).append("=").append(found->second).push_back('\0');
  }
  return key;
}

Settings read_as_under(const Settings& earlier, Settings settings) {
  for (const std::string_view name : reading_settings) {
    const auto found = earlier.find(name);
    if (found != earlier.end()) {
      settings.insert_or_assign(found->first, found->second);
    } else if (const auto now = settings.find(name); now != settings.end()) {
      settings.erase(now);
    }
  }
  return settings;
}

std::string quote_literal(std::string_view value) {
  const bool escapes = value.find('\\') != std::string_view::npos;
  std::string quoted = escapes ? " E'" : "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  quoted += '\'';
  return quoted;
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

std::string literal_value(std::string_view sql) {
  while (sql.starts_with(' ')) sql.remove_prefix(1);
  const bool escapes = sql.starts_with('E') && sql.size() > 1 && sql[1] == '\'';
  if (escapes) sql.remove_prefix(1);
  const char quote = sql.empty() ? '\0' : sql.front();
  if (sql.size() < 2 || (quote != '\'' && quote != '"') || sql.back() != quote) return std::string(sql);
  std::string text;
  for (std::size_t i = 1; i + 1 < sql.size(); ++i) {
    if (sql[i] == quote || (escapes && sql[i] == '\\')) ++i;
    text += sql[i];
  }
  return text;
}

std::vector<std::string> split_options(std::string_view options) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  std::vector<std::string> words;
  for (std::size_t i = 0; i < options.size();) {
    if (is_space(options[i])) {
      ++i;
      continue;
    }
    std::string word;
    for (; i < options.size() && !is_space(options[i]); ++i) {
      if (options[i] == '\\' && ++i == options.size()) break;
      word += options[i];
    }
    words.push_back(std::move(word));
  }
  return words;
}

namespace {

void add_option_word(Settings& settings, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == 0 || equals == std::string_view::npos) return;
  std::string name(assignment.substr(0, equals));
  std::ranges::replace(name, '-', '_');
  add_startup_parameter(settings, name, assignment.substr(equals + 1));
}

void add_options(Settings& settings, std::string_view options) {
  const std::vector<std::string> words = split_options(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.starts_with("--")) {
      add_option_word(settings, word.substr(2));
    } else if (word == "-c" && i + 1 < words.size()) {
      add_option_word(settings, words[++i]);
    } else if (word.starts_with("-c")) {
      add_option_word(settings, word.substr(2));
    }
  }
}

// Of these a server reads each element as a name: a literal of its own, which may be empty.
constexpr auto lists_of_names = std::to_array<std::string_view>({"search_path", "temp_tablespaces"});
// Of these the elements are paths, which keep their case.
constexpr auto lists_of_paths =
    std::to_array<std::string_view>({"local_preload_libraries", "session_preload_libraries"});

}  // namespace

std::string setting_as_sql(std::string_view name, std::string_view value) {
  if (std::ranges::find(lists_of_paths, name) != lists_of_paths.end() && !value.empty()) return std::string(value);
  if (std::ranges::find(lists_of_names, name) == lists_of_names.end()) return quote_literal(value);
  std::string list;
  std::string element;
  bool quoted = false;
  const auto flush = [&] {
    if (!list.empty()) list += ", ";
    list += quote_literal(element);
    element.clear();
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '"' && quoted && i + 1 < value.size() && value[i + 1] == '"') {
      element += value[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      flush();
    } else if (quoted) {
      element += c;
    } else if (!std::isspace(static_cast<unsigned char>(c))) {
      element += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (!element.empty() || list.empty()) flush();
  return list;
}

void add_startup_parameter(Settings& settings, std::string_view name, std::string_view value) {
  const std::string key = values::lower_case(name);
  if (key == "user" || key == "database" || key == "replication" || key.starts_with("_pq_.")) {
    return;
  }
  if (key == "options") {
    add_options(settings, value);
    return;
  }
  settings.insert_or_assign(key, setting_as_sql(key, value));
}

}  // namespace anabranch::backends
