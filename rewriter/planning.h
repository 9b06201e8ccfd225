#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rewriter/distribution.h"
#include "rewriter/language.h"
#include "rewriter/parse.h"
#include "rewriter/planner.h"
#include "rewriter/print.h"
#include "values/errors.h"

/// What all planners of one statement share. Internal to rewriter/.
namespace anabranch::rewriter {

/// What stands anywhere in a statement, views included.
struct Traits {
  std::string opaque;         ///< a function that may read tables; empty: none
  std::string shared;         ///< a function or cast whose value belongs to one server
  std::string unknown;        ///< a function that the catalog does not have
  std::string random;         ///< a function with a fresh value per row
  std::string nested_random;  ///< the same, inside a subquery
  std::string impure;           ///< a user's operator or cast that may do anything
  std::string outer_aggregate;  ///< inside a subquery, but over rows of the block around it
  std::string session_value;    ///< currval(), lastval(): of one server's session
  std::string sequence;         ///< nextval(), setval(): sequences are the default shard's
  std::string session_call;     ///< advisory locks of the session, pg_notify(): the default shard's
  std::string previous;         ///< FOUND_ROWS(): of the statement before
  bool last_insert = false;     ///< LAST_INSERT_ID()
  bool assigns = false;         ///< @x := …
  bool settings = false;
  bool ambient = false;
  bool moment = false;  ///< NOW() and the like, where all servers can be told one moment
  std::string system_column;
  bool virtual_columns = false;
  bool locking = false;
  bool writing_with = false;
  std::vector<int> parameter_uses;
};

struct Planning {
  const PlanRequest* request = nullptr;
  const tree::Statement* statement = nullptr;
  std::string original;  ///< the statement's text, as a server may describe it
  Query query;
  Traits traits;
  tree::PinSet pins;
  FunctionContext functions;
  ValueContext values;
  std::shared_ptr<Plan> plan = std::make_shared<Plan>();

