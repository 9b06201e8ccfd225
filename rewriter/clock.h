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
/// The statement's parameters of such types.
std::vector<int> clock_parameters(const Planning& planning);

/// Refuses an execution whose literals or parameters say `now` to more than one shard.
void check_clock(const BindRequest& request, const BoundPlan& bound);

/// Whether values of the type are dates or times, or may have some inside.
bool is_clock_type(const router::Catalog& catalog, values::Oid type);

/// Whether a date or time written so depends on when it is read.
bool says_now(std::string_view text);
/// A quick look: false only where says_now() is, whatever field of `text` it is asked of. Not for
/// text with quotes or escapes.
bool may_say_now(std::string_view text);

}  // namespace anabranch::rewriter
