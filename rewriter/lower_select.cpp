#include <utility>

#include "rewriter/lower.h"
#include "rewriter/print.h"
#include "values/sql_error.h"

namespace anabranch::rewriter {

using namespace tree;

SelectPtr Lowering::subquery(const Node* node) {
  return select(*node->select_stmt);
}

SelectPtr Lowering::select(const PgQuery__SelectStmt& node) {
  auto out = std::make_unique<Select>();
  out->with = with(node.with_clause);
  if (node.op != PG_QUERY__SET_OPERATION__SETOP_NONE)
    set_operation(node, *out);
  else
    body(node, *out);
  out->order_by = sort_keys(node.n_sort_clause, node.sort_clause);
  out->limit = expr(node.limit_count);
  out->offset = expr(node.limit_offset);
  out->with_ties = node.limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES;
  for (std::size_t i = 0; i < node.n_locking_clause; ++i)
    out->locking.push_back(locking(*node.locking_clause[i]->locking_clause));
  return out;
}

void Lowering::set_operation(const PgQuery__SelectStmt& node, Select& out) {
  switch (node.op) {
    case PG_QUERY__SET_OPERATION__SETOP_UNION:
      out.set_op = SetOperation::union_;
      break;
    case PG_QUERY__SET_OPERATION__SETOP_INTERSECT:
      out.set_op = SetOperation::intersect;
      break;
    default:
      out.set_op = SetOperation::except;
      break;
  }
  out.set_all = node.all;
  out.left = select(*node.larg);
  out.right = select(*node.rarg);
  // It stands in the first arm, and means the rows of all.
  out.into = std::exchange(out.left->into, {});
  out.into_table = std::exchange(out.left->into_table, {});
}

namespace {
Name into_name(const PgQuery__IntoClause& into) {
  Name name;
  for (const char* part : {into.rel->catalogname, into.rel->schemaname, into.rel->relname})
    if (!text_or_empty(part).empty()) name.push_back(part);
  return name;
}

std::string into_text(const PgQuery__IntoClause& into) {
  std::string out = "INTO ";
  const std::string persistence = text_or_empty(into.rel->relpersistence);
  if (persistence == "t") out += "TEMPORARY ";
  if (persistence == "u") out += "UNLOGGED ";
  return out + quote_name(into_name(into));
}
}  // namespace

void Lowering::body(const PgQuery__SelectStmt& node, Select& out) {
  for (std::size_t i = 0; i < node.n_values_lists; ++i) {
    std::vector<ExprPtr> row;
    for (const Node* item : items_of(node.values_lists[i])) row.push_back(expr(item));
    out.values.push_back(std::move(row));
  }
  // Plain DISTINCT arrives as a list of one empty node.
  if (node.n_distinct_clause == 1 &&
      node.distinct_clause[0]->node_case == PG_QUERY__NODE__NODE__NOT_SET)
    out.distinct = true;
  else
    out.distinct_on = exprs(node.n_distinct_clause, node.distinct_clause);
  if (node.into_clause) {
    out.into = into_text(*node.into_clause);
    out.into_table = into_name(*node.into_clause);
  }
  out.targets = targets(node.n_target_list, node.target_list);
  out.from = from_list(node.n_from_clause, node.from_clause);
  out.where = expr(node.where_clause);
  for (std::size_t i = 0; i < node.n_group_clause; ++i)
    out.group_by.push_back(group_item(node.group_clause[i]));
  out.group_distinct = node.group_distinct;
  out.having = expr(node.having_clause);
  for (std::size_t i = 0; i < node.n_window_clause; ++i)
    out.windows.push_back(window(*node.window_clause[i]->window_def));
}

std::vector<Target> Lowering::targets(std::size_t count, Node** nodes) {
  std::vector<Target> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& target = *nodes[i]->res_target;
    out.push_back({expr(target.val), text_or_empty(target.name), target.location});
  }
  return out;
}

