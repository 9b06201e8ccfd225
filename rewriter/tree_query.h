#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rewriter/shape.h"

/// Our own syntax tree, one for every dialect: queries and writes, and what they are made of (tree.h has the
/// rest). Plain data: nodes own their children, an Expr is never null except where a comment says "may be
/// null". Names are as the server sees them (folded, unquoted). What the tree does not model is kept as
/// Verbatim text and is never dropped.
namespace anabranch::rewriter::tree {

struct Expr;
struct Select;
struct Statement;
struct FromItem;
using ExprPtr = std::unique_ptr<Expr>;
using SelectPtr = std::unique_ptr<Select>;
using StatementPtr = std::unique_ptr<Statement>;
using FromPtr = std::unique_ptr<FromItem>;
using Name = std::vector<std::string>;  ///< a qualified name, schema first

/// Literals whose value has been read while planning: they become part of the plan's cache key.
class PinSet {
 public:
  void pin(int token) {
    if (token >= 0) tokens_.insert(token);
  }
  bool contains(int token) const { return tokens_.contains(token); }
  std::vector<int> ascending() const { return {tokens_.begin(), tokens_.end()}; }

 private:
  std::set<int> tokens_;
};

// ---------------------------------------------------------------------------------- expressions

/// What the resolver found out about a column reference.
struct ResolvedColumn {
  int relation = -1;  ///< index in the query block's list of relations
  int column = -1;    ///< index in that relation; -1: the whole row
  int levels_up = 0;  ///< 0: the block the reference stands in
};

struct ColumnRef {
  Name parts;         ///< without the star
  bool star = false;  ///< `*`, `t.*`, `s.t.*`
  mutable std::optional<ResolvedColumn> resolved;
};

/// Reading the value of a literal pins it; printing only refers to its token.
class Literal {
 public:
  /// bigint is an integer past int4; numeric may still be one past int8 ("1e3", "1.5").
  enum class Kind { null, boolean, integer, bigint, numeric, string, bit_string };
  Literal() = default;
  Literal(Kind kind, std::string text, int token = -1, int same_as = -1)
      : kind_(kind), text_(std::move(text)), token_(token), same_as_(same_as) {}

  Kind kind() const { return kind_; }  ///< part of the shape: reading it pins nothing
  /// Index in Shape::literals(); -1 for NULL, TRUE, FALSE and constants made by the planner.
  int token() const { return token_; }
  /// Shape::equal_to() of the token: two literals of one statement with the same spelling share it.
  int same_as() const { return same_as_; }
  /// Numbers as written ("1e3"), strings with quotes and escapes undone, booleans "true"/"false",
  /// bit strings "b0101" or "x1f", null "".
  const std::string& value(PinSet& pins) const {
    pins.pin(token_);
    return text_;
  }
  /// For tests and for comparing statements as wholes: reads without pinning.
  const std::string& unpinned_value() const { return text_; }

