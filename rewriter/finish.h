#pragma once

#include <vector>

#include "rewriter/merging.h"
#include "rewriter/scatter.h"

/// What cannot be computed here is computed by a shard, of rows that it is sent. Internal to rewriter/.
namespace anabranch::rewriter {

/// The rows as a relation of the statement that a shard carries out. Its columns have the types of the expressions
/// that they are the values of, as these stand in the first arm of its UNION.
class SentRows {
 public:
  /// The column of these values. `expr` as the first arm has it.
  int add(tree::ExprPtr expr, Finish::Column column);
  /// A column that is only shown: bytes.
  int add_shown();
  static tree::ExprPtr column(int index);
  std::size_t size() const { return columns_.size(); }

  /// Behind the statement's columns: an output of few digits, with all of them. `expr`: the output's own.
  static void add_exact(Planning& planning, tree::Select& statement, int output, const tree::Expr& expr);

  /// `statement` over the rows, for the plan. `arm`: what the expressions mean something in.
  void finish(Planning& planning, tree::SelectPtr statement, tree::SelectPtr arm);

 private:
  std::vector<tree::Target> targets_;
  std::vector<Finish::Column> columns_;
};

/// Whether the statement has nothing whose text would have to be changed and cannot be.
bool can_be_sent(const Scatter& scatter);

/// As scatter_groups(), with all that comes after the aggregates computed by a shard.
Outcome finish_groups(Scatter& scatter);

/// The columns that a statement names, each once; none: it cannot be gathered.
std::vector<const tree::Expr*> gathered_columns(const Scatter& scatter);
/// Gather: the rows themselves are sent to one shard, which aggregates them.
Outcome gather(Scatter& scatter);
/// Nothing: it is refused, too, or this is no dialect for it.
std::optional<Outcome> try_to(Outcome (*planner)(Scatter&), Scatter& scatter);

}  // namespace anabranch::rewriter
