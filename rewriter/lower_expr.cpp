#include <algorithm>

#include "rewriter/lexer.h"
#include "rewriter/lower.h"
#include "values/sql_error.h"

namespace anabranch::rewriter {

using namespace tree;
using make::expr;

Lowering::Lowering(std::string_view text, const Shape& shape)
    : text_(text), shape_(shape), printed_(shape.literals().size(), false) {}

int Lowering::token_at(int location) const {
  if (location < 0) return -1;
  const auto& literals = shape_.literals();
  const auto found = std::ranges::lower_bound(literals, static_cast<std::uint32_t>(location), {},
                                              &LiteralToken::offset);
  if (found == literals.end() || found->offset != static_cast<std::uint32_t>(location)) return -1;
  return static_cast<int>(found - literals.begin());
}

std::vector<ExprPtr> Lowering::exprs(std::size_t count, Node** nodes) {
  std::vector<ExprPtr> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) out.push_back(expr(nodes[i]));
  return out;
}

ExprPtr Lowering::expr(const Node* node) {
  if (!node) return nullptr;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
      return constant(*node->a_const);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return column(*node->column_ref);
    case PG_QUERY__NODE__NODE_PARAM_REF:
      // The protocol counts parameters in 16 bits; the lexer's own number may have overflowed.
      if (node->param_ref->number <= 0 || node->param_ref->number > 65535)
        throw values::SqlError("42P02",
                               "there is no parameter $" + std::to_string(node->param_ref->number));
      return make::expr(Param{node->param_ref->number}, node->param_ref->location);
    case PG_QUERY__NODE__NODE_A_EXPR:
      return operation(*node->a_expr);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
      return boolean(*node->bool_expr);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return call(*node->func_call);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
      return cast(*node->type_cast);
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return sublink(*node->sub_link);
    case PG_QUERY__NODE__NODE_NULL_TEST:
      return make::expr(
          NullTest{expr(node->null_test->arg),
                   node->null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL},
          node->null_test->location);
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
      return boolean_test(*node->boolean_test);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return case_expr(*node->case_expr);
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return make::expr(Coalesce{exprs(node->coalesce_expr->n_args, node->coalesce_expr->args)},
                        node->coalesce_expr->location);
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return make::expr(MinMax{node->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST,
                               exprs(node->min_max_expr->n_args, node->min_max_expr->args)},
                        node->min_max_expr->location);
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return make::expr(
          Row{exprs(node->row_expr->n_args, node->row_expr->args),
              node->row_expr->row_format == PG_QUERY__COERCION_FORM__COERCE_EXPLICIT_CALL},
          node->row_expr->location);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return make::expr(
          ArrayLiteral{exprs(node->a_array_expr->n_elements, node->a_array_expr->elements)},
          node->a_array_expr->location);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return indirection(*node->a_indirection);
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return make::expr(
          Collate{expr(node->collate_clause->arg),
                  strings_of(node->collate_clause->n_collname, node->collate_clause->collname)},
          node->collate_clause->location);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return value_function(*node->sqlvalue_function);
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return make::expr(Grouping{exprs(node->grouping_func->n_args, node->grouping_func->args)},
                        node->grouping_func->location);
    case PG_QUERY__NODE__NODE_SET_TO_DEFAULT:
      return make::expr(SetToDefault{}, node->set_to_default->location);
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR:
      return make::expr(
          NamedArg{text_or_empty(node->named_arg_expr->name), expr(node->named_arg_expr->arg)},
          node->named_arg_expr->location);
    case PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF:
      return make::expr(MultiAssign{
          node->multi_assign_ref->colno == 1 ? expr(node->multi_assign_ref->source) : nullptr,
          node->multi_assign_ref->colno, node->multi_assign_ref->ncolumns});
    default:
      return verbatim(node);
  }
}