 private:
  Kind kind_ = Kind::null;
  std::string text_;
  int token_ = -1;
  int same_as_ = -1;
};

struct Param {
  int number = 0;
};  ///< $1 is 1

/// A type as written. Modifiers are baked into the text (their literals are pinned).
struct TypeName {
  Name names;  ///< {"pg_catalog","int4"} or as the user wrote it
  bool setof = false;
  bool percent_type = false;      ///< col%TYPE
  std::vector<int> array_bounds;  ///< -1: unspecified; empty: not an array
  std::string text;               ///< printable, modifiers and array bounds included
};

struct TypeCast {
  ExprPtr arg;
  TypeName type;
};

struct SortKey {
  ExprPtr expr;
  enum class Direction {
    unspecified,
    ascending,
    descending,
    using_operator
  } direction = Direction::unspecified;
  enum class Nulls { unspecified, first, last } nulls = Nulls::unspecified;
  Name using_op;
};

struct WindowDef {
  std::string name;      ///< of the WINDOW clause's entry
  std::string ref_name;  ///< OVER w (use `over_name`) or OVER (w …): the window it builds on
  std::vector<ExprPtr> partition_by;
  std::vector<SortKey> order_by;
  /// The frame: empty when left out, else "ROWS", "RANGE" or "GROUPS".
  std::string frame_mode;
  enum class Bound {
    unbounded_preceding,
    offset_preceding,
    current_row,
    offset_following,
    unbounded_following
  };
  Bound frame_start = Bound::unbounded_preceding;
  Bound frame_end = Bound::current_row;
  bool frame_between = false;
  enum class Exclude { none, current_row, group, ties } exclude = Exclude::none;
  ExprPtr start_offset;  ///< may be null
  ExprPtr end_offset;    ///< may be null
};
using WindowPtr = std::unique_ptr<WindowDef>;

struct FunctionCall {
  Name name;
  std::vector<ExprPtr> args;  ///< may hold NamedArg
  bool star = false;          ///< count(*)
  bool distinct = false;
  bool variadic = false;      ///< the last argument is VARIADIC
  bool within_group = false;  ///< order_by is WITHIN GROUP's
  std::vector<SortKey> order_by;
  ExprPtr filter;         ///< may be null
  ExprPtr separator;      ///< GROUP_CONCAT(… SEPARATOR s); may be null
  ExprPtr limit, offset;  ///< MariaDB's GROUP_CONCAT(… LIMIT offset, limit); may be null
  std::string over_name;  ///< OVER name
  WindowPtr over;         ///< OVER (…); may be null
  /// SQL syntax of its own, equal to the call pg_catalog.name(args): "extract", "overlay",
  /// "position", "substring", "trim", "normalize", "is_normalized", "overlaps", "timezone",
  /// "collation_for", …; MySQL's "extract", "position", "trim", "char" and "convert" (… USING),
  /// "match" (… AGAINST), their words among the arguments as Keywords.
  bool sql_syntax = false;
  bool windowed() const { return over || !over_name.empty(); }
};

/// Comparison, arithmetic, user operators; also LIKE (~~), NOT LIKE (!~~), ILIKE (~~*, !~~*), and
/// SIMILAR TO (right side wrapped in similar_to_escape), as the server itself reads them.
/// MySQL's words are operators too: "XOR", "DIV", "REGEXP", "MEMBER OF", the prefix "BINARY"; so is
/// ":=". MOD is "%", `a <=> b` a DistinctFrom, RLIKE "REGEXP", SOUNDS LIKE a comparison of soundex().
struct OperatorCall {
  std::string schema;  ///< OPERATOR(schema.op); empty else
  std::string name;
  ExprPtr left;  ///< null: prefix operator
  ExprPtr right;
  enum class Syntax { plain, like, ilike, similar } syntax = Syntax::plain;
};

struct BoolOp {
  enum class Kind { and_, or_, not_ } kind = Kind::and_;
  std::vector<ExprPtr> args;  ///< and, or: two or more, flattened as the server does; not: one
};
struct NullTest {
  ExprPtr arg;
  bool negated = false;
};
struct BooleanTest {
  ExprPtr arg;
  enum class Kind {
    is_true,
    is_not_true,
    is_false,
    is_not_false,
    is_unknown,
    is_not_unknown
  } kind = Kind::is_true;
};
struct Between {
  ExprPtr arg, low, high;
  bool symmetric = false;
  bool negated = false;
};
struct InList {
  ExprPtr arg;
  std::vector<ExprPtr> list;
  bool negated = false;
};
struct InSubquery {
  ExprPtr arg;
  SelectPtr query;
  bool negated = false;
};
/// `arg op ANY|ALL (subquery)` or `arg op ANY|ALL (array)`: one of the two is set.
struct AnyAll {
  ExprPtr arg;
  std::string op_schema;
  std::string op;
  bool all = false;
  SelectPtr query;
  ExprPtr array;
};
struct Exists {
  SelectPtr query;
};
struct ScalarSubquery {
  SelectPtr query;
};
struct ArraySubquery {
  SelectPtr query;
};
struct Case {
  struct When {
    ExprPtr condition, result;
  };
  ExprPtr arg;  ///< may be null
  std::vector<When> whens;
  ExprPtr otherwise;  ///< may be null
};
struct Coalesce {
  std::vector<ExprPtr> args;
};
struct NullIf {
  ExprPtr left, right;
};
struct MinMax {
  bool greatest = false;
  std::vector<ExprPtr> args;
};
struct DistinctFrom {
  ExprPtr left, right;
  bool negated = false;
};  ///< negated: IS NOT DISTINCT FROM
struct ArrayLiteral {
  std::vector<ExprPtr> elements;
};
struct Row {
  std::vector<ExprPtr> fields;
  bool explicit_row = false;
};
/// a[1], a[1:2], (r).f, (r).*: one step each, nested.
struct Subscript {
  ExprPtr arg;
  bool slice = false;
  ExprPtr lower, upper;
};  ///< not a slice: upper only
struct FieldSelect {
  ExprPtr arg;
  std::string field;
  bool star = false;
};
struct Collate {
  ExprPtr arg;
  Name collation;
};
struct AtTimeZone {
  ExprPtr arg, zone;
};
/// current_date, current_time(p), localtimestamp, current_user, session_user, current_schema, …
struct SqlValueFunction {
  std::string name;
  int precision = -1;
};  ///< lower case; -1: none
struct Grouping {
  std::vector<ExprPtr> args;
};
struct SetToDefault {};
struct NamedArg {
  std::string name;
  ExprPtr arg;
};
/// `(a, b) = (SELECT …)` / `= ROW(…)` in UPDATE: column `column` (from 1) of `count`. The source is
/// held by the first one; null in the others.
struct MultiAssign {
  ExprPtr source;
  int column = 1;
  int count = 1;
};
/// INTERVAL count unit: right of + and -, left of +, second argument of DATE_ADD and the like.
struct Interval {
  ExprPtr count;
  std::string unit;  ///< lower case: "day", "minute_second"
};
/// A literal that a word before it gives a meaning: DATE'…', _utf8mb4'…', N'…', {d '…'}.
struct PrefixedLiteral {
  std::string prefix;  ///< "DATE", "TIME", "TIMESTAMP", "_utf8mb4", "N", "{d", "{t", "{ts"
  ExprPtr literal;
};
/// @name, @@name, @@scope.name.
struct Variable {
  bool system = false;
  std::string scope;  ///< lower case: "session", "global", "local"; empty: none
  Name name;          ///< system: lower case, one part or two
};
/// A word of the grammar among a call's arguments: a unit, a character set.
struct Keyword {
  std::string word;
};
/// Anything else. The text is complete; `children` only show what is inside (columns, calls,
/// subqueries), changing them changes nothing.
struct Verbatim {
  std::string text;
  std::string node;
  std::vector<ExprPtr> children;
};

struct Expr {
  using Node =
      std::variant<ColumnRef, Literal, Param, TypeCast, FunctionCall, OperatorCall, BoolOp,
                   NullTest, BooleanTest, Between, InList, InSubquery, AnyAll, Exists,
                   ScalarSubquery, ArraySubquery, Case, Coalesce, NullIf, MinMax, DistinctFrom,
                   ArrayLiteral, Row, Subscript, FieldSelect, Collate, AtTimeZone, SqlValueFunction,
                   Grouping, SetToDefault, NamedArg, MultiAssign, Interval, PrefixedLiteral,
                   Variable, Keyword, Verbatim>;
  Node node;
  int location = -1;  ///< byte offset in the statement; -1: unknown or made by the planner