  const router::ShardMap& map() const { return *request->map; }
  const router::Catalog& catalog() const { return *request->catalog; }
  const Shape& shape() const { return *request->shape; }
  const Language& language() const { return language_of(request->context->dialect); }
  std::string text(const tree::Expr& expr) const { return to_text(expr, shape(), language().dialect); }
  SqlTemplate print(const tree::Statement& written) const {
    return rewriter::print(written, language().dialect);
  }
  Printer printer() const { return Printer(false, language().dialect); }
  /// The original must be described before a plan for several shards is made.
  bool must_describe() const { return language().asks_shards && !plan->described; }
  bool has_parameters() const { return !traits.parameter_uses.empty(); }
  /// Types of $1… once the original has been described.
  void take_parameters(const Description& described);
};

/// A plan, or what must be described first.
using Outcome = PlanResult;

/// A refusal: thrown by the parts of the planner, caught once in plan().
struct Refusal {
  values::SqlError error;
  bool prepare_only = true;
  bool needs_values = false;  ///< Plan::needs_values
};
[[noreturn]] void refuse(values::SqlError error, bool prepare_only = true);
/// "CLAUSE across shards is not supported: REASON", with a hint.
[[noreturn]] void refuse_clause(std::string_view clause, std::string_view reason,
                                std::string_view hint);
/// "STATEMENT is not supported in a database with schemes".
[[noreturn]] void refuse_statement(std::string_view statement, std::string_view hint);
[[noreturn]] void refuse_distribution(std::string_view clause, const Distribution& distribution);

Traits scan(const Query& query, const FunctionContext& functions);
std::string_view command_of(const tree::Statement& statement);
/// The plan that the statement's hint asks for: a shard, or (where `planning` is given) the shard of a key.
std::optional<PlanResult> hinted(const PlanRequest& request, const Planning* planning);
/// All expressions that stand directly in a block's clauses.
void each_expression(const Block& block, const std::function<void(const tree::Expr&)>& visit);

// ------------------------------------------------------------------------------- relaying (relay)

/// The shards of all rows that any part of the statement reads or writes, as one condition; absent
/// where no table is placed (`reads_only_reference` …).
struct Placement {
  std::optional<KeyCondition> condition;  ///< of all sharded and whole tables
  bool any_sharded = false;
  bool may_be_single = false;
  std::optional<int> fixed_shard;  ///< all are whole on this shard
  bool any_reference = false;
};
Placement place(const Planning& planning, const Analysis& analysis);
/// A relay where the proof allows it; null otherwise.
std::shared_ptr<Plan> relay(Planning& planning, const Placement& placement);
std::shared_ptr<Plan> relay_to(Planning& planning, int shard, std::string reason);
KeyCondition fixed_shard(int shard);

// ------------------------------------------------------------------------- names (table_names)

/// What a name means. Of one of the session's temporary relations nothing is known, whatever table
/// of the map it hides.
struct NamedTable {
  bool temporary = false;
  const router::Relation* relation = nullptr;
  const router::MappedTable* table = nullptr;  ///< null: the map does not list it
  int index = -1;                              ///< of `table` in ShardMap::tables()
};
NamedTable find_named(const Planning& planning, std::string_view schema, std::string_view name);
/// The same; the table may be one that has one for each bucket.
NamedTable find_any_named(const Planning& planning, std::string_view schema, std::string_view name);

// --------------------------------------------------------------------------- kinds of statements

PlanResult plan_statement(const PlanRequest& request, const tree::Statement& statement,
                          std::string original);
/// The same; of a SELECT whose rows are gathered also one that answers its subqueries first (Plan::alone).
PlanResult plan_with_answers(const PlanRequest& request, const tree::Statement& statement, const std::string& original);
Outcome plan_select(Planning& planning, const tree::Select& select);
Outcome plan_insert(Planning& planning, const tree::Insert& insert);
Outcome plan_write(Planning& planning);  ///< UPDATE and DELETE
Outcome plan_utility(Planning& planning, const tree::Utility& utility);
/// What a statement of a database without schemes does, and may leave behind: effect, residue …
void note_residue(const PlanRequest& request, const tree::Statement& statement, Plan& plan);
/// Transaction control and settings: the session's own business; null for all else.
std::shared_ptr<Plan> plan_session(const tree::Utility& utility);
/// Nothing: COMMIT PREPARED, ROLLBACK PREPARED.
std::optional<SessionPlan> transaction_plan(const tree::Transaction& statement);
/// Over several shards: pg_export_snapshot() is the session's business, too. Null: another statement.
std::shared_ptr<Plan> plan_snapshot_export(const tree::Select& select);

// --------------------------------------------------- calls that name what is somewhere (named_calls)

/// Refuses to ask one shard for the size of a table that has a part of its rows on each.
void check_sizes(Planning& planning);
/// A server's connection is another client's a moment later: who is meant by its number is not known. One's
/// own is, in the statement that asks; all else is refused.
void check_backend_calls(const Planning& planning);
/// A statement about a sequence that belongs to a table of another shard than the default one, and about
/// nothing that this shard does not have, goes there. Nothing: it is about no such sequence.
std::optional<PlanResult> to_sequences(Planning& planning);

/// Checks of statements that run on several shards: functions, system columns.
void check_several(const Planning& planning);
void check_system_columns(const Planning& planning);
void check_impure(const Planning& planning);

// ------------------------------------------------------------------------------ texts with holes

/// The original statement's description, asked for first wherever one is needed.
NeedDescribe ask_original(const Planning& planning);

/// Replaces virtual columns by holes and ambient calls by evaluations, everywhere in the tree.
void fill_holes(Planning& planning, tree::Statement& statement);
/// Virtual columns as typed NULLs: what a server can describe.
void typing_form(tree::Statement& statement);
SqlTemplate with_holes(SqlTemplate printed);
tree::ExprPtr slot_hole(int slot);
tree::ExprPtr rows_hole();
std::string fed_hole(int feed);  ///< for TableRef::rows
/// An expression that a backend computes once; per-transaction ones with the same text are shared.
tree::ExprPtr evaluation(Planning& planning, std::string sql, std::string type_name,
                         bool per_transaction);

/// A described column's type, enums with their labels.
values::ColumnType column_type(const Planning& planning, const ResultColumn& column);
values::ColumnType column_type(const Planning& planning, values::Oid type,
                               std::int32_t typmod = -1);
/// Shards' rows of these columns, in any order.
merge::Recipe rows_as_they_come(const Planning& planning, const std::vector<ResultColumn>& columns);

}  // namespace anabranch::rewriter
