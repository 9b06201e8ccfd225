#include <pg_query.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "rewriter/lower.h"
#include "values/sql_error.h"

namespace anabranch::rewriter {

std::string text_or_empty(const char* text) {
  return text ? text : std::string();
}

std::string string_of(const PgQuery__Node* node) {
  if (node && node->node_case == PG_QUERY__NODE__NODE_STRING)
    return text_or_empty(node->string->sval);
  return {};
}

std::vector<std::string> strings_of(std::size_t count, PgQuery__Node** nodes) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(string_of(nodes[i]));
  return out;
}

std::vector<const PgQuery__Node*> items_of(const PgQuery__Node* node) {
  if (!node) return {};
  if (node->node_case != PG_QUERY__NODE__NODE_LIST) return {node};
  return {node->list->items, node->list->items + node->list->n_items};
}

namespace {

// Messages are made by init functions: the INIT macros refer to a symbol of protobuf-c that is
// hidden.
std::string deparse(PgQuery__Node& node) {
  PgQuery__RawStmt raw;
  pg_query__raw_stmt__init(&raw);
  raw.stmt = &node;
  PgQuery__RawStmt* raws[] = {&raw};
  PgQuery__ParseResult result;
  pg_query__parse_result__init(&result);
  result.version = PG_VERSION_NUM;
  result.n_stmts = 1;
  result.stmts = raws;
  std::string bytes(pg_query__parse_result__get_packed_size(&result), '\0');
  pg_query__parse_result__pack(&result, reinterpret_cast<std::uint8_t*>(bytes.data()));
  const PgQueryDeparseResult deparsed = pg_query_deparse_protobuf({bytes.size(), bytes.data()});
  const std::string text = deparsed.error ? std::string() : text_or_empty(deparsed.query);
  pg_query_free_deparse_result(deparsed);
  if (text.empty()) throw values::SqlError("0A000", "a clause of this statement is not supported");
  return text;
}

std::string deparse_select(PgQuery__SelectStmt& select) {
  PgQuery__Node node;
  pg_query__node__init(&node);
  node.node_case = PG_QUERY__NODE__NODE_SELECT_STMT;
  node.select_stmt = &select;
  select.limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
  select.op = PG_QUERY__SET_OPERATION__SETOP_NONE;
  return deparse(node);
}

PgQuery__Node* loose(const PgQuery__Node* node) {
  return const_cast<PgQuery__Node*>(node);
}

std::string after(const std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    throw values::SqlError("0A000", "a clause of this statement is not supported");
  return text.substr(prefix.size());
}

}  // namespace

std::string deparse_expr(const PgQuery__Node* node) {
  PgQuery__ResTarget target;
  pg_query__res_target__init(&target);
  target.val = loose(node);
  PgQuery__Node wrapped;
  pg_query__node__init(&wrapped);
  wrapped.node_case = PG_QUERY__NODE__NODE_RES_TARGET;
  wrapped.res_target = &target;
  PgQuery__Node* list[] = {&wrapped};
  PgQuery__SelectStmt select;
  pg_query__select_stmt__init(&select);
  select.n_target_list = 1;
  select.target_list = list;
  return after(deparse_select(select), "SELECT ");
}

std::string deparse_without_data(const PgQuery__CreateTableAsStmt& create) {
  PgQuery__IntoClause into = *create.into;
  into.skip_data = 1;
  PgQuery__CreateTableAsStmt copy = create;
  copy.into = &into;
  PgQuery__Node node;
  pg_query__node__init(&node);
  node.node_case = PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT;
  node.create_table_as_stmt = &copy;
  return deparse(node);
}

std::string deparse_from(const PgQuery__Node* node) {
  PgQuery__AStar star;
  pg_query__a__star__init(&star);
  PgQuery__Node star_node;
  pg_query__node__init(&star_node);
  star_node.node_case = PG_QUERY__NODE__NODE_A_STAR;
  star_node.a_star = &star;
  PgQuery__Node* fields[] = {&star_node};
  PgQuery__ColumnRef column;
  pg_query__column_ref__init(&column);
  column.n_fields = 1;
  column.fields = fields;
  PgQuery__Node column_node;
  pg_query__node__init(&column_node);
  column_node.node_case = PG_QUERY__NODE__NODE_COLUMN_REF;
  column_node.column_ref = &column;
  PgQuery__ResTarget target;
  pg_query__res_target__init(&target);
  target.val = &column_node;
  PgQuery__Node target_node;
  pg_query__node__init(&target_node);
  target_node.node_case = PG_QUERY__NODE__NODE_RES_TARGET;
  target_node.res_target = &target;
  PgQuery__Node* list[] = {&target_node};
  PgQuery__Node* froms[] = {loose(node)};
  PgQuery__SelectStmt select;
  pg_query__select_stmt__init(&select);
  select.n_target_list = 1;
  select.target_list = list;
  select.n_from_clause = 1;
  select.from_clause = froms;
  return after(deparse_select(select), "SELECT * FROM ");
}