// The grammar folds a sign into a number and moves its location to the sign; the shape keeps sign
// and number apart, and so do we.
ExprPtr Lowering::literal(Literal::Kind kind, std::string text, int location) {
  int token = baking_ > 0 ? -1 : token_at(location);
  bool negative = false;
  if (token < 0 && !text.empty() && text[0] == '-' && kind != Literal::Kind::string) {
    negative = true;
    text.erase(0, 1);
    if (baking_ == 0 && location >= 0) {
      const auto& literals = shape_.literals();
      const auto found = std::ranges::lower_bound(literals, static_cast<std::uint32_t>(location),
                                                  {}, &LiteralToken::offset);
      if (found != literals.end() &&
          shape_.spelling(static_cast<int>(found - literals.begin())) == text)
        token = static_cast<int>(found - literals.begin());
    }
  }
  if (kind == Literal::Kind::numeric && text.find_first_not_of("0123456789") == std::string::npos) {
    std::string_view digits = text;
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    constexpr std::string_view largest = "9223372036854775807";
    if (digits.size() < largest.size() || (digits.size() == largest.size() && digits <= largest))
      kind = Literal::Kind::bigint;
  }
  // U&'…' may be followed by UESCAPE, which a hole would lose: such a literal is spelled out.
  if (token >= 0 && (shape_.spelling(token)[0] | 0x20) == 'u') token = -1;
  int same_as = -1;
  if (token >= 0) {
    printed_[static_cast<std::size_t>(token)] = true;
    same_as = shape_.equal_to()[static_cast<std::size_t>(token)];
    if (kind == Literal::Kind::integer) text = std::string(shape_.spelling(token));
  }
  ExprPtr number = make::expr(Literal(kind, std::move(text), token, same_as), location);
  if (!negative) return number;
  return make::expr(OperatorCall{{}, "-", nullptr, std::move(number), OperatorCall::Syntax::plain},
                    location);
}

ExprPtr Lowering::constant(const PgQuery__AConst& node) {
  using Kind = Literal::Kind;
  if (node.isnull) return make::expr(Literal(Kind::null, {}), node.location);
  switch (node.val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
      return literal(Kind::integer, std::to_string(node.ival->ival), node.location);
    case PG_QUERY__A__CONST__VAL_FVAL:
      return literal(Kind::numeric, text_or_empty(node.fval->fval), node.location);
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
      return make::expr(Literal(Kind::boolean, node.boolval->boolval ? "true" : "false"),
                        node.location);
    case PG_QUERY__A__CONST__VAL_BSVAL:
      return literal(Kind::bit_string, text_or_empty(node.bsval->bsval), node.location);
    default:
      return literal(
          Kind::string,
          node.val_case == PG_QUERY__A__CONST__VAL_SVAL ? text_or_empty(node.sval->sval) : "",
          node.location);
  }
}

ExprPtr Lowering::column(const PgQuery__ColumnRef& node) {
  ColumnRef out;
  for (std::size_t i = 0; i < node.n_fields; ++i) {
    if (node.fields[i]->node_case == PG_QUERY__NODE__NODE_A_STAR)
      out.star = true;
    else
      out.parts.push_back(string_of(node.fields[i]));
  }
  return make::expr(std::move(out), node.location);
}

// TRUE arrives as 't'::pg_catalog.bool without a location of the cast.
ExprPtr Lowering::cast(const PgQuery__TypeCast& node) {
  const bool bare_boolean = node.location < 0 && node.arg &&
                            node.arg->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                            node.arg->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL;
  if (bare_boolean) return constant(*node.arg->a_const);
  return make::expr(TypeCast{expr(node.arg), type_name(*node.type_name)}, node.location);
}

ExprPtr Lowering::boolean(const PgQuery__BoolExpr& node) {
  if (node.boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR) {
    const Node* inner = node.args[0];
    const bool not_in = inner->node_case == PG_QUERY__NODE__NODE_SUB_LINK &&
                        inner->sub_link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK &&
                        inner->sub_link->n_oper_name == 0;
    ExprPtr arg = expr(inner);
    if (not_in) {
      arg->as<InSubquery>()->negated = true;
      return arg;
    }
    BoolOp out{BoolOp::Kind::not_, {}};
    out.args.push_back(std::move(arg));
    return make::expr(std::move(out), node.location);
  }
  const auto kind =
      node.boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR ? BoolOp::Kind::and_ : BoolOp::Kind::or_;
  return make::expr(BoolOp{kind, exprs(node.n_args, node.args)}, node.location);
}