GroupItem Lowering::group_item(const Node* node) {
  GroupItem out;
  if (node->node_case == PG_QUERY__NODE__NODE_GROUPING_SET) {
    const auto& set = *node->grouping_set;
    switch (set.kind) {
      case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_EMPTY:
        out.kind = GroupItem::Kind::empty;
        break;
      case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_ROLLUP:
        out.kind = GroupItem::Kind::rollup;
        break;
      case PG_QUERY__GROUPING_SET_KIND__GROUPING_SET_CUBE:
        out.kind = GroupItem::Kind::cube;
        break;
      default:
        out.kind = GroupItem::Kind::sets;
        break;
    }
    for (std::size_t i = 0; i < set.n_content; ++i) out.items.push_back(group_item(set.content[i]));
    return out;
  }
  const bool list = node->node_case == PG_QUERY__NODE__NODE_ROW_EXPR &&
                    node->row_expr->row_format == PG_QUERY__COERCION_FORM__COERCE_IMPLICIT_CAST;
  if (list) {
    out.kind = GroupItem::Kind::list;
    for (std::size_t i = 0; i < node->row_expr->n_args; ++i)
      out.items.push_back(group_item(node->row_expr->args[i]));
    return out;
  }
  out.expr = expr(node);
  return out;
}

Locking Lowering::locking(const PgQuery__LockingClause& node) {
  Locking out;
  switch (node.strength) {
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORKEYSHARE:
      out.strength = Locking::Strength::key_share;
      break;
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORSHARE:
      out.strength = Locking::Strength::share;
      break;
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORNOKEYUPDATE:
      out.strength = Locking::Strength::no_key_update;
      break;
    default:
      out.strength = Locking::Strength::update;
      break;
  }
  for (std::size_t i = 0; i < node.n_locked_rels; ++i) {
    const auto& locked = *node.locked_rels[i]->range_var;
    if (!text_or_empty(locked.schemaname).empty())
      throw values::SqlError("42601", "a locking clause must specify unqualified relation names");
    out.tables.push_back(text_or_empty(locked.relname));
  }
  if (node.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitSkip)
    out.wait = Locking::Wait::skip_locked;
  if (node.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitError)
    out.wait = Locking::Wait::nowait;
  return out;
}

With Lowering::with(const PgQuery__WithClause* node) {
  With out;
  if (!node) return out;
  out.recursive = node->recursive;
  for (std::size_t i = 0; i < node->n_ctes; ++i)
    out.ctes.push_back(cte(*node->ctes[i]->common_table_expr));
  return out;
}

Cte Lowering::cte(const PgQuery__CommonTableExpr& node) {
  Cte out;
  out.name = text_or_empty(node.ctename);
  out.columns = strings_of(node.n_aliascolnames, node.aliascolnames);
  if (node.ctematerialized == PG_QUERY__CTEMATERIALIZE__CTEMaterializeAlways)
    out.materialized = Cte::Materialized::always;
  if (node.ctematerialized == PG_QUERY__CTEMATERIALIZE__CTEMaterializeNever)
    out.materialized = Cte::Materialized::never;
  out.statement = statement(node.ctequery);
  out.tail = cte_tail(node);
  return out;
}

namespace {
std::string comma_list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quote_identifier(name);
  return out;
}
}  // namespace

// Only constants may stand here: a typed one is TYPE 'text', a cast is not allowed.
std::string Lowering::cycle_mark(const Node* node) {
  const auto* cast = node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST ? node->type_cast : nullptr;
  const bool typed = cast && cast->arg->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                     cast->arg->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
  return typed ? type_name(*cast->type_name).text + " " + baked_text(cast->arg) : baked_text(node);
}

std::string Lowering::cte_tail(const PgQuery__CommonTableExpr& node) {
  std::string out;
  if (const auto* search = node.search_clause) {
    out += search->search_breadth_first ? " SEARCH BREADTH FIRST BY " : " SEARCH DEPTH FIRST BY ";
    out += comma_list(strings_of(search->n_search_col_list, search->search_col_list));
    out += " SET " + quote_identifier(text_or_empty(search->search_seq_column));
  }
  if (const auto* cycle = node.cycle_clause) {
    out += " CYCLE " + comma_list(strings_of(cycle->n_cycle_col_list, cycle->cycle_col_list));
    out += " SET " + quote_identifier(text_or_empty(cycle->cycle_mark_column));
    out += " TO " + cycle_mark(cycle->cycle_mark_value) + " DEFAULT " +
           cycle_mark(cycle->cycle_mark_default);
    out += " USING " + quote_identifier(text_or_empty(cycle->cycle_path_column));
  }
  return out;
}

}  // namespace anabranch::rewriter
