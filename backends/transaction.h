#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/commit_conversation.h"
#include "backends/exchange.h"

namespace anabranch::backends {

enum class TransactionState : std::uint8_t {
  none,
  implicit,   // of one statement or pipeline: ends at its Sync
  explicit_,  // BEGIN … COMMIT
  failed,     // explicit, and a statement failed: only ROLLBACK [TO] goes on
};
std::string_view to_string(TransactionState state);

/// Commits whose outcome is not known everywhere (08007), for metrics.
std::atomic<std::uint64_t>& unknown_commits();

/// A client's transaction over the shards. It owns the leases of the shards it has touched; a shard
/// is enlisted when first touched. Session's loop only.
class Transaction {
 public:
  /// `wanted` follows the transaction (MySQL's settings follow none); both must outlive it. `kind`: of all
  /// its servers.
  Transaction(Holder& holder, SettingsStack& wanted, conf::Kind kind = conf::Kind::postgres)
      : holder_(holder), wanted_(wanted), kind_(kind) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  TransactionState state() const { return state_; }
  /// For the client's ReadyForQuery: 'I', 'T' or 'E'.
  char status() const;

  // --- what the client says ---

  /// BEGIN. `options` as text ("ISOLATION LEVEL SERIALIZABLE READ ONLY").
  void begin(std::string options);
  /// MySQL with autocommit off: servers begin it themselves, with the first statement that needs it.
  void begin_unspoken();
  /// A statement over several shards, or a pipeline, outside an explicit transaction.
  /// `unspoken`: MySQL, where autocommit is off for it.
  void begin_implicit(bool unspoken = false);
  /// The same, where each shard shall answer several questions as of one moment (PostgreSQL); false where there is a
  /// transaction already, or the session wants a level that has one shard only.
  bool begin_one_moment();
  bool is_of_one_moment() const { return one_moment_; }  ///< begin_one_moment() has begun it
  /// A statement failed: an explicit transaction is `failed` from now on.
  void fail();
  /// On all enlisted shards. 3B001 (MySQL: 1305) where there is no such savepoint. ROLLBACK TO ends `failed`.
  net::Task<void> savepoint(std::string name, net::CancelToken token = {});
  net::Task<void> rollback_to(std::string name, net::CancelToken token = {});
  net::Task<void> release_savepoint(std::string name, net::CancelToken token = {});
  /// SET TRANSACTION before any shard is enlisted: becomes part of BEGIN's options.
  void add_option(std::string_view option);
  const std::string& options() const { return options_; }

  // --- shards ---

  struct Enlisted {
    std::uint32_t shard = 0;
    Lease lease;
    bool wrote = false;
    bool holds = false;  // a cursor WITH HOLD was declared there: its COMMIT runs this to its end
    bool began = false;  // BEGIN has been sent there
    /// There is something of the session's on this very server session (a temporary table, LISTEN …):
    /// the lease outlasts the transaction.
    bool kept = false;
    /// A statement may have left something there, and nobody has looked since: the lease stays after
    /// the transaction's end until this is settled, and is closed where it never is.
    bool unsettled = false;
    bool untracked = false;  // what it left cannot be looked for: kept for good
    /// MySQL: what the next statement may ask for is there (warnings, LAST_INSERT_ID()): the lease outlasts the
    /// transaction until that is settled.
    bool lingers = false;
  };
  Enlisted* find(std::uint32_t shard);
  std::vector<std::unique_ptr<Enlisted>>& enlisted() { return enlisted_; }
  const std::vector<std::unique_ptr<Enlisted>>& enlisted() const { return enlisted_; }
  /// The first that this transaction has touched; null: none. Leases that a session keeps from
  /// before are enlisted too, but not begun.
  Enlisted* first_begun();
  /// A lease was lost that was kept for what its server session held (MySQL: any that was kept): this is gone
  /// for good.
  bool lost_kept() const { return lost_kept_; }

