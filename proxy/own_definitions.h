#pragma once

#include "proxy/session_state.h"

namespace anabranch::proxy {

/// Within a transaction that has changed definitions: reads the catalog through its own leases, and
/// plans by it from now on. The state has a version of its own, so that no other session's plans are
/// found for it. Throws what a shard of the transaction fails with.
net::Task<void> see_own_definitions(SessionState& state);

}  // namespace anabranch::proxy
