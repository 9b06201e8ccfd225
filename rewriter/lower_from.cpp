#include "rewriter/lower.h"
#include "rewriter/print.h"

namespace anabranch::rewriter {

using namespace tree;

std::vector<FromPtr> Lowering::from_list(std::size_t count, Node** nodes) {
  std::vector<FromPtr> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(from(nodes[i]));
  return out;
}

FromPtr Lowering::from(const Node* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      return std::make_unique<FromItem>(table(*node->range_var), node->range_var->location);
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT: {
      const auto& range = *node->range_subselect;
      return std::make_unique<FromItem>(
          SubqueryRef{subquery(range.subquery), alias(range.alias), range.lateral != 0});
    }
    case PG_QUERY__NODE__NODE_JOIN_EXPR:
      return join(*node->join_expr);
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      return function(node);
    case PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE:
      return sample(*node->range_table_sample);
    case PG_QUERY__NODE__NODE_RANGE_TABLE_FUNC:
      return verbatim_from(node, node->range_table_func->alias);
    default:
      return verbatim_from(node, nullptr);
  }
}

TableRef Lowering::table(const PgQuery__RangeVar& node) {
  TableRef out;
  out.catalog = text_or_empty(node.catalogname);
  out.schema = text_or_empty(node.schemaname);
  out.name = text_or_empty(node.relname);
  out.alias = alias(node.alias);
  out.only = !node.inh;
  return out;
}

Alias Lowering::alias(const PgQuery__Alias* node) {
  if (!node) return {};
  return {text_or_empty(node->aliasname), strings_of(node->n_colnames, node->colnames)};
}

FromPtr Lowering::join(const PgQuery__JoinExpr& node) {
  Join out;
  out.natural = node.is_natural;
  out.left = from(node.larg);
  out.right = from(node.rarg);
  out.using_columns = strings_of(node.n_using_clause, node.using_clause);
  if (node.join_using_alias) out.using_alias = text_or_empty(node.join_using_alias->aliasname);
  out.on = expr(node.quals);
  out.alias = alias(node.alias);
  switch (node.jointype) {
    case PG_QUERY__JOIN_TYPE__JOIN_LEFT:
      out.kind = Join::Kind::left;
      break;
    case PG_QUERY__JOIN_TYPE__JOIN_RIGHT:
      out.kind = Join::Kind::right;
      break;
    case PG_QUERY__JOIN_TYPE__JOIN_FULL:
      out.kind = Join::Kind::full;
      break;
    default:
      out.kind = !out.on && !out.natural && out.using_columns.empty() ? Join::Kind::cross
                                                                      : Join::Kind::inner;
  }
  return std::make_unique<FromItem>(std::move(out));
}

FromPtr Lowering::function(const Node* node) {
  const auto& range = *node->range_function;
  FunctionRef out;
  out.ordinality = range.ordinality;
  out.lateral = range.lateral;
  out.alias = alias(range.alias);
  out.text = deparse_from(node);
  const auto items =
      range.n_functions == 1 ? items_of(range.functions[0]) : std::vector<const Node*>{};
  const bool has_columns =
      range.n_coldeflist > 0 || (items.size() > 1 && items[1] && !items_of(items[1]).empty() &&
                                 items[1]->node_case != PG_QUERY__NODE__NODE__NOT_SET);
  if (!range.is_rowsfrom && !items.empty() && !has_columns) {
    out.call = expr(items[0]);
  } else {
    const Baking baking(*this);
    collect(reinterpret_cast<const ProtobufCMessage*>(node), out.children);
  }
  return std::make_unique<FromItem>(std::move(out));
}

FromPtr Lowering::sample(const PgQuery__RangeTableSample& node) {
  FromPtr out = from(node.relation);
  auto* table_ref = out->as<TableRef>();
  std::string text = "TABLESAMPLE " + quote_name(strings_of(node.n_method, node.method)) + "(";
  for (std::size_t i = 0; i < node.n_args; ++i)
    text += (i == 0 ? "" : ", ") + baked_text(node.args[i]);
  text += ")";
  if (node.repeatable) text += " REPEATABLE (" + baked_text(node.repeatable) + ")";
  table_ref->tablesample = std::move(text);
  return out;
}

FromPtr Lowering::verbatim_from(const Node* node, const PgQuery__Alias* alias_node) {
  const Baking baking(*this);
  VerbatimFrom out{deparse_from(node), node_kind(node), alias(alias_node), {}};
  collect(reinterpret_cast<const ProtobufCMessage*>(node), out.children);
  return std::make_unique<FromItem>(std::move(out));
}

}  // namespace anabranch::rewriter