  explicit Expr(Node n, int at = -1);
  Expr(Expr&&) noexcept;
  Expr& operator=(Expr&&) noexcept;
  ~Expr();
  template <class T>
  T* as() {
    return std::get_if<T>(&node);
  }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};

// ----------------------------------------------------------------------------------- from items

struct Alias {
  std::string name;
  std::vector<std::string> columns;
};  ///< name empty: no alias

struct TableRef {
  std::string catalog;  ///< db.schema.table; usually empty
  std::string schema;   ///< empty: by search_path (or a CTE)
  std::string name;
  Alias alias;
  bool only = false;
  std::string tablesample;  ///< "TABLESAMPLE system (10) REPEATABLE (1)", verbatim; empty: none
  std::string qualifier;    ///< MySQL, before the alias: "PARTITION (`p0`)", verbatim; empty: none
  std::string hints;        ///< MySQL, after the alias: "USE INDEX (`a`)", verbatim; empty: none
  std::string rows;         ///< printed in the name's place: what the planner gives the shards instead; empty: the name
  /// Of a table that has one for each bucket, as the resolver found: its index in ShardMap::tables(); and one of them.
  mutable int physical = -1;
  mutable Name one_bucket;
};
struct SubqueryRef {
  SelectPtr query;
  Alias alias;
  bool lateral = false;
};
struct Join {
  enum class Kind { inner, left, right, full, cross } kind = Kind::inner;
  bool natural = false;
  bool straight = false;  ///< STRAIGHT_JOIN: left before right
  FromPtr left, right;
  std::vector<std::string> using_columns;
  std::string using_alias;  ///< JOIN … USING (…) AS x
  ExprPtr on;               ///< may be null
  Alias alias;              ///< (a JOIN b …) AS x
};
/// A function (or ROWS FROM) in FROM. `call` is the single function where there is just one without
/// a column definition list; `text` always prints the item whole, alias included.
struct FunctionRef {
  ExprPtr call;  ///< may be null: then print `text`, `children` show what is inside
  bool ordinality = false;
  bool lateral = false;
  Alias alias;
  std::string text;
  std::vector<ExprPtr> children;
};
struct VerbatimFrom {
  std::string text;
  std::string node;
  Alias alias;
  std::vector<ExprPtr> children;
};

struct FromItem {
  using Node = std::variant<TableRef, SubqueryRef, Join, FunctionRef, VerbatimFrom>;
  Node node;
  int location = -1;

