#pragma once

#include <map>
#include <set>
#include <vector>

#include "rewriter/planning.h"

/// What a query needs of each base table that it reads, wherever that stands. Internal to rewriter/.
namespace anabranch::rewriter {

/// The rows of one use of a table.
struct Piece {
  int instance = -1;
  const tree::TableRef* table = nullptr;
  std::set<int> columns;  ///< of the instance, that the query names
  /// Conditions that every row which counts satisfies: of its own columns alone, and of what is the same on
  /// every shard.
  std::vector<const tree::Expr*> filters;
  bool in_view = false;  ///< the literals of its filters are not the statement's
};

/// By instance. Refuses tables whose rows cannot be taken out of their place: TABLESAMPLE, whole rows as
/// values, system columns, relations of which the columns are not known.
std::map<int, Piece> pieces_of(const Planning& planning);

}  // namespace anabranch::rewriter
