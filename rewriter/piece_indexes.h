#pragma once

#include "rewriter/rest.h"

/// Indexes that make the rest of a gathered query quick. Internal to rewriter/.
namespace anabranch::rewriter {

/// CREATE INDEX statements: of the columns by which subqueries that yield values are correlated, as the server asks
/// these row by row.
std::vector<std::string> indexes_of(const Planning& planning, const Pieces& pieces,
                                    const std::vector<GatheredTable>& gathered);

}  // namespace anabranch::rewriter
