#pragma once

#include <string>
#include <vector>

#include "backends/health.h"
#include "backends/pool.h"
#include "proxy/snapshot.h"

namespace anabranch::proxy {

/// The page for people at `/` of the HTTP port.
std::string render_status_page(const Snapshot& snapshot,
                               const std::vector<backends::PoolRegistry::Row>& pools,
                               const std::vector<backends::ShardHealth>& health,
                               std::size_t clients);

}  // namespace anabranch::proxy
