#pragma once

#include <map>

#include "rewriter/pieces.h"

/// The rest of a query whose tables' rows have been gathered. Internal to rewriter/.
namespace anabranch::rewriter {

/// Where a piece's rows are: a table, and its column for each of the instance's.
struct GatheredTable {
  tree::Name name;
  std::map<int, std::string> columns;
};

/// The statement with each table replaced by its gathered rows, views by their definitions. Refuses what names
/// tables in ways that cannot be followed.
tree::SelectPtr rest_of(Planning& planning, const tree::Select& select,
                        const std::map<int, GatheredTable>& gathered);

/// A view's condition: its literals are its own.
void detach_literals(tree::ExprPtr& expr);

}  // namespace anabranch::rewriter
