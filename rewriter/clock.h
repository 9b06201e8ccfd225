#pragma once

#include <string_view>

#include "rewriter/plan.h"
#include "rewriter/planner.h"
#include "rewriter/planning.h"

/// Strings that a server reads by its clock: 'now', 'today' and their like as dates and times. Two
/// servers would read two of them.
namespace anabranch::rewriter {

/// The statement's string literals that may be read as a date or time.
std::vector<int> clock_literals(const Planning& planning);

/// Refuses an execution whose literals or parameters say `now` to more than one shard.
void check_clock(const BindRequest& request, const BoundPlan& bound);

/// Whether a date or time written so depends on when it is read.
bool says_now(std::string_view text);

}  // namespace anabranch::rewriter
