#pragma once

#include "backends/pool.h"

namespace anabranch::backends {

/// Asks the server to cancel what runs on the lease, by a connection of its own (TLS as the lease's
/// own connection was asked to use). Returns at once; the session goes on reading and sees the
/// server's 57014, or the whole answer if the cancel came too late. Does nothing where no answer is
/// pending or a cancel is already under way. The lease may be released at any time: its connection
/// serves nobody else before the cancel connection has ended *and* its own ReadyForQuery has come.
/// Loop thread of the lease only.
void request_cancel(Lease& lease);

/// Waits until no cancel of the lease is under way, for a holder that goes on using the connection: its
/// answer may be complete before the server has taken the cancel in, which would hit what is sent next.
net::Task<void> cancels_ended(Lease& lease);

}  // namespace anabranch::backends
