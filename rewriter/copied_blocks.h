#pragma once

#include <functional>
#include <set>
#include <vector>

#include "rewriter/planning.h"

/// A statement beside its copy, of which only the first has been resolved. Internal to rewriter/.
namespace anabranch::rewriter {

using CopiedBlock = std::function<void(const tree::Select& original, tree::Select& copy, const Block& block)>;

/// Visits each block with its copy, those inside of it first; subqueries in `left_out` are not. Refuses what stands
/// where it cannot be followed.
void each_copied_block(const Query& query, const tree::Select& original, tree::Select& copy, const Block& block,
                       const std::set<const tree::Select*>& left_out, const CopiedBlock& visit);

/// Visits the block's items of FROM, joins' sides too, with their copies.
void each_copied_item(const tree::Select& original, tree::Select& copy,
                      const std::function<void(const tree::FromItem& original, tree::FromPtr& copy)>& visit);

}  // namespace anabranch::rewriter
