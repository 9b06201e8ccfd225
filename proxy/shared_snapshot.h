#pragma once

#include <string>
#include <string_view>

#include "net/task.h"

namespace anabranch::proxy {

struct SessionState;

/// pg_export_snapshot() over several shards: exports the moment that this transaction reads at, as one
/// name that any session of the database may import, through any proxy, until the transaction ends.
/// Throws 0A000 for a transaction that has no moment (it is not REPEATABLE READ, READ ONLY).
net::Task<std::string> export_snapshots(SessionState& state);

/// SET TRANSACTION SNAPSHOT over several shards: this transaction reads at the exported moment.
/// Throws 0A000 for a transaction that may not or no longer do so, 22023 for what is no such name, and
/// what the shards fail with.
net::Task<void> import_snapshots(SessionState& state, std::string_view name);

}  // namespace anabranch::proxy
