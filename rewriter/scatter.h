#pragma once

#include "rewriter/column_types.h"

/// Scatter: the same question to several shards. Internal to rewriter/.
namespace anabranch::rewriter {

struct Scatter {
  Planning& planning;
  const tree::Select& select;
  const Block& block;
  Analysis& analysis;
  Analysis::Rows rows;
  Placement placement;
};

/// The rows of the shards together are the answer: sorted, made distinct and limited after that.
/// `distinct`: duplicates on different shards must still be removed.
Outcome scatter_rows(Scatter& scatter, bool distinct);
/// Groups and aggregates are split into states and merged.
Outcome scatter_groups(Scatter& scatter);

/// It is whole on one shard, and not on the default one, which cannot describe a statement over it.
bool is_elsewhere(const Query& query, const Instance& instance);
/// The first such table that is read; null: there is none.
const router::MappedTable* table_elsewhere(const Query& query);
/// Refuses such statements.
void check_whole_tables(const Scatter& scatter);

/// Refuses MySQL's INTO of a file: variables can be set by whoever has the rows.
void check_into(const tree::Select& select);

/// LIMIT and OFFSET as slots of the plan; -1: absent.
struct LimitSlots {
  int count = -1;
  int offset = -1;
  int pushed = -1;  ///< limit + offset, for the subquery
};
LimitSlots add_limit_slots(Planning& planning, const tree::Select& select, bool push_down);

/// An ordering as the merge has it; refuses USING of operators that are not known.
merge::SortKey sort_key(const Planning& planning, const tree::SortKey& key, int column,
                        values::Collation collation);

struct OrderKey {
  const tree::Expr* expr = nullptr;  ///< the statement's own: what is known of subqueries goes by where they are
  tree::SortKey how;                 ///< without its expression
};
/// ORDER BY, or the one that GROUP BY stands for.
std::vector<OrderKey> order_of(const Scatter& scatter);

/// Fills in what all scatters share, and the subquery.
Outcome finish_scatter(Scatter& scatter, tree::SelectPtr subquery, merge::Recipe recipe,
                       std::string reason);

/// The statement's original, and these, described; in that order.
NeedDescribe ask_with(const Planning& planning, std::vector<tree::SelectPtr> probes);
bool probed(const Planning& planning, std::size_t probes);

}  // namespace anabranch::rewriter
