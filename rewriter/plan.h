#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "merge/recipe.h"
#include "rewriter/fetch_range.h"
#include "router/prune.h"
#include "router/shard_map.h"
#include "values/sql_error.h"

/// What the planner answers: an immutable Plan with holes, cached by shape and shared by loops; and
/// what bind() makes of it for one execution.
namespace anabranch::rewriter {

enum class PlanKind { relay, scatter, gather, split, broadcast, session, local, refuse };
std::string_view to_string(PlanKind kind);  ///< "Relay", "Scatter" …

/// Where a run-time value comes from.
struct ValueRef {
  enum class From {
    constant,   ///< `text`: known while planning (a pinned literal, a column's default)
    literal,    ///< `index`: the literal of the statement's shape (0-based)
    parameter,  ///< `index`: $1 is 0
    evaluated,  ///< `index`: of Plan::evaluations, computed once by a backend
    row,        ///< `index`: the column of the shape's row that is bound (BindRequest::row)
    is_null,
    absent  ///< NULL, as the statement has no value and the column no default
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
  struct ParameterHole { int index; };  ///< MySQL: `?`, filled with the value as a literal; $1 stays text
  struct ShardNumberHole {};  ///< `_shard_num`: 1-based
  struct ShardNameHole {};    ///< `_shard_name`, quoted
  struct RowsHole {};         ///< Finish
  struct FedHole { int index; };  ///< of Plan::feeds: its table, with the shard's own rows where it has such
  /// A table of ShardMap::tables() that has one for each bucket: those of the shard that may have rows which count. A
  /// server that only describes the statement sees `described`.
  struct BucketsHole {
    int table;
    std::string described;
    bool listed = false;  ///< all of the shard's, with commas between them
  };
  using Piece = std::variant<std::string, LiteralHole, EvaluatedHole, SlotHole, ParameterHole, ShardNumberHole,
                             ShardNameHole, RowsHole, FedHole, BucketsHole>;
  std::vector<Piece> pieces;
};

/// A value that a key column is compared with, or given.
struct KeyOperand {
  ValueRef value;
  values::Oid value_type = 0;   ///< the type the server gives the value; 0: the column's (unknown literal)
  values::Oid column_type = 0;  ///< of the column compared, or inserted into
  std::int32_t column_modifier = -1;
};

/// The condition on the keys from which the shards are computed at bind: the skeleton of a
/// router::KeyPredicate whose values are still ValueRefs.
struct KeyCondition {
  enum class Kind {
    anything, nothing,
    equals,      ///< one operand a key column (or column of the key expression), all equal
    stored,      ///< as equals, of a row about to be stored: NULL has a place too
    any_element, ///< = ANY (array value)
    is_null, less, less_equal, greater, greater_equal,
    shard_number, ///< `_shard_num` = the operand
    shard_name,
    all_of, any_of
  };
  Kind kind = Kind::anything;
  int table = -1;                   ///< leaves: index in ShardMap::tables(), whose key is meant
  std::vector<KeyOperand> operands; ///< equals: in the order of the table's key columns
  std::vector<KeyOperand> counted;  ///< stored: as SplitRow's
  bool byte_order = false;          ///< ranges of text keys: the column sorts by bytes
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
  std::int32_t typmod = -1;     ///< MySQL: the decimals that are told
  bool zerofill = false;        ///< MySQL: shown with zeros ahead
  std::string definition = {};  ///< MySQL: the whole column definition, as it goes to clients
};

/// What Describe of a statement answered. `columns` is absent for NoData.
struct Description {
  std::vector<values::Oid> parameters;
  std::optional<std::vector<ResultColumn>> columns;
};

/// A slot of the recipe's Binding: an int8 computed at bind.
struct Slot {
  enum class Kind {
    value,             ///< the value itself, decoded as `type`
    computed,          ///< `expression` over the slots before this one
    limit_plus_offset  ///< of two slots before this one; saturating; NULL limit stays NULL
  };
  Kind kind = Kind::value;
  ValueRef first;
  std::optional<merge::Expression> expression;
  int limit = -1;   ///< slots
  int offset = -1;  ///< -1: none
  values::Oid type = 20;
  /// LIMIT and OFFSET: a negative value fails as the server does (2201W, 2201X).
  enum class Check { none, limit, offset } check = Check::none;
};

/// Split: one row of VALUES, or one COPY column list.
struct SplitRow {
  SqlTemplate text;               ///< "(1, 'a', DEFAULT)"
  std::vector<KeyOperand> key;    ///< is_null where a column is left out and has no default
  /// MySQL: the value of the AUTO_INCREMENT column, which each shard would count for itself where it is NULL or
  /// 0. Such a row is refused when it is bound.
  std::vector<KeyOperand> counted;
};
struct InsertSplit {
  int table = -1;       ///< index in ShardMap::tables()
  SqlTemplate prefix;   ///< up to and including VALUES
  std::vector<SplitRow> rows;
  /// Instead of `rows`, each of the shape's: `text` follows its values as they are written.
  std::optional<SplitRow> each;
  std::vector<int> clock_columns;  ///< of these rows: what they say must not depend on which server reads it
  SqlTemplate suffix;   ///< ON CONFLICT …, RETURNING …
  bool ignores = false;  ///< MySQL: INSERT IGNORE
  bool updates = false;  ///< MySQL: ON DUPLICATE KEY UPDATE
};
/// How a COPY's data is written: its options, with the format's own defaults where none are given.
struct CopyFormat {
  enum class Format { text, csv, binary } format = Format::text;
  char delimiter = '\t';
  std::string null_text = "\\N";
  char quote = '"';
  char escape = '"';
  bool header = false;
  std::string encoding;        ///< ENCODING option; empty: the client's
};
struct CopySplit : CopyFormat {
  int table = -1;              ///< index in ShardMap::tables()
  bool every_shard = false;    ///< a reference table: every row goes to all shards
  /// For each key column (or column of the key expression): its field in a data line, or -1 where
  /// it is left out and NULL or a constant default (`default_text`) stands for it.
  struct KeyField {
    int field = -1;
    values::Oid column_type = 0;
    std::optional<std::string> default_text;
    bool force_null = false;      ///< FORCE_NULL / FORCE_NOT_NULL naming the column
    bool force_not_null = false;
  };
  std::vector<KeyField> key;
  int field_count = 0;
  /// Fields of dates, times and what may have some inside, ascending: what they say must not depend
  /// on which server reads it.
  std::vector<int> clock_fields;
};
/// How LOAD DATA cuts its file into lines and fields.
struct LoadFormat {
  std::string field_end = "\t";
  std::string line_end = "\n";
  std::optional<char> enclosed;
  std::optional<char> escape = '\\';
  std::uint64_t skipped_lines = 0;
  int fields = 0;  ///< that are read of a line: what follows them does not count
};
/// MySQL's LOAD DATA LOCAL INFILE.
struct LoadSplit : LoadFormat {
  int table = -1;            ///< index in ShardMap::tables()
  bool every_shard = false;  ///< a reference table: every row goes to all shards
  /// A column that the proxy must read: which of the line's fields it is.
  struct Field {
    int field = -1;
    values::Oid column_type = 0;
    std::int32_t modifier = -1;
  };
  std::vector<Field> key;        ///< the key's columns, or those of its expression
  std::optional<Field> counted;  ///< the AUTO_INCREMENT column, which each shard would count for itself
  std::string character_set;     ///< of the file, in lower case; empty: the database's
  std::vector<std::string> variables;  ///< that a line's fields go to: names in lower case, without @
};
/// COPY … TO STDOUT of rows on several shards. Without a recipe: the statement itself on every shard,
/// whose data is passed on. With one: rows are asked for, merged, and written by the proxy.
struct CopyOut : CopyFormat {
  std::vector<bool> force_quote;      ///< by column
  std::vector<ResultColumn> columns;  ///< of the data
  /// With a recipe: a COPY without rows of the same columns and options. The server checks them, and
  /// says what goes ahead of the rows.
  std::string probe;
};

/// What a multi-shard write or utility does besides sending its text.
enum class Effect {
  none,
  reads,
  writes,          ///< rows on the shards asked
  ddl,             ///< the catalog is stale when it commits
  temporary        ///< definitions that only this session sees
};

/// What a statement may do to its server's session that outlasts the transaction: settings changed
/// by a function, temporary relations, LISTEN, holdable cursors, locks. The session then asks the
/// server what there is.
enum class Residue {
  none,
  may_end,    ///< takes something away, if there is something
  may_begin,
  untracked   ///< leaves what cannot be asked for
};

enum class SessionAction {
  use, warnings, begin, commit, rollback, prepare_transaction, savepoint, rollback_to, release,
  set, reset, reset_all, show, discard_all, set_transaction, set_characteristics,
  set_constraints, prepare, execute, execute_immediate, deallocate, declare, fetch, close_cursor, export_snapshot,
  import_snapshot,
  lock, unlock,  ///< MySQL's LOCK TABLES and UNLOCK TABLES; what each shard is told: Plan::subquery_of
  maintain       ///< MySQL's CHECK TABLE and its kin: on every shard, whose answers become one
};
struct SessionPlan {
  SessionAction action;
  std::string name;      ///< setting, savepoint, prepared statement, cursor, database; empty: all of them
  std::string value;     ///< SET: the value as SQL text, ready to follow `SET name TO `; a snapshot's name, so
  bool local = false;    ///< SET LOCAL
  bool chain = false;    ///< COMMIT AND CHAIN
  bool release = false;  ///< MySQL's COMMIT RELEASE: the session ends
  std::string options;   ///< BEGIN's options as text ("ISOLATION LEVEL SERIALIZABLE READ ONLY")

