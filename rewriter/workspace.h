#pragma once

#include "rewriter/pieces.h"
#include "rewriter/scatter.h"

/// Gather: what cannot be split is answered by the database itself. Internal to rewriter/.
namespace anabranch::rewriter {

/// Rows of the tables go to the workspace, less what conditions and the select list leave out; there the
/// statement runs with these in the tables' places. Refuses what would then mean something else.
Outcome gather_tables(Scatter& scatter);
namespace mysql {
Outcome gather_tables(Scatter& scatter);
}

// What the dialects share.

/// Refuses what would mean something else in the workspace.
void check_gathered(const Scatter& scatter);
/// Where the piece's rows are.
void place_piece(const Planning& planning, const Piece& piece, Gather::Piece& made);
/// The statement's text, with holes for its values.
SqlTemplate template_of(Planning& planning, tree::Statement& statement);
/// The plan of these; what describes the answer is the caller's.
std::shared_ptr<Plan> gather_plan(Scatter& scatter, Gather gather);

}  // namespace anabranch::rewriter
