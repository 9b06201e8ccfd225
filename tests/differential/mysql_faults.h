#pragma once

#include <vector>

#include "fault.h"

namespace anabranch::differential {

/// Groups of faults in MySQL's answers, over the tables of mysql/schema.sql.
std::vector<std::vector<Fault>> mysql_faults();

}  // namespace anabranch::differential
