#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "merge/recipe.h"
#include "router/prune.h"
#include "router/shard_map.h"
#include "values/sql_error.h"

/// What the planner answers: an immutable Plan with holes, cached by shape and shared by loops; and
/// what bind() makes of it for one execution.
namespace anabranch::rewriter {

enum class PlanKind { relay, scatter, split, broadcast, session, local, refuse };
std::string_view to_string(PlanKind kind);  ///< "Relay", "Scatter" …

/// Where a run-time value comes from.
struct ValueRef {
  enum class From {
    constant,   ///< `text`: pinned while planning
    literal,    ///< `index`: the literal of the statement's shape (0-based)
    parameter,  ///< `index`: $1 is 0
    evaluated,  ///< `index`: of Plan::evaluations, computed once by a backend
    is_null
  };
  From from = From::constant;
  int index = -1;
  std::string text;
};

/// SQL text with holes. A literal's hole is filled with the literal's own spelling in the statement,
/// an evaluated one with the typed constant that the backend answered, a slot with the decimal
/// text of that slot's int8 (pushed-down LIMIT; NULL prints as NULL).
struct SqlTemplate {
  struct LiteralHole { int index; };
  struct EvaluatedHole { int index; };
  struct SlotHole { int index; };
  struct ShardNumberHole {};  ///< `_shard_num`: 1-based
  struct ShardNameHole {};    ///< `_shard_name`, quoted
  using Piece = std::variant<std::string, LiteralHole, EvaluatedHole, SlotHole, ShardNumberHole, ShardNameHole>;
  std::vector<Piece> pieces;
};

/// The condition on the keys from which the shards are computed at bind: the skeleton of a
/// router::KeyPredicate whose values are still ValueRefs.
struct KeyCondition {
  enum class Kind { anything, nothing, equals, is_null, less, less_equal, greater, greater_equal, all_of, any_of };
  Kind kind = Kind::anything;
  int scheme = -1;            ///< index in the ShardMap
  ValueRef value;             ///< equals and ranges
  values::Oid value_type = 0; ///< the type the server gives the value; 0: the column's (unknown literal)
  values::Oid key_type = 0;   ///< of the column compared
  std::vector<KeyCondition> parts;
  std::string text;           ///< "orders.user_id = 42", for the explanation
};

struct Routing {
  enum class Mode {
    any_shard,   ///< no sharded table is read: one shard, the default one preferred
    one_shard,   ///< a fixed one (`shard`)
    by_key,      ///< `condition`
    all_shards
  };
  Mode mode = Mode::any_shard;
  int shard = -1;
  KeyCondition condition;
  std::string reason;  ///< for EXPLAIN: why these shards
};

struct ResultColumn {
  std::string name;
  values::Oid table = 0;
  std::int16_t attribute = 0;
  values::Oid type = 0;
  std::int16_t type_size = 0;
  std::int32_t typmod = -1;
};

/// What Describe of a statement answered. `columns` is absent for NoData.
struct Description {
  std::vector<values::Oid> parameters;
  std::optional<std::vector<ResultColumn>> columns;
};

/// A slot of the recipe's Binding: an int8 computed at bind.
struct Slot {
  enum class Kind {
    value,          ///< the value itself, decoded as `type`
    limit_plus_offset  ///< saturating; NULL limit stays NULL
  };
  Kind kind = Kind::value;
  ValueRef first;
  ValueRef second;
  values::Oid type = 20;
  /// LIMIT and OFFSET: a negative value fails as the server does (2201W, 2201X).
  enum class Check { none, limit, offset } check = Check::none;
};

/// Split: one row of VALUES, or one COPY column list.
struct SplitRow {
  SqlTemplate text;      ///< "(1, 'a', DEFAULT)"
  ValueRef key;          ///< is_null where the column is left out and has no default
  values::Oid key_type = 0;  ///< the type the server gives the value; 0: the column's
  std::string key_text;
};
struct InsertSplit {
  int scheme = -1;
  values::Oid column_type = 0;
  SqlTemplate prefix;   ///< up to and including VALUES
  std::vector<SplitRow> rows;
  SqlTemplate suffix;   ///< ON CONFLICT …, RETURNING …
};
struct CopySplit {
  int scheme = -1;             ///< -1: a reference table, every row goes to all shards
  values::Oid column_type = 0;
  int key_field = -1;          ///< index in a data line; -1: key column left out (NULL)
  int field_count = 0;
  std::string key_expression;  ///< of the scheme's table, empty when the column is the key
  enum class Format { text, csv, binary } format = Format::text;
  char delimiter = '\t';
  std::string null_text = "\\N";
  char quote = '"';
  char escape = '"';
  bool header = false;
  bool force_null_key = false;      ///< FORCE_NULL / FORCE_NOT_NULL naming the key column
  bool force_not_null_key = false;
};

/// What a multi-shard write or utility does besides sending its text.
enum class Effect {
  none,
  reads,
  writes,          ///< rows on the shards asked
  ddl,             ///< the catalog is stale when it commits
  sets_context     ///< may have changed session settings invisibly
};

enum class SessionAction {
  begin, commit, rollback, prepare_transaction, savepoint, rollback_to, release,
  set, reset, reset_all, show, discard_all, set_transaction, set_constraints
};
struct SessionPlan {
  SessionAction action;
  std::string name;      ///< setting, savepoint
  std::string value;     ///< SET: the value as SQL text, ready to follow `SET name TO `
  bool local = false;    ///< SET LOCAL
  bool chain = false;    ///< COMMIT AND CHAIN
  std::string options;   ///< BEGIN's options as text ("ISOLATION LEVEL SERIALIZABLE READ ONLY")
};

/// Rows the proxy answers itself (SHOW of its own tables, EXPLAIN): text, one vector a row.
struct LocalPlan {
  std::vector<ResultColumn> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::string tag;
};

struct Plan {
  PlanKind kind = PlanKind::refuse;
  Effect effect = Effect::none;
  std::string command;   ///< "SELECT", "INSERT", "CREATE TABLE": first word(s) of the command tag
  Routing routing;

