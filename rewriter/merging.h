#pragma once

#include <optional>
#include <vector>

#include "rewriter/after_merge.h"
#include "rewriter/aggregates.h"

/// How a dialect's values are compared and computed after the merge: one table each. Internal to rewriter/.
namespace anabranch::rewriter {

/// What a shard is asked for beside a value, to compare it by.
struct KeyForm {
  tree::ExprPtr expr;
  /// Absent: as a shard describes it.
  std::optional<values::ColumnType> type;
};

/// How a value goes to the proxy and back to a shard, which has it then as it was.
struct Transport {
  tree::ExprPtr expr;  ///< what a shard is asked for
  Finish::Column column;
};

struct Merging {
  /// In which form hidden columns are asked for.
  values::Format format;
  /// Text is compared here, under collations; else by keys that shards compute.
  bool has_collations;
  /// Conditions are numbers, true where they are not zero.
  bool truth_is_number;
  /// BIT_AND, BIT_OR and BIT_XOR of no rows are numbers, else NULL.
  bool bits_of_nothing;
  /// NULL is the least of all values, else the greatest.
  bool null_is_least;
  /// LIMIT takes constants and parameters only.
  bool plain_limits;
  /// GROUP BY may name columns by their places whatever they are, and an alias in FROM may name columns.
  bool names_freely;
  /// GROUP BY without ORDER BY sorts by the groups, too.
  bool (*sorts_groups)(const Planning& planning);
  /// Called before anything is described: what columns are named and typed by.
  void (*settle)(Planning& planning, const tree::Select& select);
  /// A described column as the merge reads it.
  values::ColumnType (*type)(const Planning& planning, const ResultColumn& column);
  /// Nothing: the value itself is compared. `extreme`: as MIN and MAX compare.
  std::optional<KeyForm> (*key_form)(const Planning& planning, const ResultColumn& column, const tree::Expr& expr,
                                     bool extreme);

  /// The value with all its digits, where its text does not have them and the binary protocol needs them. Null: it
  /// has, or it is not known how to ask for them.
  tree::ExprPtr (*exact)(const ResultColumn& column, const tree::Expr& expr);

  AggregateCall (*read_aggregate)(const Planning& planning, const tree::FunctionCall& call, bool key_inside);
  /// The states of an aggregate as expressions of the subquery. `arguments` stand for the call's own
  /// (which may be columns of an inner query); `types` are theirs.
  std::vector<tree::ExprPtr> (*states)(const AggregateCall& aggregate, const std::vector<tree::ExprPtr>& arguments,
                                       const tree::ExprPtr& filter, const std::vector<values::Oid>& types);
  /// The types the states have.
  std::vector<values::Oid> (*state_types)(const AggregateCall& aggregate, const std::vector<values::Oid>& types,
                                          values::Oid result);
  /// What an aggregate is computed of after the merge (AVG(x): SUM(x) and COUNT(x)); empty: it is one of its own.
  std::vector<tree::ExprPtr> (*composed_of)(const tree::FunctionCall& call);
  merge::Expression (*after_merge)(Planning& planning, const tree::Expr& expr, const Leaf& leaf, Wanted wanted);
  /// Nothing: values of its type do not come back as they were. Null: no server is sent merged rows.
  std::optional<Transport> (*transport)(const Planning& planning, const ResultColumn& column, const tree::Expr& expr);
  /// Of an expression with aggregates that are composed: of their parts it has the same value.
  bool (*averages_are_exact)(const tree::Expr& expr);
  /// The value may have digits that its text, of which an aggregate of it would be merged, does not show.
  bool (*hides_digits)(const Planning& planning, const tree::Expr& expr);
  /// What MIN or MAX give of the column comes in another order than the one in which they compare.
  bool (*is_sorted_otherwise)(const ResultColumn& column);
};

extern const Merging postgresql_merging;
namespace mysql {
extern const Merging merging;
}

}  // namespace anabranch::rewriter
