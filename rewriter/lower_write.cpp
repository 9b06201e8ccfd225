#include "rewriter/lower.h"
#include "values/sql_error.h"

namespace anabranch::rewriter {

using namespace tree;

StatementPtr Lowering::statement(const Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return std::make_unique<Statement>(std::move(*select(*node->select_stmt)));
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      return std::make_unique<Statement>(insert(*node->insert_stmt));
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return std::make_unique<Statement>(update(*node->update_stmt));
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return std::make_unique<Statement>(delete_(*node->delete_stmt));
    default:
      return std::make_unique<Statement>(utility(node));
  }
}

StatementPtr Lowering::raw_statement(const PgQuery__RawStmt& raw) {
  const auto start = static_cast<std::size_t>(raw.stmt_location);
  statement_text_ = raw.stmt_len > 0 ? text_.substr(start, static_cast<std::size_t>(raw.stmt_len))
                                     : text_.substr(start);
  printed_.assign(shape_.literals().size(), false);
  StatementPtr out = statement(raw.stmt);
  const bool is_utility = out->as<Utility>() != nullptr;
  const std::size_t end = start + statement_text_.size();
  for (std::size_t i = 0; i < printed_.size(); ++i) {
    const std::size_t offset = shape_.literals()[i].offset;
    if (offset >= start && offset < end && (is_utility || !printed_[i]))
      out->baked.push_back(static_cast<int>(i));
  }
  return out;
}

Insert Lowering::insert(const PgQuery__InsertStmt& node) {
  Insert out;
  out.with = with(node.with_clause);
  out.table = table(*node.relation);
  for (std::size_t i = 0; i < node.n_cols; ++i) {
    const auto& column = *node.cols[i]->res_target;
    out.columns.push_back(
        {text_or_empty(column.name), steps(column.n_indirection, column.indirection)});
  }
  if (node.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE)
    out.overriding = Insert::Overriding::user_value;
  if (node.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE)
    out.overriding = Insert::Overriding::system_value;
  if (node.select_stmt) out.source = subquery(node.select_stmt);
  out.on_conflict = on_conflict(node.on_conflict_clause);
  out.returning = targets(node.n_returning_list, node.returning_list);
  return out;
}

std::unique_ptr<OnConflict> Lowering::on_conflict(const PgQuery__OnConflictClause* node) {
  if (!node) return nullptr;
  auto out = std::make_unique<OnConflict>();
  out->action = node->action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE
                    ? OnConflict::Action::update
                    : OnConflict::Action::nothing;
  if (const auto* infer = node->infer) {
    out->constraint = text_or_empty(infer->conname);
    for (std::size_t i = 0; i < infer->n_index_elems; ++i) {
      const auto& elem = *infer->index_elems[i]->index_elem;
      if (elem.ordering != PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT)
        throw values::SqlError("42P10", "ASC/DESC is not allowed in ON CONFLICT clause");
      if (elem.nulls_ordering != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT)
        throw values::SqlError("42P10", "NULLS FIRST/LAST is not allowed in ON CONFLICT clause");
      if (elem.n_opclassopts > 0)
        throw values::SqlError("0A000", "operator class options in ON CONFLICT are not supported");
      OnConflict::Element target;
      target.expr = elem.expr ? expr(elem.expr) : make::column({text_or_empty(elem.name)});
      target.collation = strings_of(elem.n_collation, elem.collation);
      target.op_class = strings_of(elem.n_opclass, elem.opclass);
      out->target.push_back(std::move(target));
    }
    out->target_where = expr(infer->where_clause);
  }
  out->set = assignments(node->n_target_list, node->target_list);
  out->where = expr(node->where_clause);
  return out;
}

std::vector<Assignment> Lowering::assignments(std::size_t count, Node** nodes) {
  std::vector<Assignment> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& target = *nodes[i]->res_target;
    out.push_back({text_or_empty(target.name), steps(target.n_indirection, target.indirection),
                   expr(target.val), target.location});
  }
  return out;
}

void Lowering::condition(const Node* node, ExprPtr& where, std::string& current_of) {
  if (node && node->node_case == PG_QUERY__NODE__NODE_CURRENT_OF_EXPR)
    current_of = text_or_empty(node->current_of_expr->cursor_name);
  else
    where = expr(node);
}

Update Lowering::update(const PgQuery__UpdateStmt& node) {
  Update out;
  out.with = with(node.with_clause);
  out.table = table(*node.relation);
  out.set = assignments(node.n_target_list, node.target_list);
  out.from = from_list(node.n_from_clause, node.from_clause);
  condition(node.where_clause, out.where, out.current_of);
  out.returning = targets(node.n_returning_list, node.returning_list);
  return out;
}

Delete Lowering::delete_(const PgQuery__DeleteStmt& node) {
  Delete out;
  out.with = with(node.with_clause);
  out.table = table(*node.relation);
  out.using_ = from_list(node.n_using_clause, node.using_clause);
  condition(node.where_clause, out.where, out.current_of);
  out.returning = targets(node.n_returning_list, node.returning_list);
  return out;
}

}  // namespace anabranch::rewriter