  /// relay: empty, the client's own text is sent. scatter, broadcast: each shard's subquery.
  SqlTemplate subquery;
  std::optional<merge::Recipe> recipe;  ///< scatter; RETURNING of split and broadcast
  /// Row counts of the tags are summed (split, sharded writes) or taken from one shard (reference).
  bool sum_counts = true;
  std::optional<InsertSplit> insert;
  std::optional<CopySplit> copy;
  std::optional<SessionPlan> session;
  std::optional<LocalPlan> local;
  std::optional<values::SqlError> refusal;

  std::vector<values::Oid> parameters;             ///< types of $1…, as Describe gave them
  std::optional<std::vector<ResultColumn>> result; ///< absent: NoData, or a relay not described
  bool described = false;

  /// Stable functions and the like, evaluated once per statement (or transaction) by a backend:
  /// `SELECT expr::text, …`; each fills an EvaluatedHole as `'text'::type`.
  struct Evaluation {
    std::string sql;        ///< the expression
    std::string type_name;  ///< to cast the constant to
    bool per_transaction = true;  ///< now() and friends; else per statement
  };
  std::vector<Evaluation> evaluations;
  std::vector<Slot> slots;
  std::vector<int> pinned;   ///< literals whose value was read: part of the cache key, ascending
  bool opaque_settings = false;  ///< may change settings invisibly: read them back
  bool cacheable = true;

  /// Explanation: why this kind, the recipe's steps. Lines.
  std::vector<std::string> reasons;
};

/// The planner cannot go on before these have been described on one shard (in order).
struct NeedDescribe {
  struct Ask { std::string sql; std::vector<values::Oid> parameters; };
  std::vector<Ask> asks;
};

/// One shard's part of one execution.
struct ShardQuery {
  int shard = -1;
  std::string sql;
};

struct BoundPlan {
  router::ShardSet shards;
  std::string why;                        ///< explanation of the route
  std::vector<ShardQuery> queries;        ///< empty for a relay: the client's own bytes are sent
  std::vector<values::Datum> slots;       ///< for merge::Binding
};

}  // namespace anabranch::rewriter
