#pragma once

#include "rewriter/merging.h"
#include "rewriter/scatter.h"

/// What a grouped query asks for. Internal to scatter_groups.
namespace anabranch::rewriter {

/// Its groups, aggregates and constants, each once; and their types.
class GroupParts {
 public:
  explicit GroupParts(Scatter& scatter)
      : scatter_(scatter), planning_(scatter.planning), select_(scatter.select) {}

 protected:
  struct Group {
    const tree::Expr* expr = nullptr;
    int row = -1;       ///< index in row_exprs_
    int base = -1;      ///< input column that is compared
    int internal = -1;  ///< entry of groups_ whose value can be compared
    bool base_passed = false;
  };

  struct Aggregate {
    AggregateCall call;
    std::vector<int> rows;  ///< its arguments in row_exprs_
    int distinct_set = -1;
    int internal = -1;  ///< in aggregates_
  };

  /// Constant in a group, computed by the shards: any row's will do.
  struct Constant {
    const tree::Expr* expr = nullptr;
    int row = -1;
    int internal = -1;
  };

  int width() const { return static_cast<int>(planning_.plan->result->size()); }
  const ResultColumn& result(int i) const;
  void collect();
  void add_group(const Meaning& item);
  int add_row(const tree::Expr& expr);
  int find_group(const tree::Expr& expr) const;
  int find_aggregate_call(const tree::Expr& expr) const;
  bool is_aggregate(const tree::Expr& expr) const;
  void collect(const tree::Expr& expr);
  void add_aggregate(const tree::Expr& expr);
  /// A literal alone needs no shard, but one that stands in the targets is sent with the rows.
  void add_constant(const tree::Expr& expr);
  const Constant* find_constant(const tree::Expr& expr) const;
  tree::SelectPtr rows_only() const;
  std::vector<tree::SelectPtr> make_probes() const;
  tree::SelectPtr columns_probe(const std::vector<const tree::Expr*>& columns) const;
  void read_types();
  const values::ColumnType& row_type(int row) const;
  const ResultColumn& row_column(int row) const;
  void check_sorted_extreme(const tree::SortKey& key) const;
  /// What an expression means that is an output's name (within HAVING and ORDER BY); else itself.
  const tree::Expr& behind_name(const tree::Expr& expr) const;
  /// The expression has aggregates, also behind names of outputs.
  bool is_merged(const tree::Expr& expr) const;
  const Merging& merging() const { return *planning_.language().merging; }

  Scatter& scatter_;
  Planning& planning_;
  const tree::Select& select_;

  std::vector<Group> groups_of_;
  std::vector<const tree::Expr*> aggregate_exprs_;
  std::vector<Aggregate> aggregates_of_;
  std::vector<Constant> constants_;
  std::vector<const tree::Expr*> row_exprs_;
  std::vector<tree::ExprPtr> composed_;  ///< aggregates of which the statement's own are computed
  std::vector<ResultColumn> aggregate_columns_;
  std::vector<values::ColumnType> aggregate_types_;
  std::vector<ResultColumn> row_columns_;
  std::vector<values::ColumnType> row_types_;
};

}  // namespace anabranch::rewriter