ExprPtr Lowering::sublink(const PgQuery__SubLink& node) {
  SelectPtr query = subquery(node.subselect);
  const bool all = node.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK;
  switch (node.sub_link_type) {
    case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK:
      return make::expr(Exists{std::move(query)}, node.location);
    case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK:
      return make::expr(ArraySubquery{std::move(query)}, node.location);
    case PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK:
    case PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK: {
      ExprPtr arg = expr(node.testexpr);
      if (node.n_oper_name == 0)
        return make::expr(InSubquery{std::move(arg), std::move(query), false}, node.location);
      Name name = strings_of(node.n_oper_name, node.oper_name);
      const std::string op = name.back();
      return make::expr(AnyAll{std::move(arg), name.size() > 1 ? name[0] : "", op, all,
                               std::move(query), nullptr},
                        node.location);
    }
    default:
      return make::expr(ScalarSubquery{std::move(query)}, node.location);
  }
}

std::vector<ExprPtr> Lowering::steps(std::size_t count, Node** nodes) {
  std::vector<ExprPtr> out;
  for (std::size_t i = 0; i < count; ++i) {
    const Node* node = nodes[i];
    if (node->node_case == PG_QUERY__NODE__NODE_A_INDICES)
      out.push_back(
          make::expr(Subscript{nullptr, node->a_indices->is_slice != 0, expr(node->a_indices->lidx),
                               expr(node->a_indices->uidx)}));
    else if (node->node_case == PG_QUERY__NODE__NODE_A_STAR)
      out.push_back(make::expr(FieldSelect{nullptr, {}, true}));
    else
      out.push_back(make::expr(FieldSelect{nullptr, string_of(node), false}));
  }
  return out;
}

ExprPtr Lowering::indirection(const PgQuery__AIndirection& node) {
  ExprPtr out = expr(node.arg);
  const int location = out->location;
  for (ExprPtr& step : steps(node.n_indirection, node.indirection)) {
    if (auto* subscript = step->as<Subscript>())
      subscript->arg = std::move(out);
    else
      step->as<FieldSelect>()->arg = std::move(out);
    step->location = location;
    out = std::move(step);
  }
  return out;
}

ExprPtr Lowering::case_expr(const PgQuery__CaseExpr& node) {
  Case out;
  out.arg = expr(node.arg);
  for (std::size_t i = 0; i < node.n_args; ++i)
    out.whens.push_back(
        {expr(node.args[i]->case_when->expr), expr(node.args[i]->case_when->result)});
  out.otherwise = expr(node.defresult);
  return make::expr(std::move(out), node.location);
}

ExprPtr Lowering::boolean_test(const PgQuery__BooleanTest& node) {
  const int kind =
      static_cast<int>(node.booltesttype) - static_cast<int>(PG_QUERY__BOOL_TEST_TYPE__IS_TRUE);
  return make::expr(BooleanTest{expr(node.arg), static_cast<BooleanTest::Kind>(kind)},
                    node.location);
}

ExprPtr Lowering::value_function(const PgQuery__SQLValueFunction& node) {
  static constexpr const char* names[] = {"",
                                          "current_date",
                                          "current_time",
                                          "current_time",
                                          "current_timestamp",
                                          "current_timestamp",
                                          "localtime",
                                          "localtime",
                                          "localtimestamp",
                                          "localtimestamp",
                                          "current_role",
                                          "current_user",
                                          "user",
                                          "session_user",
                                          "current_catalog",
                                          "current_schema"};
  const auto op = static_cast<std::size_t>(node.op);
  return make::expr(SqlValueFunction{op < std::size(names) ? names[op] : "", node.typmod},
                    node.location);
}

// What the tree has no node for: its text, and what can be seen inside.
ExprPtr Lowering::verbatim(const Node* node) {
  const Baking baking(*this);
  Verbatim out{deparse_expr(node), node_kind(node), {}};
  const auto* message = reinterpret_cast<const ProtobufCMessage*>(node);
  collect(message, out.children);
  return make::expr(std::move(out));
}

}  // namespace anabranch::rewriter
