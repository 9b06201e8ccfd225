#pragma once

#include "proxy/session_state.h"

namespace anabranch::proxy {

/// Commits what a statement or pipeline without BEGIN did, if it opened a transaction; gives the
/// leases back; reads the catalog again after DDL. Throws what the commit failed with.
net::Task<void> end_statement_transaction(SessionState& state);

/// The common case of end_statement_transaction, without a coroutine. False: there is more to do.
bool end_at_once(SessionState& state);

/// COMMIT of an explicit transaction. Answers its tag.
net::Task<std::string> commit_transaction(SessionState& state);

/// ROLLBACK of any transaction; never throws for what the shards say.
net::Task<void> roll_back_transaction(SessionState& state);

// What is the same for clients of every protocol.

/// COMMIT on the transaction's shards; one over several does not straddle a moment at which the database stands
/// still. Answers the tag. Throws what Transaction::commit() does.
net::Task<std::string> commit_on_shards(SessionCore& state);

/// Once the transaction is over: what it has defined is read, and becomes everybody's.
net::Task<void> publish_definitions(SessionCore& state);

}  // namespace anabranch::proxy
