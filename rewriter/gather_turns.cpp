#include "rewriter/gather_turns.h"

#include <algorithm>

namespace anabranch::rewriter {
namespace {

/// Moving a row costs what moving so many bytes does.
constexpr double kRowBytes = 32;
/// Of moving and cost together: below this there is nothing to gain.
constexpr double kMuch = 10'000;
/// How much more it must be than the keys: for the time that waiting takes.
constexpr double kTimes = 4;
constexpr int kMostTurns = 3;

bool is_useful(const Gather::Restriction& restriction, const std::vector<PieceEstimate>& estimates) {
  const PieceEstimate& source = estimates[static_cast<std::size_t>(restriction.source)];
  const PieceEstimate& piece = estimates[static_cast<std::size_t>(restriction.piece)];
  const double effort = piece.rows * (1 + piece.width / kRowBytes) + piece.cost;
  return source.rows <= static_cast<double>(most_keys) && source.rows < piece.rows && effort >= kMuch &&
         effort >= kTimes * source.rows;
}

std::string quoted(const std::string& array) {
  std::string out = array.contains('\\') ? "E'" : "'";
  for (const char c : array) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + "'";
}

}  // namespace

std::vector<int> turns_of(const Gather& gather, const std::vector<PieceEstimate>& estimates) {
  std::vector<int> turns(gather.pieces.size(), 0);
  // Sources have fewer rows than what they restrict: this ends.
  for (int round = 1; round < kMostTurns; ++round) {
    for (const Gather::Restriction& restriction : gather.restrictions) {
      const auto source = static_cast<std::size_t>(restriction.source);
      const bool leaves_out = gather.pieces[source].filtered || turns[source] > 0;
      if (!leaves_out || !is_useful(restriction, estimates)) continue;
      int& turn = turns[static_cast<std::size_t>(restriction.piece)];
      turn = std::max(turn, std::min(turns[source] + 1, kMostTurns - 1));
    }
  }
  return turns;
}

std::vector<ShardQuery> queries_of_turn(const Gather& gather, const BoundPlan& bound, const std::vector<int>& turns,
                                        int turn, const std::vector<KeySet>& keys) {
  std::vector<std::string> conditions(gather.pieces.size());
  for (const KeySet& set : keys) {
    const Gather::Restriction& restriction = gather.restrictions[set.restriction];
    const auto piece = static_cast<std::size_t>(restriction.piece);
    std::string& condition = conditions[piece];
    condition += condition.empty() && !gather.pieces[piece].filtered ? " WHERE " : " AND ";
    condition += restriction.column + " = ANY (" + quoted(set.keys) + "::" + restriction.type + "[])";
  }
  std::vector<ShardQuery> queries;
  for (const BoundPlan::PieceQuery& query : bound.pieces) {
    const auto piece = static_cast<std::size_t>(query.piece);
    if (turns[piece] != turn) continue;
    if (queries.empty() || queries.back().shard != query.shard) queries.push_back({query.shard, {}});
    std::string& sql = queries.back().sql;
    if (!sql.empty()) sql += " UNION ALL ";
    sql += query.sql + conditions[piece];
  }
  return queries;
}

}  // namespace anabranch::rewriter
