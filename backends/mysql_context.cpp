#include "backends/mysql_context.h"

#include <algorithm>

namespace anabranch::backends {

namespace {

/// Of what SET NAMES and SET CHARACTER SET change.
bool of_character_sets(std::string_view name) {
  return name == mysql_names || name == mysql_character_set || name.starts_with("character_set_") ||
         name.starts_with("collation_");
}

bool stands_for_several(std::string_view name) { return name == mysql_names || name == mysql_character_set; }

bool of_transactions(std::string_view name) { return name == mysql_isolation || name == mysql_access; }

/// What may follow SET in a list.
std::string assignment(std::string_view name, std::string_view value) {
  std::string text;
  if (name == mysql_names) return text.append("NAMES ").append(value);
  if (name == mysql_character_set) return text.append("CHARACTER SET ").append(value);
  if (!name.starts_with('@')) text = "SESSION ";
  return text.append(name).append(" = ").append(value);
}

class ListWriter {
 public:
  void add(const std::string& text) {
    list_ += list_.empty() ? "SET " : ", ";
    list_ += text;
  }
  void take_into(std::vector<std::string>& statements) {
    if (!list_.empty()) statements.push_back(std::move(list_));
  }

 private:
  std::string list_;
};

}  // namespace

std::vector<std::string> mysql_context_change(const std::shared_ptr<const Settings>& applied,
                                              const std::shared_ptr<const Settings>& wanted) {
  std::vector<std::string> statements;
  if (applied == wanted || *applied == *wanted) return statements;
  const auto differs = [&](std::string_view name, const std::string& value) {
    const auto had = applied->find(name);
    return had == applied->end() || had->second != value;
  };
  ListWriter list;
  bool sets_names = false;
  for (const auto& [name, value] : *wanted) {
    if (!stands_for_several(name) || !differs(name, value)) continue;
    list.add(assignment(name, value));
    sets_names = true;
  }
  for (const auto& [name, value] : *applied) {
    if (wanted->contains(name) || stands_for_several(name)) continue;
    if (sets_names && of_character_sets(name)) continue;
    if (of_transactions(name)) continue;
    list.add(assignment(name, name.starts_with('@') ? "NULL" : "DEFAULT"));
  }
  for (const auto& [name, value] : *wanted) {
    if (stands_for_several(name) || of_transactions(name)) continue;
    if (differs(name, value) || (sets_names && of_character_sets(name))) list.add(assignment(name, value));
  }
  list.take_into(statements);
  for (const auto& [name, value] : *wanted) {
    if (of_transactions(name) && differs(name, value)) statements.push_back("SET SESSION TRANSACTION " + value);
  }
  return statements;
}

bool can_take_back_mysql(const Settings& applied, const Settings& wanted) {
  return std::ranges::all_of(applied, [&](const auto& setting) {
    return !stands_for_several(setting.first) || wanted.contains(setting.first);
  });
}

std::string mysql_reading_key(const Settings& settings) {
  std::string key;
  for (const auto& [name, value] : settings) {
    if (name == "sql_mode" || of_character_sets(name)) key.append(name).append("=").append(value).append("\n");
  }
  return key;
}

void put_mysql_setting(SettingsStack& settings, std::string_view name, std::string value) {
  Settings changed = *settings.current();
  if (stands_for_several(name)) {
    std::erase_if(changed, [](const auto& setting) { return of_character_sets(setting.first); });
  }
  changed.insert_or_assign(std::string(name), std::move(value));
  settings.replace(std::make_shared<const Settings>(std::move(changed)));
}

}  // namespace anabranch::backends
