#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rewriter/plan.h"

/// In which order a gather's pieces come: small ones first where their keys leave out rows of large ones.
namespace anabranch::rewriter {

/// What a piece is expected to be, on all shards together.
struct PieceEstimate {
  double rows = 0;
  double width = 0;  ///< bytes of a row
  double cost = 0;   ///< the server's own units: a page read is 1
};
/// The turn of each piece, from 0.
std::vector<int> turns_of(const Gather& gather, const std::vector<PieceEstimate>& estimates);

/// The values that one column of a piece may have.
struct KeySet {
  std::size_t restriction = 0;  ///< of Gather::restrictions
  std::string keys;             ///< an array's text, in its type's order
  bool operator==(const KeySet&) const = default;
};

/// Each shard's query of one turn.
std::vector<ShardQuery> queries_of_turn(const Gather& gather, const BoundPlan& bound, const std::vector<int>& turns,
                                        int turn, const std::vector<KeySet>& keys);

/// With more keys than this, or longer ones together, a piece restricts no other.
inline constexpr std::uint64_t most_keys = 200'000;
inline constexpr std::uint64_t most_key_bytes = 4 << 20;

}  // namespace anabranch::rewriter