  explicit FromItem(Node n, int at = -1);
  FromItem(FromItem&&) noexcept;
  FromItem& operator=(FromItem&&) noexcept;
  ~FromItem();
  template <class T>
  T* as() {
    return std::get_if<T>(&node);
  }
  template <class T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};

// ----------------------------------------------------------------------------------- statements

struct Cte {
  std::string name;
  std::vector<std::string> columns;
  enum class Materialized { unspecified, always, never } materialized = Materialized::unspecified;
  StatementPtr statement;
  std::string tail;  ///< SEARCH and CYCLE clauses, verbatim
};
struct With {
  bool recursive = false;
  std::vector<Cte> ctes;
};  ///< no ctes: no WITH

/// MySQL names a column without an alias by its text; `alias` then is that name, `implied` says so.
struct Target {
  ExprPtr expr;
  std::string alias;
  int location = -1;
  bool implied = false;  ///< not compared: printed, the alias is written out
};

/// One item of GROUP BY: an expression, or a grouping set (nested).
struct GroupItem {
  enum class Kind { expr, empty, rollup, cube, sets, list } kind = Kind::expr;
  ExprPtr expr;                  ///< kind expr
  std::vector<GroupItem> items;  ///< the others; list is `(a, b)` within a set
  SortKey::Direction direction = SortKey::Direction::unspecified;  ///< MySQL: GROUP BY a DESC
};

struct Locking {
  enum class Strength { key_share, share, no_key_update, update } strength = Strength::update;
  std::vector<std::string> tables;
  enum class Wait { block, skip_locked, nowait, seconds } wait = Wait::block;
  std::string seconds;         ///< MariaDB: WAIT n
  bool in_share_mode = false;  ///< a share lock, spelled LOCK IN SHARE MODE
};

enum class SetOperation { none, union_, intersect, except };

/// A query: a set operation (left, right), or VALUES (values), or a plain SELECT; WITH, ORDER BY,
/// LIMIT, OFFSET and locking may stand on each.
struct Select {
  With with;
  std::vector<std::string> modifiers;  ///< MySQL's words after SELECT, an optimizer hint first
  bool distinct = false;             ///< SELECT DISTINCT
  std::vector<ExprPtr> distinct_on;  ///< SELECT DISTINCT ON (…); `distinct` is false then
  std::vector<Target> targets;
  std::vector<FromPtr> from;
  ExprPtr where;  ///< may be null
  std::vector<GroupItem> group_by;
  bool group_distinct = false;
  ExprPtr having;  ///< may be null
  std::vector<WindowDef> windows;
  SetOperation set_op = SetOperation::none;
  bool set_all = false;
  SelectPtr left, right;
  std::vector<std::vector<ExprPtr>> values;
  bool row_values = false;  ///< VALUES ROW(…), ROW(…)
  std::vector<SortKey> order_by;
  ExprPtr limit;   ///< may be null; NULL literal for LIMIT ALL
  ExprPtr offset;  ///< may be null
  bool with_ties = false;
  std::vector<Locking> locking;
  std::string into;  ///< "INTO TEMP t", "INTO @a", verbatim; empty: none
  Name into_table;   ///< PostgreSQL: the table's name
  bool into_behind = false;  ///< MySQL: behind FROM, of which servers warn
  int location = -1;
};

struct Assignment {
  std::string column;
  std::vector<ExprPtr>
      indirection;  ///< col[1], col.f: Subscript and FieldSelect steps with a null `arg`
  ExprPtr value;    ///< SetToDefault, MultiAssign or an expression
  int location = -1;
  Name qualifier = {};  ///< MySQL: the table, where it is named
};

/// MySQL's ON DUPLICATE KEY UPDATE is an update without a target.
struct OnConflict {
  enum class Action { nothing, update } action = Action::nothing;
  struct Element {
    ExprPtr expr;
    Name collation;
    Name op_class;
  };
  std::vector<Element> target;  ///< column names are ColumnRefs
  ExprPtr target_where;         ///< may be null
  std::string constraint;       ///< ON CONSTRAINT name
  std::vector<Assignment> set;
  ExprPtr where;  ///< may be null
};

struct Insert {
  With with;
  std::vector<std::string> modifiers;  ///< as Select's
  bool replace = false;                ///< REPLACE
  bool ignore = false;                 ///< INSERT IGNORE
  TableRef table;
  struct Column {
    std::string name;
    std::vector<ExprPtr> indirection;
  };
  std::vector<Column> columns;  ///< empty: all
  enum class Overriding { none, user_value, system_value } overriding = Overriding::none;
  SelectPtr source;  ///< null: DEFAULT VALUES
  Alias row_alias;   ///< MySQL: VALUES … AS new (a, b)
  std::unique_ptr<OnConflict> on_conflict;
  std::vector<Target> returning;
};

struct Update {
  With with;
  std::vector<std::string> modifiers;  ///< as Select's
  bool ignore = false;
  TableRef table;  ///< without a name: MySQL's UPDATE of several tables, all in `from`
  std::vector<Assignment> set;
  std::vector<FromPtr> from;
  ExprPtr where;                  ///< may be null
  std::vector<SortKey> order_by;  ///< MySQL
  ExprPtr limit;                  ///< MySQL; may be null
  std::string current_of;  ///< WHERE CURRENT OF cursor
  std::vector<Target> returning;
};

struct Delete {
  With with;
  std::vector<std::string> modifiers;  ///< as Select's
  bool ignore = false;
  TableRef table;  ///< without a name: MySQL's DELETE of `targets` out of `using_`
  std::vector<Name> targets;
  std::vector<FromPtr> using_;
  ExprPtr where;                  ///< may be null
  std::vector<SortKey> order_by;  ///< MySQL
  ExprPtr limit;                  ///< MySQL; may be null
  std::string current_of;
  std::vector<Target> returning;
};

}  // namespace anabranch::rewriter::tree