  std::size_t offset = 0;  ///< PREPARE, DECLARE: where the statement inside begins, in bytes
  std::vector<std::string> types;  ///< PREPARE: its parameters', as SQL text
  /// EXECUTE: what is known of each argument without asking a server.
  struct Argument {
    enum class Kind { expression, null, integer, string } kind = Kind::expression;
    std::string text;  ///< of constants
  };
  std::vector<Argument> arguments;
  /// MySQL's PREPARE and EXECUTE IMMEDIATE: the text that is prepared (an expression: computed first).
  Argument source;

  /// MySQL's SET: all that it sets, in order. A value is SQL text, ready to follow `SET name = `; empty:
  /// DEFAULT. `name` is in lower case, of user variables as written.
  struct Setting {
    enum class Target {
      user_variable,
      session,
      names,             ///< SET NAMES: `collation` may be empty
      character_set,
      transaction,       ///< the next one's characteristics: `value` holds them
      session_transaction
    };
    Target target = Target::session;
    std::string name;
    std::string value;
    std::string collation = {};
    bool constant = false;  ///< a literal, a word or DEFAULT: the same whenever and wherever it is set
  };
  std::vector<Setting> settings;

  /// MySQL's CHECK TABLE and its kin: those that are not the default shard's, as answers name them.
  struct Table {
    std::string name;   ///< "shop.orders"
    int shard = -1;     ///< the one that has it; -1: every shard
    bool copies = false;  ///< the same rows on each
  };
  std::vector<Table> tables;

