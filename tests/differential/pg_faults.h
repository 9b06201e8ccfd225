#pragma once

#include <vector>

#include "fault.h"

namespace anabranch::differential {

/// Groups of faults in PostgreSQL's answers, over the tables of schema.sql.
std::vector<std::vector<Fault>> pg_faults();

}  // namespace anabranch::differential
