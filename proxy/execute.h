#pragma once

#include <functional>

#include "merge/batch.h"
#include "net/pg/lists.h"
#include "proxy/session_state.h"
#include "proxy/statement.h"

namespace anabranch::proxy {

/// Carries out one execution and appends its whole answer but ReadyForQuery. Throws what the
/// statement fails with; the transaction's state is then the caller's to settle. Suspends where the
/// client reads slowly. No coroutine itself: what is plain to see fails at once. Call count_execution()
/// when it has gone well.
net::Task<Outcome> execute(SessionState& state, Execution& execution);
/// For metrics and the log of slow statements.
void count_execution(SessionState& state, const Execution& execution);

// One function a plan kind; execute() chooses.

/// Relay: one shard's reply goes to the client as it comes.
net::Task<Outcome> run_relay(SessionState& state, Execution& execution, std::uint32_t shard);
/// Gather: rows of several shards copied into the workspace, which answers.
net::Task<Outcome> run_gather(SessionState& state, Execution& execution);
/// The same for a cursor: all rows, in `formats`, go to `take`.
net::Task<void> gather_rows(SessionState& state, Execution& execution, net::pg::Formats formats,
                            std::function<void(const merge::Batch&)> take);
/// Scatter, split INSERT and broadcast: subqueries on several shards, partials merged.
net::Task<Outcome> run_partials(SessionState& state, Execution& execution);
/// INSERT … SELECT whose rows are stored elsewhere than they are read.
net::Task<Outcome> run_feed(SessionState& state, Execution& execution);
/// Plan::alone, which begins with the answers of subqueries. Nothing: one of them has failed, which may not matter to
/// the statement; nothing is under way.
net::Task<std::optional<Outcome>> run_alone(SessionState& state, Execution& execution);
/// COPY … FROM STDIN, rows to their shards.
net::Task<Outcome> run_copy_split(SessionState& state, Execution& execution);
/// BEGIN, COMMIT, SET …
net::Task<Outcome> run_session_command(SessionState& state, Execution& execution);
/// EXPLAIN, and what the proxy answers itself.
net::Task<Outcome> run_local(SessionState& state, Execution& execution);

// Shared by them.

/// Throws 25P02 where the transaction has failed and the statement does not end it.
void check_not_failed(const SessionState& state, const rewriter::Plan& plan);

/// Takes the plan for several shards, and writes it to execution.plan.
net::Task<void> take_plan_for_several(SessionState& state, Execution& execution);
/// The shards of this execution. Takes the plan for several shards where a relay turns out to need
/// it, and writes it to execution.plan.
net::Task<router::ShardSet> find_shards(SessionState& state, Execution& execution);

/// Rows or definitions on the shards.
bool writes(const rewriter::Plan& plan);
/// What the catalog holds, also where one shard alone keeps it.
bool changes_definitions(const rewriter::Plan& plan);

/// Belongs to the implicit transaction of its string or pipeline: all but transaction control.
bool joins_transaction(const rewriter::Plan& plan);
/// DISCARD ALL.
bool discards(const rewriter::Plan& plan);

/// The settings that decide how literals are read are not those of the statement's Parse.
bool read_otherwise(const SessionState& state, const Execution& execution);

/// Some of the plan's evaluations are subqueries over several shards.
bool answers_first(const rewriter::Plan& plan);
/// Fills `execution.evaluations` (Plan::evaluations) by asking a backend; those of subqueries stay without a type.
net::Task<void> evaluate(SessionState& state, Execution& execution);
rewriter::BindRequest bind_request(SessionState& state, const Execution& execution);
/// Another plan for the same statement and values, as a part of the execution; its rows go to `taker`, which must outlive
/// it, in `formats`.
Execution part_of(const Execution& execution, std::shared_ptr<const rewriter::Plan> plan, const RowTaker& taker,
                  net::pg::FormatList formats);
/// Has every key that binding the execution's plan will want looked up. find_shards() does.
net::Task<void> look_up_keys(SessionState& state, const Execution& execution);

/// COPY from the client's side: what the next message of a COPY IN is.
struct CopyMessage {
  enum class Kind { data, done, failed } kind = Kind::data;
  std::string_view data;    ///< valid until the client's socket is read again
  std::string reason;       ///< failed
};
/// Waits for it; Flush and Sync are skipped (protocol 3, "COPY Operations"). Throws 08P01 for
/// anything else, and when the client is gone.
net::Task<CopyMessage> next_copy_message(SessionState& state);

/// The client's connection is gone: ends the session without a word.
struct ClientGone {
  std::string reason;
};

/// Lets a slow client catch up. Throws ClientGone.
net::Task<void> give_way_to_client(SessionState& state);

}  // namespace anabranch::proxy
