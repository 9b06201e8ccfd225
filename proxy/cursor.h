#pragma once

#include "proxy/session_state.h"
#include "proxy/statement.h"
#include "rewriter/plan.h"

/// SQL-level cursors. Over one shard they are the server's own; over several they are the proxy's portals.
namespace anabranch::proxy {

/// DECLARE, FETCH, MOVE and CLOSE.
inline bool concerns_cursor(const rewriter::Plan& plan) {
  using enum rewriter::SessionAction;
  return plan.session && (plan.session->action == declare || plan.session->action == fetch ||
                          plan.session->action == close_cursor);
}

/// Carries one of them out.
net::Task<Outcome> run_cursor_command(SessionState& state, Execution& execution);
/// What Describe answers of one of them, at this moment.
net::Task<rewriter::Description> describe_cursor_command(SessionState& state, Statement& statement);

/// A cursor WITH HOLD, whose transaction goes on.
bool wants_hold(const Portal& portal);
/// Before the commit: the rows of several shards are read to their end. Throws what a shard says, or 53200.
net::Task<void> prepare_hold(SessionState& state, Portal& portal);
/// After it: the cursor has outlived its transaction.
void hold(Portal& portal);

/// Closes what the portal of that name has open on shards, where its transaction goes on.
void close_on_shards(SessionState& state, std::string_view name, Portal& portal) noexcept;

}  // namespace anabranch::proxy
