#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "rewriter/scatter.h"

/// Aggregates and the states they are split into (design: "Splitting aggregates").
namespace anabranch::rewriter {

struct AggregateRule {
  std::string_view name;
  merge::AggregateKind kind;
  int arguments;
  bool ignores_distinct = false;  ///< min, max, bool_and …: DISTINCT changes nothing
};
/// VAR_POP and its kin.
bool is_spread(merge::AggregateKind kind);
bool is_bitwise(merge::AggregateKind kind);
/// Null: not one that splits.
const AggregateRule* find_aggregate(std::string_view name);

/// One call of the statement.
struct AggregateCall {
  const tree::FunctionCall* call = nullptr;
  const AggregateRule* rule = nullptr;
  bool distinct = false;  ///< needs the set of its arguments over all shards
};

/// The call as one that splits; refuses, naming it, otherwise. `key_inside`: DISTINCT of a key is
/// distinct on each shard already.
AggregateCall read_aggregate(const Planning& planning, const tree::FunctionCall& call,
                             bool key_inside);

/// The states of an aggregate as expressions of the subquery. `arguments` stand for the call's own
/// (which may be columns of an inner query); `types` are theirs.
std::vector<tree::ExprPtr> states_of(const AggregateCall& aggregate,
                                     const std::vector<tree::ExprPtr>& arguments,
                                     const tree::ExprPtr& filter,
                                     const std::vector<values::Oid>& types);
/// The types the states have.
std::vector<values::Oid> state_types(const AggregateCall& aggregate,
                                     const std::vector<values::Oid>& types, values::Oid result);
/// Of a DISTINCT aggregate whose sets do not meet on two shards.
merge::AggregateKind plain_kind(merge::AggregateKind kind);

}  // namespace anabranch::rewriter
