#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/loop.h"
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

/// LAST_INSERT_ID(). Connections are at 0 when they are lent: what a shard counts there is known to be the session's.
struct LastInsert {
  /// Whose connection may know a newer number than `number`. Nothing: none does.
  std::optional<std::uint32_t> shard;
  std::uint64_t number = 0;
  bool lost = false;  ///< with the connection that knew it
};

/// What a MySQL client's statements share in a database with schemes. One loop.
struct State : SessionCore {
  State(Worker& on, Login who, const Agreement& agreement, net::Socket& socket, net::mysql::Sequence& numbers);

  net::Socket& client;
  net::mysql::Sequence& sequence;  ///< of the next packet to the client
  const net::mysql::Capabilities capabilities;

  bool autocommit = true;
  bool tables_locked = false;   ///< LOCK TABLES, which a transaction's begin would end
  std::string character_set;  ///< of the client, as the session's first connection has it
  /// The server's bound (max_allowed_packet): commands are shorter.
  std::size_t packet_bound = net::mysql::max_packet_bytes;
  bool limits_selects = false;  ///< sql_select_limit is set
  /// Another statement of the same command follows: the result says so.
  bool more = false;
  /// A server has closed its connection behind an error that says so: the client's session ends with it.
  bool closed_by_server = false;
  /// SET TRANSACTION: characteristics of the next transaction.
  std::string next_options;

  /// Whose session knows the warnings of the statement before. Nothing: the proxy does.
  std::optional<std::uint32_t> last;
  /// It has left warnings on these, where they are several.
  std::vector<std::uint32_t> warned;
  /// What their numbers of rows mean, where these are not the client's; null: they are.
  std::shared_ptr<const RowNumbers> row_numbers;
  /// The workspace's connection, whose session alone knows the warnings of the statement before (run_gather.h). Its
  /// tables are still there: it is closed when nobody can ask any more.
  std::optional<backends::Lease> aside;
  LastInsert last_insert;
  /// SET insert_id: the number of the next row that a server counts, which that shard alone knows of.
  std::optional<std::uint32_t> insert_id_on;
  /// Whose servers were told these for this statement: one that fails need not have begun a transaction.
  std::vector<std::uint32_t> options_on;
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
  /// The shard whose connection knew what the statement before has left, until somebody else needed it.
  std::optional<std::uint32_t> lost_on;
  /// Shards on which cursors are open, each as often as there are some.
  std::vector<std::uint32_t> cursors;
  std::unique_ptr<net::Timer> linger_timer;  ///< rest.h's
  /// The statement before has failed with an error that no server has said.
  std::optional<values::SqlError> own_failure;

  net::Buffer& out() { return client.out(); }
  /// The shard's lease, whatever the transaction (Transaction::attach()).
  net::Task<backends::Transaction::Enlisted*> attach(std::uint32_t shard) {
    return transaction.attach(shard, target(shard), token());
  }
  /// The client is in a transaction that the lease's server has not begun.
  bool in_transaction_beyond(const backends::Lease& lease) const;
  /// The statement before was carried out by that shard alone, whose session knows all about it.
  void note_done(std::uint32_t shard);
  /// By the proxy, or on several shards.
  void note_done(Counts known);
  /// It has changed nothing and found nothing, and left what was known of the one before it.
  void note_quiet() { counts = Counts{0, found_before()}; }
  /// That shard's session alone knows of its warnings, or of its error.
  void note_diagnostics(std::uint32_t shard);
  void forget_diagnostics();
  /// It has failed.
  void note_failure(const values::SqlError& error);
  /// FOUND_ROWS() of what was before a statement that finds none; nothing: it is not known.
  std::optional<std::uint64_t> found_before() const { return counts ? counts->found : std::nullopt; }
  /// Whether connections go home at all. `auto_is_null`: what a server answers may depend on LAST_INSERT_ID() though
  /// nothing in the statement says so.
  void choose_pooling(bool auto_is_null);
  /// The shard's connection is not to go home with its transaction.
  void linger(std::uint32_t shard);
  /// The statement has left warnings on these shards.
  void note_warned(std::vector<std::uint32_t> shards);
  void note_row_numbers(std::vector<std::uint32_t> shards, std::shared_ptr<const RowNumbers> numbers);
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
