#pragma once

#include <map>
#include <vector>

#include "rewriter/pieces.h"

/// The rest of a query whose tables' rows have been gathered. Internal to rewriter/.
namespace anabranch::rewriter {

/// Where a piece's rows are.
struct GatheredTable {
  tree::Name name;
  std::map<Ident, std::string> columns;
};

/// The statement with gathered rows in the tables' places (`gathered`: of each piece), views by their definitions.
/// Refuses what names tables in ways that cannot be followed.
tree::SelectPtr rest_of(Planning& planning, const tree::Select& select, const Pieces& pieces,
                        const std::vector<GatheredTable>& gathered);

}  // namespace anabranch::rewriter
