#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anabranch::backends {

/// Session settings: lower-case name → value as SQL text, ready to follow `SET name TO `. The role
/// is the setting `role`. A value must be whole (DateStyle: as ParameterStatus reports it).
using Settings = std::map<std::string, std::string, std::less<>>;

/// Settings that follow transactions: what is set inside one that rolls back, or after a savepoint
/// that is rolled back to, is undone. Both sides of a session have one: what the client wants, and
/// what a connection has. SET LOCAL is not recorded: it ends with its transaction.
/// Copies of current() are cheap and never change.
class SettingsStack {
 public:
  SettingsStack() : base_(std::make_shared<const Settings>()), current_(base_) {}
  /// `startup`: what RESET goes back to (the client's startup parameters).
  explicit SettingsStack(std::shared_ptr<const Settings> startup)
      : base_(std::move(startup)), current_(base_) {}

  const std::shared_ptr<const Settings>& current() const { return current_; }
  const std::string* find(std::string_view name) const;

  void set(std::string_view name, std::string value);
  void reset(std::string_view name);  // back to the startup value, or to none
  void reset_all();  // but for the role and the session's user, as in the server
  void discard_all() { current_ = base_; }
  void replace(std::shared_ptr<const Settings> settings) { current_ = std::move(settings); }

  void begin();
  void commit() { levels_.clear(); }
  void rollback();
  /// No-ops outside a transaction. Of several savepoints of one name the youngest is meant.
  void savepoint(std::string_view name);
  void rollback_to(std::string_view name);
  void release(std::string_view name);
  bool in_transaction() const { return !levels_.empty(); }

 private:
  struct Level {
    std::string savepoint;  // empty: the transaction itself
    std::shared_ptr<const Settings> before;
  };
  std::size_t find_level(std::string_view name) const;

  std::shared_ptr<const Settings> base_;
  std::shared_ptr<const Settings> current_;
  std::vector<Level> levels_;
};

/// Makes equal startup settings one object: comparing contexts then compares two pointers. One loop.
class SharedSettings {
 public:
  std::shared_ptr<const Settings> share(Settings settings);

 private:
  std::vector<std::weak_ptr<const Settings>> known_;
};

/// What brings a connection from one context to another.
struct ContextChange {
  std::string sql;  // `RESET x; SET y TO …`; empty: nothing to do
  /// Every setting in it is one that a server of the same version always accepts, so that a query
  /// may be sent right behind it. Otherwise (role, search for files, extensions) its answer must be
  /// awaited: a query that ran in the wrong context would be silently wrong.
  bool pipeline = true;
};

/// How long a change lasts: its transaction's end takes back what is `local`.
enum class Reach : std::uint8_t { session, local };

/// The minimal change; fast when both are the same object or equal.
ContextChange context_change(const std::shared_ptr<const Settings>& applied,
                             const std::shared_ptr<const Settings>& wanted, Reach reach = Reach::session);

/// The settings that decide how a server reads the literals of a statement when it parses it, in one
/// canonical string. Two sessions may share a prepared statement only where it is equal.
std::string reading_key(const Settings& settings);
/// `settings`, but with literals read as under `earlier`.
Settings read_as_under(const Settings& earlier, Settings settings);

/// A value as a SQL string literal, right under any standard_conforming_strings.
std::string quote_literal(std::string_view value);
/// Always quoted.
std::string quote_identifier(std::string_view name);

/// The text of a setting's value: a literal without its quotes, a word as it is.
std::string literal_value(std::string_view sql);

/// The words of the startup parameter `options`, as the server splits it: at white space; a backslash
/// takes the next character as it is.
std::vector<std::string> split_options(std::string_view options);

/// A setting's own text (as SHOW gives it, or a startup parameter) as SQL text: what may follow
/// `SET name TO `.
std::string setting_as_sql(std::string_view name, std::string_view value);

/// A client's startup parameter as a wanted setting; names that are no settings (user, database,
/// replication, options, _pq_.*) answer nothing. `options` (`-c name=value …`) is parsed apart.
void add_startup_parameter(Settings& settings, std::string_view name, std::string_view value);

}  // namespace anabranch::backends