  struct Cursor {
    bool hold = false, scroll = false, no_scroll = false, binary = false;
  };
  Cursor cursor;  ///< DECLARE
  FetchRange fetch;  ///< FETCH and MOVE
};

/// Rows the proxy answers itself (SHOW of its own tables, EXPLAIN): text, one vector a row.
struct LocalPlan {
  std::vector<ResultColumn> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::string tag;
};

/// scatter, MySQL: what a shard computes of the recipe's rows, which it is sent as literals.
struct Finish {
  /// With a RowsHole each for the rows and for how many they are.
  SqlTemplate sql;
  struct Column {
    enum class Form : std::uint8_t {
      number,           ///< an integer with a sign, or a decimal
      unsigned_number,  ///< also one that the merge has with a sign
      real,
      single,  ///< a FLOAT, with all its digits
      text,    ///< bytes of utf8mb4
      bytes,
      date,
      time,
      datetime,
      moment,    ///< a date or time, as a column of any such type takes it
      timestamp,  ///< seconds since 1970, where the clock is UTC's
      member      ///< of an ENUM, by its number; 0: what is none, of which a server warns
    };
    Form form = Form::number;
    std::string charset = {};  ///< of a text: the column's own
  };
  std::vector<Column> columns;  ///< one for each of the recipe's outputs
};

/// gather: the tables' rows are copied into temporary tables of the workspace, where the rest of the query reads
/// them. PostgreSQL: the plan's recipe is the rest's.
struct Gather {
  /// The rows of one use of a table, tagged with the piece's number, and with NULLs for other pieces' columns: one
  /// query gives all that a shard has, as of one moment.
  struct Piece {
    SqlTemplate rows;     ///< SELECT of a shard
    int table = -1;       ///< index in ShardMap::tables(): each of its shards is asked
    int only_shard = -1;  ///< else this one alone
    bool filtered = false;  ///< the text ends with its WHERE
    std::string insert;     ///< MySQL: what takes them, up to the first row's parenthesis
    std::vector<Finish::Column> columns;  ///< MySQL: these values of each row
    std::size_t first_column = 0;         ///< MySQL: their place behind the tag
    int defaults = 0;                     ///< MySQL: columns that the server fills in, and warns of
  };
  /// Rows of `piece` count only where `column`, as its text names it, is among the values of another piece.
  struct Restriction {
    int piece = -1;
    std::string column;
    int source = -1;
    std::string source_column;  ///< of the source's gathered rows
    std::string type;           ///< the source column's
  };
  std::vector<Piece> pieces;
  std::vector<values::Oid> types;         ///< PostgreSQL: of the columns, the tag's first
  std::vector<std::string> definitions;   ///< statements that make the tables
  std::string table;                      ///< PostgreSQL: that takes all rows
  std::vector<std::string> tables;        ///< a piece's rows each
  std::vector<Restriction> restrictions;  ///< that may be made use of
  std::vector<std::string> indexes;       ///< statements, for when the rows have come
  SqlTemplate rest;
};

struct Plan;

/// split and broadcast, PostgreSQL: rows that are made elsewhere than a write needs them: those that an INSERT … SELECT
/// stores, or those that subqueries of an UPDATE read. They come in binary form from a plan of their own, are kept
/// until all are there, and go into a temporary table of each shard, which the plan's subquery reads.
struct Feed {
  std::shared_ptr<const Plan> rows;  ///< scatter or gather
  std::size_t first_evaluation = 0;  ///< of the plan's, from which its own are in their order
  std::string definition;            ///< of the temporary table; empty: the subquery makes the table that the rows are for
  std::string table;
  /// A table of the map, or one that is whole on a shard: each shard is given the rows of others only, and reads its own
  /// with the statement, by this query. Empty: all rows are given.
  std::string own_rows;
  router::ShardSet owners;  ///< the shards that have own rows
  std::vector<std::string> when_many;  ///< statements for when many rows have come: indexes and the like
  /// Of a row's key, where the plan splits by key: parameters are the row's columns.
  std::vector<KeyOperand> key;
};

struct Plan {
  PlanKind kind = PlanKind::refuse;
  Effect effect = Effect::none;
  std::string command;   ///< "SELECT", "INSERT", "CREATE TABLE": first word(s) of the command tag
  Routing routing;

