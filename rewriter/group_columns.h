#pragma once

#include "rewriter/group_parts.h"

/// The columns that the shards are asked for. Internal to scatter_groups.
namespace anabranch::rewriter {

/// Each shard's states of the aggregates with their groups and DISTINCT sets: the subquery, and how
/// its columns are merged.
class GroupColumns : public GroupParts {
 public:
  using GroupParts::GroupParts;

 protected:
  /// Numbers of merged columns until the number of groups is known.
  static constexpr int kAggregateBase = 1'000'000;

  struct Input {
    tree::ExprPtr expr;
    values::ColumnType type;
    int output = -1;
    bool grouped = false;
  };

  /// `x` with its FILTER: one set of values.
  struct DistinctSet {
    const tree::Expr* arg = nullptr;
    const tree::Expr* filter = nullptr;
    int row = -1;
    int input = -1;
  };

  void choose_distinct_sets();
  /// Whether all else may be computed for each group and value of the one set: not what is DISTINCT
  /// of a key, and not constants of a group that is there without any row.
  bool splits_by_set() const;
  /// Refuses to calculate with values of which only keys are at hand.
  void check_counted(const DistinctSet& set) const;
  int find_set(const tree::Expr& arg, const tree::Expr* filter, int row);
  /// Rows that the filter rejects have no value, which DISTINCT aggregates pass over.
  tree::ExprPtr set_expr(const DistinctSet& set) const;
  int add_input(tree::ExprPtr expr, values::ColumnType type, int output, bool grouped);
  tree::ExprPtr of_group(tree::ExprPtr key, const tree::Expr& group) const;
  void ensure_base(Group& group, int output);
  /// The group's column as the client wants it.
  int group_output(int index, int output);
  /// The group's column in a form that can be compared and calculated with.
  int group_internal(int index);
  /// What the group is compared by: of its own type, or of that of its key.
  const values::ColumnType& group_type(int index) const;
  /// The aggregate's value in a form that can be compared.
  values::ColumnType comparable_type(int index) const;
  std::vector<values::Oid> argument_types(const Aggregate& aggregate) const;
  static bool passes_on(merge::AggregateKind kind);
  void check_bits_of_nothing(merge::AggregateKind kind) const;
  int add_merged(merge::Aggregate merged);
  int aggregate_internal(int index);
  int aggregate_output(int index, int output);
  void check_printable(const values::ColumnType& type, const tree::Expr* expr);
  int add_distinct(const Aggregate& aggregate, int index);
  int add_states(const Aggregate& aggregate, int index, int output);
  int add_any(const Constant& constant, int output);
  int constant_internal(const tree::Expr& expr);
  /// What a constant is compared by.
  std::pair<int, values::ColumnType> comparable_constant(const Constant& constant);

  /// The subquery; after it nothing may be added.
  tree::SelectPtr make_subquery();
  tree::SelectPtr plain_subquery();
  std::string name_of(const Input& input) const;
  void add_group_item(tree::Select& subquery, int input, tree::ExprPtr expr) const;
  /// Several DISTINCT sets: an inner query names the groups, the sets and the arguments; the outer
  /// one groups it by (g), (g, x1), (g, x2) …, and says by GROUPING() which is which.
  tree::SelectPtr derived_subquery();
  template <class Column>
  tree::GroupItem grouping_sets(const Column& column, const std::vector<tree::ExprPtr>& sets) const;
  /// A state over columns of the inner query: its arguments and filter are computed there.
  template <class Column>
  tree::ExprPtr outer_state(tree::ExprPtr state, const Column& column,
                            std::vector<tree::ExprPtr>& kept) const;
  template <class Column>
  void replace_arguments(tree::ExprPtr& expr, const Column& column,
                         std::vector<tree::ExprPtr>& kept) const;

  std::vector<DistinctSet> sets_;
  bool derived_ = false;
  int discriminator_ = -1;
  std::vector<Input> inputs_;
  std::vector<merge::HashAggregate::GroupColumn> groups_;
  std::vector<merge::Aggregate> aggregates_;
};

}  // namespace anabranch::rewriter
