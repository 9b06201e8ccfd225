#pragma once

#include "rewriter/rest.h"

/// Which pieces' keys leave out rows of others. Internal to rewriter/.
namespace anabranch::rewriter {

/// A row that counts of one piece has a partner in another: by the equalities of joins, of correlated subqueries, and of
/// IN. (Semi-join reduction: Bernstein and Chiu, 1981.)
std::vector<Gather::Restriction> restrictions_of(const Planning& planning, const Pieces& pieces,
                                                 const std::vector<GatheredTable>& gathered);

}  // namespace anabranch::rewriter
