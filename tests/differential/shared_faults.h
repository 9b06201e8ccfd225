#pragma once

#include <string>
#include <vector>

#include "fault.h"

namespace anabranch::differential {

// Over tables that both dialects' schemas have.
inline const std::string by_status = "SELECT status, count(*) AS n FROM orders GROUP BY status";
inline const std::string all_orders = "SELECT user_id, order_no, status FROM orders";
inline const std::string in_order = "SELECT user_id, order_no FROM orders ORDER BY user_id, order_no";

/// Groups of faults that are the same in the answers of either kind of server.
std::vector<std::vector<Fault>> shared_faults();

}  // namespace anabranch::differential