  /// relay: empty, the client's own text is sent. scatter, broadcast: each shard's subquery.
  SqlTemplate subquery;
  /// scatter: one shard's rows are the answer, on the condition that all keys lead to it; else another plan is made, as
  /// of a relay.
  bool on_one_shard = false;
  /// broadcast of an UPDATE or DELETE: the index in ShardMap::tables() of what it writes to, where that has a table for each
  /// bucket. Each of them is written by a statement of its own.
  int written_buckets = -1;
  bool reads_written = false;  ///< the same table is read beside: there must be one such statement on a shard
  /// broadcast: shards whose text is another one. An empty text: the shard is left out.
  std::map<int, std::string> subquery_of;
  std::optional<merge::Recipe> recipe;  ///< scatter; RETURNING of split and broadcast
  std::optional<Finish> finish;
  std::optional<Gather> gather;
  std::vector<Feed> feeds;
  /// Some of the fed rows have been computed of those of several shards, before the statement reads and writes its own:
  /// both must be of one moment on each shard.
  bool feeds_of_one_moment = false;
  /// Row counts of the tags are summed (split, sharded writes) or taken from one shard (reference).
  bool sum_counts = true;
  std::optional<InsertSplit> insert;
  std::optional<CopySplit> copy;
  std::optional<CopyOut> copy_out;
  std::optional<LoadSplit> load;
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
    /// Of a subquery over rows of several shards: it is answered by this plan, which gives one column of one row, or of
    /// none. `sql` is what EXPLAIN says.
    std::shared_ptr<const Plan> plan = nullptr;
  };
  std::vector<Evaluation> evaluations;
  std::vector<Slot> slots;
  /// Literals that may be read as a date or time: those that say `now` or `today` are refused where
  /// more than one server would read them.
  std::vector<int> clock_literals;
  std::vector<int> clock_parameters;  ///< the same of parameters: their indexes
  /// Of a shape whose rows are taken out: it does not serve them all, the statement is planned as it is written.
  bool as_written = false;
  std::vector<int> pinned;   ///< literals whose value was read: part of the cache key, ascending
  Residue residue = Residue::none;
  /// May run nextval(): the server's session then has a currval(), which the client may ask for.
  bool advances_sequences = false;
  bool asks_sequences = false;  ///< currval(), lastval(); MySQL's LAST_INSERT_ID()
  bool sets_last_insert = false;  ///< MySQL's LAST_INSERT_ID(x): the shard that computes it then knows it
  bool counts_row = false;        ///< MySQL: a number in its answer is LAST_INSERT_ID() from then on
  /// MySQL: its answer says all that FOUND_ROWS() and ROW_COUNT() would.
  bool tells_counts = false;
  bool counts_found = false;  ///< MySQL: rows of its answer are FOUND_ROWS() from then on: a query
  bool uses_tables = true;  ///< MySQL: what does not leaves the warnings of the statement before it
  /// MySQL: what it asks of the statement before, which one server's session may know.
  enum class Previous {
    none,
    counts,      ///< FOUND_ROWS(), ROW_COUNT()
    diagnostics  ///< @@warning_count, GET DIAGNOSTICS
  };
  Previous previous = Previous::none;
  /// MySQL: how it asks for those counts, where the proxy may say them.
  enum class AsksCounts {
    no,
    as_rows,   ///< a query of no table
    in_place,  ///< what has no rows: it is the same statement with numbers in the calls' places
  };
  AsksCounts asks_counts = AsksCounts::no;
  bool counts_all_rows = false;  ///< MySQL, scatter and gather: SQL_CALC_FOUND_ROWS
  std::string into;  ///< MySQL, scatter: the INTO with the variables that take its row
  bool may_set_variables = false;  ///< MySQL: a procedure, which may set any user variable
  /// MySQL: names of the session's temporary tables that it makes and drops.
  std::vector<std::string> temporary_made, temporary_dropped;
  bool cacheable = true;
  /// MySQL: columns of the answer behind those that are told, and of which of these they are with all their digits,
  /// which the text of a FLOAT does not have.
  std::vector<int> exact;
  /// MySQL, where columns are named by the statement's own text: how a text of this plan begins.
  std::string head;
  /// VACUUM, CREATE INDEX CONCURRENTLY …: the server does not run it inside a transaction block, so
  /// each shard commits for itself.
  bool outside_transaction = false;
  /// broadcast of a utility statement: shard after shard, so that two that lock the same tables wait
  /// for each other on the first. What it notifies of is said once. One that writes makes an explicit
  /// transaction one that may write to several shards.
  bool in_order = false;
  /// MySQL: it depends on the statement's moment (NOW() …), which all shards asked are told.
  bool one_moment = false;
  bool returns_rows = false;  ///< MySQL: a write over several shards with RETURNING

