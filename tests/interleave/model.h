#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// What a session should see. Knows PostgreSQL's rules of transactions and settings, and no proxy.
namespace interleave {

using Values = std::map<std::string, std::string>;

/// A cursor over `rows` numbered rows; its position does not follow savepoints.
struct Cursor {
  std::string token;
  int rows = 0;
  int read = 0;
};

/// A temporary table with one column of a name of its own.
struct TempTable {
  std::string column;
  std::vector<std::string> rows;
  bool drops_on_commit = false;
};

/// All that a transaction, or a savepoint, can take back.
struct State {
  Values settings;  ///< as SHOW has them
  Values locals;    ///< SET LOCAL, over `settings` until the transaction ends
  std::map<std::int64_t, std::string> rows;  ///< of the session's own, by id
  std::map<std::string, std::shared_ptr<Cursor>> cursors;
  std::map<std::string, TempTable> temporary;
  std::set<std::string> listening;
  std::vector<std::string> notices;  ///< notifications that go out with the transaction
};

struct Prepared {
  enum class Kind { token, note, count, setting, place, sum, write };
  Kind kind = Kind::token;
  std::string token;
};

class Model {
 public:
  enum class Transaction { none, open, failed };

  /// `base`: what RESET goes back to.
  void connect(Values base);

  std::string shown(const std::string& setting) const;
  void set(const std::string& setting, const std::string& shown, bool local);
  void reset(const std::string& setting);
  /// All but the role, as in PostgreSQL.
  void reset_all();
  void discard_all();

  Transaction transaction() const { return transaction_; }
  /// Rows are written on this shard only, in a transaction.
  int home = 0;
  void begin();
  /// True: it has committed. False: it had failed.
  bool commit();
  void rollback();
  void fail();
  void savepoint(const std::string& name);
  bool has_savepoint(const std::string& name) const;
  void rollback_to(const std::string& name);
  void release(const std::string& name);
  const std::vector<std::pair<std::string, State>>& savepoints() const { return savepoints_; }
  /// What a statement or pipeline that failed outside a transaction takes back.
  State snapshot() const { return now; }
  void restore(State before) { now = std::move(before); }

  State now;
  std::map<std::string, Prepared> protocol_statements;
  std::map<std::string, std::string> sql_statements;  ///< name → token
  std::map<std::int64_t, int> session_locks;          ///< key → times
  std::optional<std::int64_t> last_number;            ///< of nextval

 private:
  void end();

  Values base_;
  Transaction transaction_ = Transaction::none;
  State before_;
  std::vector<std::pair<std::string, State>> savepoints_;
};

}  // namespace interleave
