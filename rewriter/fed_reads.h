#pragma once

#include <set>
#include <string>
#include <vector>

#include "rewriter/planning.h"

/// What a write reads on other shards than it writes to. Internal to rewriter/.
namespace anabranch::rewriter {

/// A subquery, with all its rows; or one use of a table, a view or a CTE. One of the two is set.
struct FedRead {
  int block = -1;     ///< index in Query::blocks
  int instance = -1;  ///< index in Query::instances
};

/// As few of them as will do: with their rows at hand each of the target's shards can carry out the statement for its own.
/// Tables, of which each shard reads its own rows as it does so; else subqueries whole, where nothing outside decides
/// about their rows and shards could answer them differently (LIMIT). Empty: that does not help.
/// Marks them in the query (Block::fed, Instance::fed).
std::vector<FedRead> choose_fed_reads(Planning& planning);

/// The block, and all inside of it but what its CTEs hold.
std::vector<const Block*> blocks_within(const Query& query, const Block& block);
/// The CTEs that are read inside, and stand in a WITH around the block.
std::set<std::string> outer_ctes(const Query& query, const Block& block);
/// What is around the block decides about its rows.
bool is_correlated(const Query& query, const Block& block);

}  // namespace anabranch::rewriter
