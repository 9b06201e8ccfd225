#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "conf/config.h"
#include "rewriter/dialect.h"
#include "rewriter/mysql/mode.h"
#include "rewriter/plan.h"
#include "rewriter/shape.h"
#include "router/catalog.h"
#include "router/shard_map.h"

/// The rewriter's whole interface: shape(text), plan(request), bind(plan, values). All of it pure:
/// no I/O, no globals, safe to call from any loop's thread.
namespace anabranch::rewriter {

/// The part of the session context that decides what a statement means. Part of the cache key.
struct PlanningContext {
  Dialect dialect = Dialect::postgresql;
  bool standard_conforming_strings = true;
  mysql::Mode mysql;  ///< of the dialect mysql
  /// "$user" already replaced. MySQL: the current database on the servers, if there is one.
  std::vector<std::string> search_path = {"public"};
  std::string role;
  bool in_transaction = false;  ///< not part of the key unless the plan depends on it
  /// Names of the session's temporary relations (on the default shard), sorted.
  std::vector<std::string> temporary;
  /// Tables of the schema pg_temp that each shard is given with the statement (Feed), all with the same rows.
  std::span<const router::Relation> fed;
};

struct PlanRequest {
  std::string_view text;   ///< one statement, without its semicolon
  const Shape* shape = nullptr;
  std::span<const values::Oid> parameter_types;  ///< as Parse declared them; 0: unknown
  const router::Catalog* catalog = nullptr;
  const router::ShardMap* map = nullptr;
  const PlanningContext* context = nullptr;
  /// Answers to the asks of the NeedDescribe that the last call gave, in order.
  std::span<const Description> descriptions;
  /// A relay is planned on the proof that *if* its keys lead to one shard, all rows are there. When
  /// route() answers several shards for a plan of kind relay, the session plans (and caches) the
  /// statement again with `several`: the plan is then one for several shards, or a refusal.
  bool several = false;
  /// What the last of the parameters stand for, instead of values of the client's.
  std::span<const Plan::Evaluation> answers;
  /// `functions:` of the database; may be null.
  const conf::Database* database = nullptr;
  /// `text` and `shape` are the statement with the first of these rows alone (Shape::of_first_row()). A plan that
  /// serves them all says so (serves_rows()).
  const RowList* rows = nullptr;
};

/// The context as one canonical string, for the plan cache's key; without `temporary`.
std::string planning_key(const PlanningContext& context);

using PlanResult = std::variant<std::shared_ptr<const Plan>, NeedDescribe>;

/// Never throws for a statement it will not carry out: that is a Plan of kind refuse. Syntax errors
/// are refusals with `prepare_only`: the server's own error goes to the client.
PlanResult plan(const PlanRequest& request);

/// The plan of the first row is one of all. No: the statement is planned as it is written.
bool serves_rows(const Plan& plan, const RowList& rows);
/// Computes a shape anew, rows as they are written.
void shape_as_written(std::string_view text, const PlanningContext& context, Shape& out);

/// A value at bind: a parameter as the client sent it, or the answer of an evaluation (text). MySQL's
/// parameters have types of values/mysql_type.h; integers may be binary, as the binary protocol has them, all
/// else is text in the server's character set.
struct BoundValue {
  values::Oid type = 0;
  values::Format format = values::Format::text;
  std::optional<std::string_view> bytes;
};

struct BindRequest {
  const Plan* plan = nullptr;
  const Shape* shape = nullptr;                  ///< of this very statement text: its literals
  std::span<const BoundValue> parameters;
  std::span<const BoundValue> evaluations;
  const router::ShardMap* map = nullptr;
  bool standard_conforming_strings = true;
  const mysql::Mode* mysql = nullptr;  ///< of MySQL's statements: how their literals are read
  std::size_t row = 0;                 ///< of the shape's rows: which one is bound
  router::Lookups* lookups = nullptr;  ///< who knows of tables of keys; needed where the map has any
};

/// Computes shards, per-shard SQL and slots. Throws SqlError (23502 for a NULL key that no shard
/// takes, 22P02 …). `rewriter::route` alone is the hot path of a relay: no allocation for keys of
/// integers. A relay or a read whose condition no key satisfies goes to the default shard: some
/// server must answer.
BoundPlan bind(const BindRequest& request);
router::ShardSet route(const BindRequest& request, std::string* why);
/// Made on the condition that its keys lead to one shard: where they lead to several, another plan is made.
inline bool is_for_one_shard(const Plan& plan) { return plan.kind == PlanKind::relay || plan.on_one_shard; }
/// The shard that route() answers, where it is plain to see: one value of one key. Nothing: ask route().
std::optional<std::uint32_t> only_shard(const BindRequest& request);
/// Where a plan with a Feed that splits by key stores a row, whose columns are the request's parameters. Throws as
/// bind() does.
std::uint32_t shard_of_row(const BindRequest& request);

/// Of the plan's evaluations those of a feed's rows.
std::span<const BoundValue> evaluations_of(const Feed& feed, std::span<const BoundValue> evaluations);

/// Asks `lookups` for the place of each key that route() and bind() will want, and throws as they do.
void look_up_keys(const BindRequest& request);

/// EXPLAIN's text: kind, shards and why these, each distinct subquery, the recipe. One line each.
std::vector<std::string> explain(const Plan& plan, const BoundPlan& bound, const router::ShardMap& map);

/// Splits a simple query's text into statements (byte offset and length each), as the server would.
/// A syntax error gives one part holding everything.
struct StatementSpan { std::size_t offset; std::size_t length; };
std::vector<StatementSpan> split_statements(std::string_view text, bool standard_conforming_strings = true);
/// The common case at a glance: a text without a semicolon but a last one, which is dropped. Nothing:
/// ask split_statements.
std::optional<std::string_view> only_statement(std::string_view text);

}  // namespace anabranch::rewriter
