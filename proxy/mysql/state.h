#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/mysql/framing.h"
#include "net/socket.h"
#include "proxy/mysql/login.h"
#include "proxy/mysql/row_numbers.h"
#include "proxy/session_core.h"
#include "proxy/statement.h"

namespace anabranch::proxy::mysql {

/// The session has lost what it cannot be without: it ends without another word.
struct SessionLost {
  std::string reason;
};

/// What a MySQL client's statements share in a database with schemes. Each shard that the session has touched
/// has a connection of its own for the session's life: what a statement leaves there (temporary tables,
/// locks, user variables) is nobody else's. One loop.
struct State : SessionCore {
  State(Worker& on, Login who, const Agreement& agreement, net::Socket& socket, net::mysql::Sequence& numbers);

  net::Socket& client;
  net::mysql::Sequence& sequence;  ///< of the next packet to the client
  const net::mysql::Capabilities capabilities;

  bool autocommit = true;
  bool tables_locked = false;   ///< LOCK TABLES, which a transaction's begin would end
  std::string character_set;  ///< of the client, as the session's first connection has it
  bool limits_selects = false;  ///< sql_select_limit is set
  /// Another statement of the same command follows: the result says so.
  bool more = false;
  /// SET TRANSACTION: characteristics of the next transaction.
  std::string next_options;

  /// Where the statement before was carried out: its warnings and counts are there. Nothing: by the proxy.
  std::optional<std::uint32_t> last;
  /// It has left warnings on these, where they are several.
  std::vector<std::uint32_t> warned;
  /// What their numbers of rows mean, where these are not the client's; null: they are.
  std::shared_ptr<const RowNumbers> row_numbers;
  /// Where LAST_INSERT_ID() was set last. Nothing: it was not.
  std::optional<std::uint32_t> last_insert;
  /// Several shards have named a number, and which of these LAST_INSERT_ID() is depends on whether the newest
  /// was counted or brought along: nobody says.
  bool last_insert_unsure = false;
  /// SET insert_id: the number of the next row that a server counts, which that shard alone knows of.
  std::optional<std::uint32_t> insert_id_on;
  /// User variables that a statement has set on one shard only, and which.
  std::map<std::string, std::uint32_t, std::less<>> local_variables;
  /// A procedure was carried out there, and may have set variables that nothing has named.
  std::optional<std::uint32_t> any_variable_on;

  /// ROW_COUNT() and FOUND_ROWS() after a statement that no single server knows these of.
  struct Counts {
    std::optional<std::int64_t> changed;
    std::optional<std::uint64_t> found;
  };
  std::optional<Counts> counts;  ///< nothing: the server of `last` knows
  /// The statement before has failed with an error that no server has said.
  std::optional<values::SqlError> own_failure;

  net::Buffer& out() { return client.out(); }
  /// The shard's lease, whatever the transaction (Transaction::attach()).
  net::Task<backends::Transaction::Enlisted*> attach(std::uint32_t shard) {
    return transaction.attach(shard, target(shard), token());
  }
  /// Autocommit is off, and a shard other than the lease's has begun something.
  bool in_transaction_beside(const backends::Lease& lease) const;
  /// Where to ask for LAST_INSERT_ID(); nothing: anywhere. Throws where it is not sure.
  std::optional<std::uint32_t> find_last_insert() const;
  /// The statement before was carried out by that shard alone, whose session knows all about it.
  void note_done(std::uint32_t shard);
  /// By the proxy, or on several shards.
  void note_done(Counts known);
  /// It has failed.
  void note_failure(const values::SqlError& error);
  /// The statement has left warnings on these shards.
  void note_warned(std::vector<std::uint32_t> shards);
  void note_row_numbers(std::vector<std::uint32_t> shards, std::shared_ptr<const RowNumbers> numbers);
  /// Nothing is left of the warnings of the statement before.
  void forget_warned();
  /// The shard has named a number that it may have counted.
  void note_insert(std::uint32_t shard);
  /// It has surely set LAST_INSERT_ID().
  void know_insert(std::uint32_t shard);
  /// Flags of OK packets of the proxy's own.
  std::uint16_t status() const;
  /// What planning depends on, after these have changed; then renew_planning_key().
  void read_mode(std::string_view sql_mode, std::string_view version);
  void read_division_digits(std::string_view increment);
  /// Names of temporary tables that a statement has made and dropped there.
  void note_temporary(backends::Transaction::Enlisted& member, const rewriter::Plan& plan);
  void forget_temporary();
  /// Under which plans are kept, after any setting has changed: they tell columns as the settings have it.
  void renew_planning_key();

 private:
  bool in_transaction() const;
  bool connection_weighs() const;
  bool sends_utf8() const;
  bool has_fixed_clock() const;

  std::uint64_t temporary_serial_ = 0;  ///< of planning.temporary; 0: there are none
  bool nothing_is_null_ = false;  ///< by sql_mode: an empty string is, or joins with NULL as if that were one
  bool has_begun_beside(const backends::Lease* lease) const;
  bool reads_only() const;
};

struct PreparedStatement;
struct NamedStatement;

/// EXECUTE: what a shard is sent that carries the statement out.
struct SqlCall {
  std::string_view text;  ///< the client's own
  NamedStatement* named = nullptr;  ///< null: EXECUTE IMMEDIATE
  std::string name;
};

/// One execution of a statement.
struct Request {
  Statement* statement = nullptr;
  CachedPlanPtr plan;
  std::span<const rewriter::BoundValue> values;
  PreparedStatement* prepared = nullptr;  ///< null: of COM_QUERY
  const SqlCall* call = nullptr;          ///< by EXECUTE
  std::uint8_t cursor = 0;                ///< COM_STMT_EXECUTE's flags
};

}  // namespace anabranch::proxy::mysql
