#pragma once

#include <cstddef>
#include <optional>

#include "rewriter/planner.h"
#include "router/prune.h"

/// Conditions on keys of several columns, such as `a = 1 AND b IN ('x', 'y')`. A leaf speaks of one column: it has an
/// operand for each column of the key, `absent` but for that one's. Pure.
namespace anabranch::rewriter {

/// The leaf, which has one operand, as one of column `part` of a key of `parts` columns.
KeyCondition of_part(KeyCondition leaf, std::size_t part, std::size_t parts);

/// Whether each of the `parts` columns is fixed to some values wherever the condition is true: one that is not leaves
/// all shards.
bool limits_every_part(const KeyCondition& condition, std::size_t parts);

/// The whole keys that satisfy it, or `anything` where they are too many to name. Absent: it speaks of other tables,
/// or of shards.
std::optional<router::KeyPredicate> composite_predicate(const KeyCondition& condition, int table,
                                                        const BindRequest& request);

}  // namespace anabranch::rewriter
