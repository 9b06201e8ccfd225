#pragma once

#include "backends/pool.h"

/// One connector for each kind of server; outside this room: real_connector() of pool.h.
namespace anabranch::backends {

Connector postgres_connector();
Connector mysql_connector();

}  // namespace anabranch::backends
