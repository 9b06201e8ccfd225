#pragma once

#include <exception>
#include <functional>

#include "proxy/session_state.h"
#include "proxy/statement.h"

namespace anabranch::proxy {

/// Sets the statement's text and computes its shape. Throws 54000/54001 past the bounds.
void set_text(const SessionState& state, Statement& statement, std::string_view text);

/// The statement's plan is the right one for the session as it is now.
bool plan_is_current(const SessionCore& state, const Statement& statement);

/// The statement has been prepared under the settings of now: its literals are read so, its global
/// name says so.
void read_now(const SessionState& state, Statement& statement);

/// Looks in the plan cache only: no I/O, no allocation. Null: ask make_plan(). Either may put rows back into the
/// statement's shape.
CachedPlanPtr cached_plan(SessionCore& state, Statement& statement, bool several);

/// Plans, asking a shard to describe what the planner needs, and caches the plan. Throws the
/// server's error where it rejects the statement.
net::Task<CachedPlanPtr> make_plan(SessionState& state, Statement& statement, bool several);

/// Asks a shard to describe a text.
using Describer = std::function<net::Task<rewriter::Description>(rewriter::NeedDescribe::Ask)>;
/// The same for sessions of any kind, which describe in their own way. The catalog is as new as it must be.
net::Task<CachedPlanPtr> make_plan_by(SessionCore& state, Statement& statement, bool several, Describer describe);

/// Ensures `statement.plan` is current where the cache has it: no I/O, no coroutine. False: ask
/// ensure_plan().
bool take_cached_plan(SessionState& state, Statement& statement);

/// Ensures `statement.plan` is current.
net::Task<void> ensure_plan(SessionState& state, Statement& statement);

/// Ensures that the plan's parameters and columns are known: from the planner, else by asking the
/// default shard to describe the client's own text. Answers them.
net::Task<const rewriter::Description*> ensure_description(SessionState& state, Statement& statement);

/// The plan, which is current and described, is what the client is told now. Throws 0A000 where it was told
/// other columns before.
void tell_columns(Statement& statement);

/// A shard's prepared statement had other columns: the statement is described anew (and the plan cached
/// so). Throws `failure` where these are not those that the client was told.
net::Task<void> describe_again(SessionState& state, Execution& execution, std::exception_ptr failure);

/// Plans and describes the statement that begins at `offset` of another one's text (PREPARE, DECLARE).
/// `inner` has its parameter types; errors have their positions in the whole.
net::Task<void> plan_inner_statement(SessionState& state, const Statement& outer, std::size_t offset,
                                     Statement& inner);

/// The statement's description by that shard, not kept.
net::Task<rewriter::Description> describe_on_shard(SessionState& state, std::uint32_t shard,
                                                   const Statement& statement);

/// Throws what a plan of kind refuse stands for: the server's own error where it has one
/// (Plan::prepare_only), else the refusal.
net::Task<void> throw_refusal(SessionState& state, const Statement& statement, CachedPlanPtr plan);

}  // namespace anabranch::proxy