  /// Explanation: why this kind, the recipe's steps. Lines.
  std::vector<std::string> reasons;

  /// refuse: the statement is first prepared on the default shard (`prepare_text`, or the client's
  /// own text where that is empty); the server's own error, if it has one, goes to the client
  /// instead of the refusal.
  bool prepare_only = false;
  std::string prepare_text;

  /// MySQL, refuse: with its parameters' values in their places the statement may have another plan.
  bool needs_values = false;

  /// PostgreSQL, gather: a cheaper plan, where the statement stands alone: subqueries are answered ahead of it, all as
  /// of one moment on each shard.
  std::shared_ptr<const Plan> alone;

  /// EXPLAIN of a statement (kind local, without `local`): the plan explained. Its holes and
  /// literals are those of the whole EXPLAIN statement.
  struct Explain {
    std::shared_ptr<const Plan> plan;
    std::size_t offset = 0;   ///< where the explained statement begins in the text, in bytes
    std::string options;      ///< for a shard's own EXPLAIN: "(VERBOSE, COSTS off)"; may be empty
    bool analyze = false;
    bool verbose = false;
    std::string format = "text";  ///< text, json, xml, yaml
  };
  std::optional<Explain> explained;
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
  std::vector<std::string> finish;        ///< Plan::finish, cut at its holes
  /// Gather::pieces of each shard, in shard order; `queries` are these together. Only where there are restrictions.
  struct PieceQuery {
    int shard = -1;
    int piece = -1;
    std::string sql;
  };
  std::vector<PieceQuery> pieces;
  std::string rest;                       ///< Gather::rest
  std::vector<BoundPlan> fed;             ///< of each feed: its rows
  std::size_t last = 0;                   ///< split INSERT: which of `queries` has the statement's last row
  std::vector<std::size_t> query_of_row;  ///< split INSERT: which of `queries` has each row
  std::vector<values::Datum> slots;       ///< for merge::Binding
};

}  // namespace anabranch::rewriter
