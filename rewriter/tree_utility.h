#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rewriter/fetch_range.h"
#include "rewriter/tree_query.h"

/// Statements that are no query, as far as the planner looks into them.
namespace anabranch::rewriter::tree {

struct RelationName {
  std::string schema, name;
  bool only = false;  ///< ONLY: without what inherits from it
  enum class Kind { unknown, table, view, index, sequence, materialized_view } kind = Kind::unknown;
};
struct Option {
  std::string name;
  std::string value;
  bool has_value = false;
  std::vector<std::string> items = {};  ///< of a list, `value` joined
};  ///< lower case name; value as SQL text (strings unquoted)

struct Transaction {
  enum class Kind {
    begin,
    start,
    commit,
    rollback,
    savepoint,
    release,
    rollback_to,
    prepare,
    commit_prepared,
    rollback_prepared
  } kind;
  std::string options;  ///< "ISOLATION LEVEL SERIALIZABLE, READ ONLY"
  std::string name;     ///< savepoint or gid
  bool chain = false;
};
struct SetVariable {
  /// transaction: SET TRANSACTION …; session_characteristics; `value` then holds the modes.
  enum class Kind {
    value,
    to_default,
    from_current,
    reset,
    reset_all,
    transaction,
    session_characteristics,
    transaction_snapshot
  } kind;
  std::string name;                ///< "search_path", "timezone", "role", "session_authorization" …
  std::string value;               ///< SQL text that may follow `SET name TO`
  std::vector<std::string> items;  ///< the values, unquoted
  bool local = false;
};
/// MySQL's SET: a list of anything that can be set.
struct SetVariables {
  struct Item {
    enum class Kind {
      user_variable,
      session,
      global,
      persist,
      persist_only,
      unscoped,  ///< SET x = …: a session variable, or a stored program's own
      names,
      character_set,
      transaction,         ///< SET TRANSACTION …, of the next one; `name` holds the modes
      session_transaction, ///< SET SESSION TRANSACTION …
      global_transaction,
      password
    } kind = Kind::unscoped;
    std::string name;
    ExprPtr value;          ///< null: DEFAULT; Keyword for words like ON
    std::string collation;  ///< SET NAMES … COLLATE
  };
  std::vector<Item> items;
};
/// MySQL's SET STATEMENT … FOR a statement.
struct SetStatement {
  std::vector<SetVariables::Item> items;
  std::string prefix;  ///< as written, FOR included
  StatementPtr statement;
};
struct Use {
  std::string database;
};
/// MySQL's LOAD DATA.
struct Load {
  TableRef table;
  bool local = false, xml = false, replace = false, ignore = false;
  std::string file;
  std::vector<Option> options;      ///< "character_set", "fields_terminated", "fields_enclosed",
                                    ///< "fields_escaped", "lines_starting", "lines_terminated",
                                    ///< "ignore_lines", "optionally_enclosed" …
  std::size_t skip_begin = 0, skip_end = 0;  ///< IGNORE n LINES, in the statement's text; equal: there is none
  std::vector<std::string> fields;  ///< columns, and variables as "@name"; empty: all columns
  std::vector<Assignment> set;
};
struct Show {
  std::string name;
};  ///< "all" for SHOW ALL; MySQL: what is shown, in words: "full columns"
struct SetConstraints {
  bool all = false;
  std::vector<Name> names;
  bool deferred = false;
};
struct Copy {
  std::optional<TableRef> table;
  std::vector<std::string> columns;
  StatementPtr query;  ///< may be null
  bool from = false;   ///< COPY … FROM; else TO
  bool program = false;
  std::string file;             ///< empty: STDIN or STDOUT
  std::vector<Option> options;  ///< new and old spelling alike: format, delimiter, null, header,
                                ///< quote, escape, force_null …
  ExprPtr where;                ///< may be null
};
struct ColumnDefinition {
  std::string name;
  TypeName type;  ///< names empty when left out
  std::string collation;
  bool not_null = false, primary_key = false, unique = false, identity = false, generated = false;
  std::optional<TableRef> references;
  std::vector<std::string> referenced;  ///< the columns there; empty: its primary key
  bool has_default = false;
  std::string default_text;
};
struct CreateTable {
  TableRef table;
  enum class Persistence { permanent, temporary, unlogged } persistence = Persistence::permanent;
  bool if_not_exists = false;
  std::vector<ColumnDefinition> columns;
  /// PRIMARY KEY, UNIQUE: columns; FOREIGN KEY: columns and the table referenced.
  struct TableConstraint {
    std::string kind;
    std::vector<std::string> columns;
    std::optional<TableRef> references;
    std::vector<std::string> referenced;  ///< the columns there; empty: its primary key
  };
  std::vector<TableConstraint> constraints;
  bool partitioned = false;
  std::optional<TableRef> partition_of;
  std::vector<TableRef> inherits;
  std::vector<TableRef> likes;
};
struct CreateTableAs {
  TableRef table;
  CreateTable::Persistence persistence = CreateTable::Persistence::permanent;
  bool materialized_view = false, if_not_exists = false, with_no_data = false;
  StatementPtr query;  ///< may be an EXECUTE
  std::string empty_form;  ///< the statement, as if it said WITH NO DATA
};
struct CreateView {
  TableRef view;
  bool replace = false, temporary = false;
  SelectPtr query;
};
struct CreateIndex {
  TableRef table;
  std::string name;
  bool unique = false, concurrently = false, if_not_exists = false;
  std::vector<std::string> columns;
};
struct AlterTable {
  TableRef table;
  bool if_exists = false;
  std::vector<std::string> actions;  ///< "AT_AddColumn" …
  std::vector<std::string> names;    ///< of the column or constraint, one an action; may be empty
  std::vector<ColumnDefinition> columns;  ///< added
  std::vector<CreateTable::TableConstraint> constraints;  ///< added
};
struct Rename {
  std::string object;
  std::string old_name, new_name;
};
struct Drop {
  std::string object;
  std::vector<Name> names;
  bool if_exists = false, cascade = false, concurrently = false;
  bool temporary = false;  ///< MySQL: nothing else is dropped
};  ///< "TABLE", "INDEX" …
struct Truncate {
  bool restart_identity = false, cascade = false;
};
struct Explain {
  bool analyze = false, verbose = false;
  std::vector<Option> options;
  StatementPtr statement;
};
struct Prepare {
  std::string name;
  std::vector<TypeName> types;
  StatementPtr statement;
  ExprPtr source;  ///< MySQL: FROM a string or a variable; `statement` is null then
};
struct Execute {
  std::string name;
  std::vector<ExprPtr> args;
  ExprPtr source;  ///< MySQL's EXECUTE IMMEDIATE: its text; `name` is empty then
};
struct Deallocate {
  std::string name;
};  ///< empty: ALL
struct DeclareCursor {
  std::string name;
  bool hold = false, scroll = false, no_scroll = false, binary = false, insensitive = false;
  StatementPtr query;
};
struct Fetch {
  std::string cursor;
  FetchRange range;
};
struct CloseCursor {
  std::string name;
};  ///< empty: ALL
struct Notify {
  std::string channel, payload;
  bool has_payload = false;
};
struct Listen {
  std::string channel;
};
struct Unlisten {
  std::string channel;
};  ///< empty: *
struct LockTable {
  std::string mode;  ///< "ACCESS SHARE"
  bool nowait = false;
  /// MySQL: each table as written, with its alias and the kind of lock.
  struct Part {
    std::string schema, name, text;
  };
  std::vector<Part> parts;
  std::string wait = {};  ///< MySQL: "NOWAIT", "WAIT 5"
};
struct Discard {
  std::string what;
};  ///< "ALL", "PLANS", "SEQUENCES", "TEMP"
struct Call {
  ExprPtr call;
};
struct Do {};
struct Vacuum {
  bool analyze_only = false;
  std::vector<Option> options;
};

/// Everything that is no query: kind and names of all relations for every statement, details for
/// those the planner looks into. All its literals are pinned.
struct Utility {
  std::string kind;  ///< libpg_query's node: "CreateStmt", "GrantStmt", "MergeStmt" …; what only
                     ///< MySQL has is named alike: "UseStmt", "LoadStmt", "HandlerStmt"; a query
                     ///< with a clause that this tree has no place for is a "VerbatimStmt"
  std::string tag;   ///< the command's words: "CREATE TABLE"
  std::string text;  ///< the whole statement as written
  std::vector<RelationName>
      relations;  ///< named anywhere in it (CTE names included), first mention first
  using Detail =
      std::variant<std::monostate, Transaction, SetVariable, SetVariables, SetStatement, Use, Load, Show, SetConstraints, Copy,
                   CreateTable, CreateTableAs, CreateView, CreateIndex, AlterTable, Rename, Drop,
                   Truncate, Explain, Prepare, Execute, Deallocate, DeclareCursor, Fetch,
                   CloseCursor, Notify, Listen, Unlisten, LockTable, Discard, Call, Do, Vacuum>;
  Detail detail;
  template <class T>
  const T* as() const {
    return std::get_if<T>(&detail);
  }
};

}  // namespace anabranch::rewriter::tree