  /// The shard's lease; taken from `target` if this is its first touch. Inside a transaction BEGIN
  /// with its options, the savepoints and the session's settings are then queued ahead of what the
  /// caller appends next (their replies are swallowed by ReplyStream); MySQL's servers have answered them, as
  /// they would carry out what follows a failed one. Enlist all shards of a
  /// statement in shard order. Throws: what acquire() does; 0A000 for a second shard under
  /// REPEATABLE READ or SERIALIZABLE.
  net::Task<Enlisted*> enlist(std::uint32_t shard, ShardTarget target, net::CancelToken token = {});
  /// The shard's lease with the session's settings on it, and no more: the shard is not made part of the
  /// transaction. Throws what acquire() does.
  net::Task<Enlisted*> attach(std::uint32_t shard, ShardTarget target, net::CancelToken token = {});
  /// REPEATABLE READ and READ ONLY, and no query has been sent: snapshots of all shards may be taken.
  bool wants_snapshots() const {
    return snapshots_ == Snapshots::wanted || snapshots_ == Snapshots::taking;
  }
  /// All shards may be enlisted now. Throws 40001 when this has begun before, and failed.
  void begin_snapshots();
  /// They are of one moment: the transaction may read from all shards.
  void snapshots_taken() { snapshots_ = Snapshots::taken; }
  bool has_snapshots() const { return snapshots_ == Snapshots::taken; }
  /// The same where nothing must be waited for (an idle connection is at hand, its context can be
  /// pipelined); null: call enlist(). No coroutine: for the hot path.
  Enlisted* try_enlist(std::uint32_t shard, const ShardTarget& target);
  /// The shard's part of the transaction has failed, and held nothing but what failed: it is begun anew.
  /// Throws 08006 where the connection is lost.
  net::Task<void> reopen(Enlisted& member);
  /// transactions.two_phase: off. Explicit transactions, too, may write to several shards.
  void allow_several_writers(bool allow) { several_writers_ = allow; }
  /// Call for an enlisted shard before a write goes out. Throws SqlError 0A000 (second_writer) for
  /// a second writing shard inside an explicit transaction that may not and holds no schema change;
  /// an implicit one may write to several.
  void mark_written(std::uint32_t shard);
  /// A schema change goes out in this transaction: from now on it may write to several shards, until
  /// it ends or is rolled back to a savepoint before this.
  void hold_schema_change() { schema_change_ = true; }

  /// How many shards it has written to.
  std::size_t writers() const;

  // --- its end ---

  /// COMMIT. Answers the tag ("COMMIT", or "ROLLBACK" of a failed transaction). Throws ServerError
  /// (nothing was committed) or SqlError 08007 naming the shards on both sides (also logged and
  /// counted). Leases go home.
  net::Task<std::string> commit(net::CancelToken token = {});
  /// ROLLBACK on all; never throws. Leases that do not answer are closed.
  net::Task<void> rollback(net::CancelToken token = {});
  /// After a statement outside any transaction: the leases go home, but for those that are kept
  /// (with session pooling, all); what is unclean or unsettled is closed. Nothing happens inside a
  /// transaction.
  void give_back();
  /// Gives all leases back without a word, when the client is gone: what is unclean is cancelled
  /// and closed.
  void drop();
  /// pool.mode session: leases are kept until drop().
  void keep_leases(bool keep) { keeps_leases_ = keep; }

 private:
  struct Savepoint {
    std::string name;
    std::vector<std::uint32_t> written;
    bool schema_change = false;
  };
  std::size_t find_savepoint(std::string_view name) const;
  bool mysql() const { return kind_ == conf::Kind::mysql; }
  [[noreturn]] void throw_no_savepoint(std::string_view name) const;
  std::string opening_sql(const Lease& lease) const;
  net::Task<void> open_and_wait(Enlisted& member, net::CancelToken token);
  void open_on(Enlisted& member);
  Enlisted* add(std::uint32_t shard, Lease lease);
  bool prepare(Enlisted& member);
  void check_isolation(std::string_view shard_name) const;
  std::string isolation() const;
  void look_at_options();
  static std::exception_ptr failure_of(const CommitConversation::Failure& failure,
                                       const std::vector<Enlisted*>& members);
  net::Task<void> command_all(std::string sql, net::CancelToken token);
  net::Task<void> command_into(Enlisted& member, std::string sql, CommandAnswer& answer,
                               net::CancelToken token);
  void over(bool committed);
  bool stays(const Enlisted& member) const;
  void close(Enlisted& member);

  Holder& holder_;
  SettingsStack& wanted_;
  const conf::Kind kind_;
  bool unspoken_ = false;
  bool one_moment_ = false;
  TransactionState state_ = TransactionState::none;
  bool keeps_leases_ = false;
  bool schema_change_ = false;
  bool several_writers_ = false;
  enum class Snapshots : std::uint8_t { none, wanted, taking, taken };
  Snapshots snapshots_ = Snapshots::none;
  bool lost_kept_ = false;
  std::string options_;
  std::vector<Savepoint> savepoints_;
  std::vector<std::unique_ptr<Enlisted>> enlisted_;  // in shard order
};

}  // namespace anabranch::backends
