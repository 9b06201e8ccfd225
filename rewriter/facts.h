#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rewriter/plan.h"
#include "rewriter/query.h"

/// What is known of the rows at one place of a statement: the conditions that every row which
/// counts there satisfies, and the columns that are therefore equal and not NULL.
namespace anabranch::rewriter {

/// The columns that place a row: of one instance of a sharded table, or of what stands for it. For
/// a table placed by an expression: the columns that the expression reads.
struct KeyTuple {
  int table = -1;  ///< index in ShardMap::tables()
  std::vector<Ident> columns;
};

struct Facts {
  std::vector<const tree::Expr*> conditions;  ///< each is true of every row that counts
  std::vector<std::pair<Ident, Ident>> equalities;
  std::vector<KeyTuple> anchors;  ///< keys of the shard on which this is evaluated
  bool null_extended = false;  ///< rows here may be replaced by NULLs above: IS NULL says nothing

  /// All columns equal to this one, itself included.
  std::set<Ident> equal_to(Ident ident) const;
  bool equal(Ident a, Ident b) const { return a == b || equal_to(a).contains(b); }
};

/// Everything that reading a statement's values needs.
struct ValueContext {
  const Query* query = nullptr;
  tree::PinSet* pins = nullptr;
  /// Types of $1…: as described, or else as declared (0: unknown).
  std::vector<values::Oid> parameters;
  std::vector<int> parameter_uses;  ///< how often each stands in the statement
  std::size_t answers = 0;          ///< so many of the last ones are evaluations of the plan, in order from its first
  /// Set when a parameter's type must be known before its value may choose a shard.
  mutable bool needs_description = false;
};

/// Where a parameter's value comes from.
ValueRef value_of(const tree::Param& param, const ValueContext& context);

/// A constant whose value bind() can read exactly; absent for all else. `column_type`: what it is
/// compared with or stored in.
std::optional<KeyOperand> key_operand(const tree::Expr& expr, values::Oid column_type,
                                      const ValueContext& context);

/// The type of a base table's column; 0: unknown.
values::Oid type_of(const Query& query, Ident ident);
/// Two columns whose `=` is the types' own, and for which equal values are placed alike.
bool comparable_keys(values::Oid left, values::Oid right);

/// An operator written without a schema, between these types, is the built-in one: no user's operator
/// can be meant along the search path.
bool is_builtin_operator(const Query& query, std::string_view name, values::Oid left,
                         values::Oid right);

/// `a = b` means that both hold one value, wherever it is placed: of comparable types, and not
/// under a collation that equates different strings.
bool same_value(const Query& query, Ident a, Ident b);

/// Adds a condition's conjuncts, and the equalities among them. `equalities_only`: of a view, whose
/// literals are not the statement's.
void add_condition(Facts& facts, const tree::Expr* condition, const Query& query,
                   bool equalities_only = false);

/// The columns that place this table's rows; empty for a random scheme.
KeyTuple key_of(const Query& query, int instance);
/// Equal under the facts, column by column, and placed by the same rule.
bool same_place(const Query& query, const Facts& facts, const KeyTuple& left,
                const KeyTuple& right);

/// What the facts say about the shards where the rows of one sharded instance lie.
KeyCondition key_condition(const Query& query, const Facts& facts, int instance,
                           const ValueContext& context);

}  // namespace anabranch::rewriter
