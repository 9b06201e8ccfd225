#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rewriter/facts.h"
#include "rewriter/functions.h"
#include "rewriter/query.h"

/// Where the rows of each part of a statement lie, and whether a part may be carried out shard by
/// shard: then the answer's rows are the shards' rows together, each exactly once.
namespace anabranch::rewriter {

struct Distribution {
  enum class Kind {
    none,       ///< reads no table: the same anywhere
    reference,  ///< reads reference tables only: the same on every shard
    local,      ///< rows of the anchor's shard only
    whole,      ///< an unsharded table, on `shard`
    sharded,    ///< each row on exactly one shard
    split_up    ///< cannot be carried out shard by shard: `reason`
  };
  Kind kind = Kind::none;
  int shard = -1;
  int table = -1;                 ///< sharded: one of its tables (index in the map)
  std::vector<KeyTuple> keys;     ///< never NULL-extended: they complete groupings
  std::vector<KeyTuple> anchors;  ///< keys, and those that may be NULL-extended
  bool mixed = false;             ///< UNION ALL of tables that are placed differently
  std::string reason;
  std::string hint;
  std::string clause;  ///< split_up: which one cannot; empty: the statement as such
  /// none and reference: why two shards with the same rows could still answer differently
  /// (a LIMIT without a total order …); empty: they could not.
  std::string unstable;

  bool same_everywhere() const { return kind == Kind::none || kind == Kind::reference; }
  /// A part of a join that does not tell shards apart.
  bool neutral() const { return same_everywhere() || kind == Kind::local; }
  static Distribution refuse(std::string reason, std::string hint = {}, std::string clause = {});
};

/// Two neutral parts together.
Distribution merge_neutral(Distribution left, const Distribution& right);

/// One evaluation of a sharded (or whole) table instance, with what is known of its rows.
struct Visit {
  int instance = -1;
  Facts facts;
};

class Analysis {
 public:
  Analysis(const Query& query, const FunctionContext& functions)
      : query_(query), functions_(functions) {}

  struct Rows {
    Distribution distribution;
    Facts facts;
  };
  /// FROM, WHERE and the subqueries of all clauses; what the block then does with these rows is the
  /// caller's.
  Rows rows_of(const Block& block, Facts facts);
  /// The block as a whole, from outside: `keys` are columns of `as_instance`.
  Distribution of(const Block& block, const Facts& outer, int as_instance);
  /// The whole statement's set operation: its LIMIT is applied after merging.
  Distribution of_top(const Block& block, int as_instance);
  /// UPDATE … FROM and DELETE … USING: the target joined with the rest.
  Rows rows_of_write(const Block& block);

  /// Every visit of a base table so far: the conditions under which a relay is one shard's.
  const std::vector<Visit>& visits() const { return visits_; }

  /// Whether these columns contain a whole key of the rows, by identity.
  static bool completes(const Rows& rows, const std::vector<Ident>& columns);
  /// Why a window function cannot be computed shard by shard; absent: it can, or there is none.
  std::optional<std::string> incomplete_window(const Block& block, const Rows& rows) const;

 private:
  using From = Distribution;
  From from_list(const Block& block, const std::vector<tree::FromPtr>& items, const Facts& facts,
                 From so_far);
  From from_item(const Block& block, const tree::FromItem& item, const Facts& facts,
                 const std::vector<KeyTuple>& siblings);
  From join(const Block& block, const tree::Join& join, const Facts& facts,
            const std::vector<KeyTuple>& siblings);
  From instance_rows(int instance, const Facts& facts, const std::vector<KeyTuple>& siblings);
  From table_rows(int instance, const Facts& facts);
  From derived_rows(int instance, const Facts& facts, const std::vector<KeyTuple>& siblings);
  static From beside(From left, const From& right);
  From inner_join(From left, From right, const Facts& facts) const;
  From left_join(From left, From right, const Facts& on) const;
  From full_join(const Block& block, const tree::Join& join, From left, From right,
                 const Facts& on) const;
  From sharded_pair(From left, From right, const Facts& facts, bool keep_right) const;
  void item_facts(const Block& block, const tree::FromItem& item, Facts& facts) const;
  void null_safe_facts(const tree::Join& join, Facts& facts) const;
  void join_facts(const Block& block, const tree::Join& join, Facts& facts) const;
  bool anchored(const KeyTuple& key, const Facts& facts) const;
  bool comparable_outputs(const Block& left, const Block& right, const KeyTuple& key) const;
  void pass_through(const Block& block, int as_instance, Facts& facts) const;

  Distribution plain(const Block& block, const Facts& outer, int as_instance);
  Distribution set_operation(const Block& block, const Facts& outer, int as_instance);
  void check_subqueries(const Block& block, Rows& rows);
  void check_expression(const Block& block, const tree::Expr& expr, Rows& rows, bool filter);
  void check_subquery(const Block& block, const tree::Select& select, const tree::Expr& expr,
                      Rows& rows, bool filter);
  bool membership(const tree::Expr& expr, const Block& inner, const Distribution& members,
                  const Rows& rows, bool filter) const;
  bool not_null(Ident ident) const;
  std::string order_dependent(const Block& block) const;
  void visit_writes(const Block& block);

  const Query& query_;
  FunctionContext functions_;
  std::vector<Visit> visits_;
  int steps_ = 0;
  const Block* top_ = nullptr;  ///< the set operation of of_top()
};

// ------------------------------------------------------------------------- what clauses contain

bool contains_aggregate(const tree::Expr& expr, const FunctionContext& functions);
bool contains_window(const tree::Expr& expr);
/// Grouped, or with an aggregate in its targets, HAVING or ORDER BY.
bool is_aggregated(const tree::Select& select, const FunctionContext& functions);
bool has_windows(const tree::Select& select);
/// LIMIT or OFFSET that is not plainly nothing.
bool has_limit(const tree::Select& select);
/// The columns named by the expressions, by identity; other expressions are left out.
std::vector<Ident> idents_of(const Block& block, const std::vector<const tree::Expr*>& exprs);
/// What an item of GROUP BY, DISTINCT ON or ORDER BY means: for an ordinal or an output's name,
/// that output. `output` is then its index, `expr` null if a star stands for it.
struct Meaning {
  const tree::Expr* expr = nullptr;
  int output = -1;
  Ident ident;
};
/// Reading an ordinal pins it (`pins` may be null: then the statement's shape is not at stake).
Meaning meaning_of(const Block& block, const tree::Expr& expr, tree::PinSet& pins);
/// The plain expressions of GROUP BY; absent where there are grouping sets.
std::optional<std::vector<Meaning>> group_items(const Block& block, tree::PinSet& pins);

}  // namespace anabranch::rewriter
