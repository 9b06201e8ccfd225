#pragma once

#include "proxy/session_state.h"

/// What statements leave in a server's session beside their rows: settings, which go with the client
/// to any connection, and what cannot (temporary relations, LISTEN, holdable cursors, session advisory
/// locks, SQL-level prepared statements), for which the session keeps that very connection.
namespace anabranch::proxy {

/// Before a statement runs there: what must be looked for afterwards (Plan::residue).
void expect_residue(backends::Transaction::Enlisted& member, const rewriter::Plan& plan);
/// The same of the settings that the statement's text names in set_config().
void expect_settings(SessionState& state, backends::Transaction::Enlisted& member, std::string_view text);

/// Asks the servers where something is expected: settings become the session's, names of temporary
/// relations part of its planning, and a lease is kept while something is there. Call after a
/// statement, and again when its transaction has ended: only then is it known for good (LISTEN, ON
/// COMMIT DROP, a rollback). Costs nothing where nothing is expected.
net::Task<void> settle_residue(SessionState& state);

/// DISCARD ALL on the connections that are kept.
net::Task<void> discard_kept(SessionState& state);

/// A statement has failed: what still runs on leases that are kept is cancelled and read to its end,
/// so that they can be kept on.
net::Task<void> calm_kept(SessionState& state);

/// Notifications that have come on kept connections go to the client; call between messages.
void forward_notifications(SessionState& state, std::int32_t process);

}  // namespace anabranch::proxy
