#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy/mysql/relay.h"
#include "proxy/mysql/state.h"

/// How MySQL's statements begin and end transactions.
namespace anabranch::proxy::mysql {

/// Ends the transaction before it, as DDL and the like do.
bool commits_implicitly(const rewriter::Plan& plan);

/// Whether open_transaction() has something to do.
inline bool must_open(const State& state) {
  return !state.autocommit || state.transaction.state() != backends::TransactionState::none;
}
/// Call before a statement's first shard: commits what it ends; with autocommit off, begins a transaction.
net::Task<void> open_transaction(State& state, const rewriter::Plan& plan);

/// The shard's lease for the plan's statement, part of the transaction. Throws what Transaction::enlist() and
/// mark_written() do.
net::Task<backends::Transaction::Enlisted*> enlist(State& state, const rewriter::Plan& plan, std::uint32_t shard);

/// The same of a shard that nothing is written on yet.
net::Task<backends::Transaction::Enlisted*> enlist_unwritten(State& state, std::uint32_t shard);

/// Call within a transaction, when a shard has answered: the transaction may have ended there, and then ends everywhere.
net::Task<void> settle(State& state, backends::Transaction::Enlisted& member, const ReplyEnd& end);

/// A statement has failed on these shards: whether a server has rolled back more than the statement, so that the
/// transaction must end everywhere.
net::Task<bool> has_rolled_back(std::span<backends::Transaction::Enlisted* const> members);

/// The savepoint of a statement over several shards: one that fails in an explicit transaction is undone, and nothing
/// before it.
inline constexpr std::string_view statement_guard = "`anabranch statement`";

/// COMMIT and ROLLBACK of whatever is under way. What the transaction has defined becomes everybody's.
net::Task<void> commit(State& state);
net::Task<void> roll_back(State& state);

}  // namespace anabranch::proxy::mysql
