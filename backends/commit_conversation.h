#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/pg/messages.h"

namespace anabranch::backends {

/// How a shard answered a command of the conversation.
struct CommandAnswer {
  enum class Kind : std::uint8_t {
    done,
    refused,  // an ErrorResponse (or a COMMIT answered by ROLLBACK): it surely did not happen
    lost,     // the connection ended: nobody knows
  };
  Kind kind = Kind::done;
  net::pg::ErrorFields error;  // refused
  std::string reason;          // lost
};

/// Ends a transaction on its shards, without I/O. One writer: COMMIT there first, so that its locks
/// and those of the readers last until it is decided; then COMMIT on the readers, whose failures
/// cost only their connections. Several writers (a single statement, docs/transactions.md):
/// deferred constraints are checked everywhere first (`SET CONSTRAINTS ALL IMMEDIATE`), so that
/// what can still refuse does so before anything is committed (MySQL has no such constraints); then COMMIT
/// on all at once. No writer:
/// a reader that fails fails the transaction (40001 of a SERIALIZABLE one). Readers whose COMMIT runs
/// a cursor WITH HOLD to its end come before all writers, as this may fail.
class CommitConversation {
 public:
  struct Member {
    std::uint32_t shard = 0;
    std::string name;
    bool wrote = false;
    bool holds = false;  ///< declared a cursor WITH HOLD
  };
  explicit CommitConversation(std::vector<Member> members, bool deferred_constraints = true);

  struct Action {
    std::size_t member = 0;
    std::string_view sql;
  };
  /// What to send now, to all of these at once; empty: it is over.
  const std::vector<Action>& actions() const { return actions_; }
  /// The answer to one of the actions; when all are there the next actions stand ready.
  void answer(std::size_t member, CommandAnswer answer);
  bool done() const { return actions_.empty(); }

  /// After it is over: how it failed.
  struct Failure {
    /// Nothing was committed: this member refused (`error` is the client's) or, before any COMMIT
    /// was sent, was lost (`reason`).
    std::optional<std::size_t> refused_by;
    net::pg::ErrorFields error;
    std::string reason;
    /// Otherwise the outcome is unknown: 08007 with these on its two sides.
    std::vector<std::string> committed;
    std::vector<std::string> uncertain;
  };
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  enum class Phase : std::uint8_t { check, commit_holders, commit_writers, commit_readers, roll_back, over };
  void enter(Phase phase);
  void advance();
  std::optional<std::size_t> first_failed() const;
  void fail_before_commit();
  void decide();
  std::size_t writers() const;

  std::vector<Member> members_;
  std::vector<std::optional<CommandAnswer>> answers_;  // of this phase
  std::vector<bool> lost_;
  std::vector<bool> asked_to_commit_;
  std::vector<Action> actions_;
  std::size_t missing_ = 0;
  Phase phase_ = Phase::check;
  std::optional<Failure> failure_;
};

}  // namespace anabranch::backends
