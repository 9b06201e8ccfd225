#pragma once

#include "rewriter/pieces.h"

/// Which tables of a block each shard joins for itself. Internal to rewriter/.
namespace anabranch::rewriter {

/// Pieces of the tables that stand in the block's FROM and inner joins, with their filters. Tables are joined only
/// where that is proved (Analysis), and where it makes no more rows than the largest of them has; none, where the
/// workspace joins them.
std::vector<Piece> join_pieces(const Planning& planning, const Block& block, Rest rest);

/// Of the piece's columns alone, and of functions that are the same on every shard.
bool is_own(const Planning& planning, const tree::Expr& condition, const Piece& piece);

}  // namespace anabranch::rewriter