std::string node_kind(const PgQuery__Node* node) {
  const auto& nodes = pg_query__node__descriptor;
  for (unsigned i = 0; i < nodes.n_fields; ++i)
    if (nodes.fields[i].id == static_cast<std::uint32_t>(node->node_case))
      return static_cast<const ProtobufCMessageDescriptor*>(nodes.fields[i].descriptor)->short_name;
  return {};
}

namespace {
std::string enum_name(const ProtobufCEnumDescriptor& descriptor, int value) {
  for (unsigned i = 0; i < descriptor.n_values; ++i)
    if (descriptor.values[i].value == value) return descriptor.values[i].name;
  return {};
}
}  // namespace

std::string alter_table_action(PgQuery__AlterTableType type) {
  return enum_name(pg_query__alter_table_type__descriptor, type);
}

std::string object_words(PgQuery__ObjectType type) {
  std::string words = enum_name(pg_query__object_type__descriptor, type);
  if (words.starts_with("OBJECT_")) words.erase(0, 7);
  if (words == "MATVIEW") return "MATERIALIZED VIEW";
  if (words == "FDW") return "FOREIGN DATA WRAPPER";
  if (words == "FOREIGN_SERVER") return "SERVER";
  if (words == "STATISTIC_EXT") return "STATISTICS";
  if (words == "TABCONSTRAINT" || words == "DOMCONSTRAINT") return "CONSTRAINT";
  if (words.starts_with("TS") && words != "TABLESPACE") return "TEXT SEARCH " + words.substr(2);
  if (words == "OPCLASS") return "OPERATOR CLASS";
  if (words == "OPFAMILY") return "OPERATOR FAMILY";
  std::ranges::replace(words, '_', ' ');
  return words;
}

