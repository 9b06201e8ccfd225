#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rewriter/tree.h"
#include "router/catalog.h"
#include "router/shard_map.h"

/// A statement with its names resolved: which relation and column every name means. Reasoning is
/// by these identities, never by name text.
namespace anabranch::rewriter {

struct PlanningContext;
struct Language;

/// A column of one relation instance. Special columns are negative.
struct Ident {
  int instance = -1;  ///< index in Query::instances
  int column = -1;
  auto operator<=>(const Ident&) const = default;
  bool known() const { return instance >= 0 && column >= 0; }
};
inline constexpr int kWholeRow = -1;
inline constexpr int kShardNumber = -2;
inline constexpr int kShardName = -3;
inline constexpr int kSystemColumn = -4;
inline constexpr int kUnknownColumn = -5;  ///< of a relation whose columns we do not know
/// In tree::ResolvedColumn::relation: the name is an output column's (`column` its index).
inline constexpr int kOutputName = -2;

struct Block;

/// One use of a relation in one FROM list.
struct Instance {
  enum class Kind {
    table,     ///< a base table, or an unknown relation (relation null)
    derived,   ///< subquery, CTE or view: `block`
    function,  ///< a function, or anything else in FROM whose rows come from no table
    merged,    ///< the columns that a FULL JOIN USING makes of two
    recursive  ///< a recursive CTE's reference to itself
  };
  Kind kind = Kind::table;
  std::string name;  ///< as the statement calls it
  const router::Relation* relation = nullptr;
  int table = -1;  ///< index in ShardMap::tables(); -1: not in the map
  const Block* block = nullptr;
  std::string cte;  ///< derived: the CTE it refers to
  bool lateral = false;
  bool open = false;  ///< its columns are not all known
  bool fed = false;   ///< each shard has all its rows while the statement runs
  std::vector<std::string> columns;
  std::vector<std::pair<Ident, Ident>> merged;
  std::vector<const tree::Expr*> calls;  ///< function: what it evaluates
};

struct OutputColumn {
  std::string name;
  Ident ident;                       ///< known where the output is just a column
  const tree::Expr* expr = nullptr;  ///< null for a column that a star stands for
};

/// One SELECT (or arm of a set operation), or a writing statement's FROM and WHERE.
struct Block {
  const tree::Select* select = nullptr;  ///< null: of a DML statement
  const tree::Update* update = nullptr;
  const tree::Delete* remove = nullptr;
  const tree::Insert* insert = nullptr;
  Block* parent = nullptr;
  int level = 0;
  Block* left = nullptr;
  Block* right = nullptr;
  std::vector<OutputColumn> outputs;
  bool outputs_known = true;
  std::vector<int> instances;                        ///< of this block's FROM
  std::map<const tree::FromItem*, int> of_item;      ///< FROM item → instance
  std::map<const tree::Select*, Block*> subqueries;  ///< in expressions
  std::vector<Block*> ctes;                          ///< of its WITH, data-modifying ones too
  bool writes = false;                               ///< a data-modifying CTE
  bool recursive = false;                            ///< part of a recursive CTE
  bool from_view = false;                            ///< its literals are not the statement's
  bool fed = false;                                  ///< each shard is given its rows
  /// Pairs of columns that a JOIN … USING or NATURAL equates, by join.
  std::map<const tree::Join*, std::vector<std::pair<Ident, Ident>>> using_pairs;
};

struct Query {
  const router::Catalog* catalog = nullptr;
  const router::ShardMap* map = nullptr;
  const tree::Statement* statement = nullptr;
  const Language* language = nullptr;
  std::vector<std::string> search_path;
  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<std::unique_ptr<Block>> blocks;
  std::vector<tree::StatementPtr> views;  ///< the parsed definitions
  Block* top = nullptr;
  int target = -1;                      ///< instance of the table written by INSERT, UPDATE, DELETE
  std::vector<std::string> unresolved;  ///< what could not be resolved, in words
  bool uses_views = false;

  const Instance& at(int instance) const { return *instances[static_cast<std::size_t>(instance)]; }
  const router::MappedTable* mapped(const Instance& instance) const {
    return instance.table < 0 ? nullptr : &map->tables()[static_cast<std::size_t>(instance.table)];
  }
  bool sharded(const Instance& instance) const;
  bool reference(const Instance& instance) const;  ///< the same rows on every shard
  bool in_buckets(const Instance& instance) const;  ///< it has a table for each bucket
  const router::Column* column(Ident ident) const;  ///< of a base table, else null
  std::string describe(Ident ident) const;          ///< "orders.user_id"
};

/// What a column reference means; kind of Ident above, or an output name.
inline Ident ident_of(const tree::ColumnRef& reference) {
  if (!reference.resolved) return {-1, kUnknownColumn};
  return {reference.resolved->relation, reference.resolved->column};
}
/// The identity of an expression that is just a column; unknown otherwise.
Ident ident_of(const tree::Expr& expr);

/// Resolves every name of the statement; fills in tree::ColumnRef::resolved (relation: the index in
/// Query::instances). What does not resolve is listed, not thrown.
Query resolve(const tree::Statement& statement, const router::Catalog& catalog,
              const router::ShardMap& map, const PlanningContext& context);

/// The table that a name means along the path, or null; `schema` empty: by the path.
const router::Relation* find_table(const router::Catalog& catalog,
                                   const std::vector<std::string>& search_path,
                                   std::string_view schema, std::string_view name);
/// The map's entry for a name that may not exist yet; of a partition that the map does not list, its
/// table's, and of a table's own sequence, where the table lives whole on one shard. -1: none.
int find_mapped(const router::ShardMap& map, const router::Catalog& catalog,
                const router::Relation* relation, const std::vector<std::string>& search_path,
                std::string_view schema, std::string_view name);

/// Whether the name means one of the session's temporary relations, which come first unless the path
/// says otherwise.
bool is_temporary(const PlanningContext& context, const router::Catalog& catalog,
                  std::string_view schema, std::string_view name);

/// The name the server gives an output column without an alias.
std::string implicit_name(const tree::Expr& expr);

}  // namespace anabranch::rewriter
