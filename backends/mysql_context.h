#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/context.h"

/// Settings of MySQL sessions. They follow no transaction. Names: `@x`, a user variable; `names` and
/// `character set`, which stand for several variables; `isolation` and `access`, the session's standard for its
/// transactions; everything else a session variable. Values are SQL text as it stands in SET.
namespace anabranch::backends {

inline constexpr std::string_view mysql_names = "names";
inline constexpr std::string_view mysql_character_set = "character set";
inline constexpr std::string_view mysql_isolation = "isolation";
inline constexpr std::string_view mysql_access = "access";

/// Statements that bring a connection from one context to another, in order; none where nothing differs. SET
/// NAMES is not taken back: where another session has set it, apply_context() resets the connection.
std::vector<std::string> mysql_context_change(const std::shared_ptr<const Settings>& applied,
                                              const std::shared_ptr<const Settings>& wanted);

/// Whether these statements bring it all the way: nothing else was set that stands for several variables.
bool can_take_back_mysql(const Settings& applied, const Settings& wanted);

/// What decides how a server reads a statement when it is prepared (sql_mode, character sets and collations), as
/// one text.
std::string mysql_reading_key(const Settings& settings);

/// Puts one setting: those that it covers (SET NAMES, of the variables of character sets) go.
void put_mysql_setting(SettingsStack& settings, std::string_view name, std::string value);

}  // namespace anabranch::backends