namespace {

struct Tag {
  const char* kind;
  const char* words;
};

constexpr auto tags = std::to_array<Tag>({
    {"AlterDatabaseSetStmt", "ALTER DATABASE"},
    {"AlterRoleSetStmt", "ALTER ROLE"},
    {"CallStmt", "CALL"},
    {"CheckPointStmt", "CHECKPOINT"},
    {"ClosePortalStmt", "CLOSE CURSOR"},
    {"ClusterStmt", "CLUSTER"},
    {"CommentStmt", "COMMENT"},
    {"CompositeTypeStmt", "CREATE TYPE"},
    {"ConstraintsSetStmt", "SET CONSTRAINTS"},
    {"CopyStmt", "COPY"},
    {"CreateEnumStmt", "CREATE TYPE"},
    {"CreateRangeStmt", "CREATE TYPE"},
    {"CreateDomainStmt", "CREATE DOMAIN"},
    {"CreateExtensionStmt", "CREATE EXTENSION"},
    {"CreatePolicyStmt", "CREATE POLICY"},
    {"CreateSchemaStmt", "CREATE SCHEMA"},
    {"CreateSeqStmt", "CREATE SEQUENCE"},
    {"CreateStatsStmt", "CREATE STATISTICS"},
    {"CreateStmt", "CREATE TABLE"},
    {"CreateForeignTableStmt", "CREATE FOREIGN TABLE"},
    {"CreateTrigStmt", "CREATE TRIGGER"},
    {"CreateRoleStmt", "CREATE ROLE"},
    {"AlterRoleStmt", "ALTER ROLE"},
    {"DropRoleStmt", "DROP ROLE"},
    {"CreatedbStmt", "CREATE DATABASE"},
    {"DropdbStmt", "DROP DATABASE"},
    {"DeclareCursorStmt", "DECLARE CURSOR"},
    {"DoStmt", "DO"},
    {"ExecuteStmt", "EXECUTE"},
    {"ExplainStmt", "EXPLAIN"},
    {"IndexStmt", "CREATE INDEX"},
    {"ListenStmt", "LISTEN"},
    {"LoadStmt", "LOAD"},
    {"LockStmt", "LOCK TABLE"},
    {"MergeStmt", "MERGE"},
    {"NotifyStmt", "NOTIFY"},
    {"PrepareStmt", "PREPARE"},
    {"RefreshMatViewStmt", "REFRESH MATERIALIZED VIEW"},
    {"ReindexStmt", "REINDEX"},
    {"RuleStmt", "CREATE RULE"},
    {"TruncateStmt", "TRUNCATE TABLE"},
    {"UnlistenStmt", "UNLISTEN"},
    {"VariableShowStmt", "SHOW"},
    {"ViewStmt", "CREATE VIEW"},
    {"AlterSeqStmt", "ALTER SEQUENCE"},
    {"AlterEnumStmt", "ALTER TYPE"},
    {"AlterDomainStmt", "ALTER DOMAIN"},
    {"AlterSystemStmt", "ALTER SYSTEM"},
    {"ReassignOwnedStmt", "REASSIGN OWNED"},
    {"DropOwnedStmt", "DROP OWNED"},
    {"AlterDefaultPrivilegesStmt", "ALTER DEFAULT PRIVILEGES"},
    {"ImportForeignSchemaStmt", "IMPORT FOREIGN SCHEMA"},
    {"SecLabelStmt", "SECURITY LABEL"},
});

const char* transaction_tag(PgQuery__TransactionStmtKind kind) {
  switch (kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
      return "BEGIN";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
      return "START TRANSACTION";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
      return "COMMIT";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
      return "SAVEPOINT";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
      return "RELEASE";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
      return "PREPARE TRANSACTION";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
      return "COMMIT PREPARED";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
      return "ROLLBACK PREPARED";
    default:
      return "ROLLBACK";
  }
}

const char* discard_tag(PgQuery__DiscardMode mode) {
  switch (mode) {
    case PG_QUERY__DISCARD_MODE__DISCARD_PLANS:
      return "DISCARD PLANS";
    case PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES:
      return "DISCARD SEQUENCES";
    case PG_QUERY__DISCARD_MODE__DISCARD_TEMP:
      return "DISCARD TEMP";
    default:
      return "DISCARD ALL";
  }
}

bool is_reset(PgQuery__VariableSetKind kind) {
  return kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
         kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL;
}

// "CreateOpClassStmt" → "CREATE OP CLASS": good enough for what nobody looks into.
std::string words_of_kind(std::string kind) {
  if (kind.ends_with("Stmt")) kind.erase(kind.size() - 4);
  std::string out;
  for (char c : kind) {
    if (c >= 'A' && c <= 'Z' && !out.empty()) out += ' ';
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return out;
}

}  // namespace

std::string command_tag(const PgQuery__Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
      return transaction_tag(node->transaction_stmt->kind);
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return is_reset(node->variable_set_stmt->kind) ? "RESET" : "SET";
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
      return discard_tag(node->discard_stmt->target);
    case PG_QUERY__NODE__NODE_DROP_STMT:
      return "DROP " + object_words(node->drop_stmt->remove_type);
    case PG_QUERY__NODE__NODE_RENAME_STMT: {
      const auto* rename = node->rename_stmt;
      const bool part = rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN ||
                        rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT;
      if (part && rename->relation_type == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE_UNDEFINED)
        return "ALTER TABLE";
      return "ALTER " + object_words(part ? rename->relation_type : rename->rename_type);
    }
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
      return "ALTER " + object_words(node->alter_table_stmt->objtype);
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
      return "ALTER " + object_words(node->alter_object_schema_stmt->object_type);
    case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT:
      return "ALTER " + object_words(node->alter_owner_stmt->object_type);
    case PG_QUERY__NODE__NODE_DEFINE_STMT:
      return "CREATE " + object_words(node->define_stmt->kind);
    case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
      return node->create_function_stmt->is_procedure ? "CREATE PROCEDURE" : "CREATE FUNCTION";
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
      return node->create_table_as_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW
                 ? "CREATE MATERIALIZED VIEW"
                 : "CREATE TABLE AS";
    case PG_QUERY__NODE__NODE_FETCH_STMT:
      return node->fetch_stmt->ismove ? "MOVE" : "FETCH";
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
      return node->vacuum_stmt->is_vacuumcmd ? "VACUUM" : "ANALYZE";
    case PG_QUERY__NODE__NODE_GRANT_STMT:
      return node->grant_stmt->is_grant ? "GRANT" : "REVOKE";
    case PG_QUERY__NODE__NODE_GRANT_ROLE_STMT:
      return node->grant_role_stmt->is_grant ? "GRANT ROLE" : "REVOKE ROLE";
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
      return text_or_empty(node->deallocate_stmt->name).empty() ? "DEALLOCATE ALL" : "DEALLOCATE";
    default:
      break;
  }
  const std::string kind = node_kind(node);
  for (const Tag& tag : tags)
    if (kind == tag.kind) return tag.words;
  return words_of_kind(kind);
}

}  // namespace anabranch::rewriter
