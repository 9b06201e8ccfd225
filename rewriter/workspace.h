#pragma once

#include "rewriter/scatter.h"

/// Gather: what cannot be split is answered by the database itself. Internal to rewriter/.
namespace anabranch::rewriter {

/// Rows of the tables go to the workspace, less what conditions and the select list leave out; there the
/// statement runs with these in the tables' places. Refuses what would then mean something else.
Outcome gather_tables(Scatter& scatter);

}  // namespace anabranch::rewriter
