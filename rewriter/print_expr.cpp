#include "rewriter/print_writer.h"

namespace anabranch::rewriter {

using namespace tree;

namespace {

Binding binding_by_name(std::string_view name) {
  if (name == "<" || name == ">" || name == "=" || name == "<=" || name == ">=" || name == "<>")
    return Binding::comparison;
  if (name == "+" || name == "-") return Binding::additive;
  if (name == "*" || name == "/" || name == "%") return Binding::multiplicative;
  if (name == "^") return Binding::power;
  return Binding::other_operator;
}

Binding binding_of_operator(const OperatorCall& op) {
  if (!op.left) return Binding::or_;  // prefix: always in parentheses as an operand
  if (op.syntax != OperatorCall::Syntax::plain) return Binding::range;
  return op.schema.empty() ? binding_by_name(op.name) : Binding::other_operator;
}

struct BindingOf {
  Binding operator()(const OperatorCall& op) const { return binding_of_operator(op); }
  Binding operator()(const BoolOp& op) const {
    return op.kind == BoolOp::Kind::or_    ? Binding::or_
           : op.kind == BoolOp::Kind::and_ ? Binding::and_
                                           : Binding::not_;
  }
  Binding operator()(const NullTest&) const { return Binding::is; }
  Binding operator()(const BooleanTest&) const { return Binding::is; }
  Binding operator()(const DistinctFrom&) const { return Binding::is; }
  Binding operator()(const Between&) const { return Binding::range; }
  Binding operator()(const InList&) const { return Binding::range; }
  Binding operator()(const InSubquery&) const { return Binding::range; }
  Binding operator()(const AnyAll&) const { return Binding::comparison; }
  // Collations and zones bind tighter than all operators; parentheses say so to every reader.
  Binding operator()(const Collate&) const { return Binding::or_; }
  Binding operator()(const AtTimeZone&) const { return Binding::or_; }
  Binding operator()(const Verbatim&) const { return Binding::or_; }
  Binding operator()(const FunctionCall& call) const {
    const std::string& name = call.name.back();
    return call.sql_syntax && name == "overlaps" ? Binding::is : Binding::primary;
  }
  Binding operator()(const auto&) const { return Binding::primary; }
};

}  // namespace

Binding binding_of(const Expr& expr) {
  return std::visit(BindingOf{}, expr.node);
}

std::string NodeWriter::quoted(const Name& name) const {
  std::string out;
  for (const std::string& part : name) out += (out.empty() ? "" : ".") + quoted(part);
  return out;
}

void NodeWriter::in_parens(const Expr& expr) {
  out_.text("(");
  out_.expr(expr);
  out_.text(")");
}

void NodeWriter::operand(const Expr& expr) {
  operand(expr, Binding::primary, true);
}

void NodeWriter::operand(const Expr& expr, Binding than, bool or_equal) {
  const Binding own = out_.traits().binding(expr);
  if (own > than || (or_equal && own == than))
    out_.expr(expr);
  else
    in_parens(expr);
}

void NodeWriter::subquery(const Select& query) {
  out_.text("(");
  out_.select(query);
  out_.text(")");
}

void NodeWriter::list(const std::vector<ExprPtr>& exprs) {
  for (std::size_t i = 0; i < exprs.size(); ++i) {
    if (i > 0) out_.text(", ");
    out_.expr(*exprs[i]);
  }
}

void NodeWriter::operator()(const ColumnRef& node) {
  std::string text = quoted(node.parts);
  if (node.star) text += text.empty() ? "*" : ".*";
  out_.text(text);
}

void NodeWriter::operator()(const Literal& node) {
  if (node.token() >= 0 && !out_.bakes()) return out_.hole(SqlTemplate::LiteralHole{node.token()});
  const std::string& value = node.unpinned_value();
  switch (node.kind()) {
    case Literal::Kind::null:
      return out_.text("NULL");
    case Literal::Kind::boolean:
      return out_.text(value == "true" ? "TRUE" : "FALSE");
    case Literal::Kind::string:
      return out_.text(out_.traits().quote_literal(value));
    case Literal::Kind::bit_string:
      return out_.text(value.substr(0, 1) + "'" +
                       value.substr(std::min<std::size_t>(1, value.size())) + "'");
    default:
      return out_.text(value);
  }
}

void NodeWriter::operator()(const Param& node) {
  out_.text("$" + std::to_string(node.number));
}

void NodeWriter::operator()(const TypeCast& node) {
  operand(*node.arg);
  out_.text("::" + node.type.text);
}

void NodeWriter::like(const OperatorCall& node, std::string_view word) {
  operand(*node.left, Binding::range);
  out_.text(node.name[0] == '!' ? " NOT " : " ");
  out_.text(word);
  out_.text(" ");
  operand(*node.right, Binding::range);
}

void NodeWriter::operator()(const OperatorCall& node) {
  if (node.syntax == OperatorCall::Syntax::like) return like(node, "LIKE");
  if (node.syntax == OperatorCall::Syntax::ilike) return like(node, "ILIKE");
  if (node.syntax == OperatorCall::Syntax::similar) {
    const auto* escape = node.right->as<FunctionCall>();
    operand(*node.left, Binding::range);
    out_.text(node.name[0] == '!' ? " NOT SIMILAR TO " : " SIMILAR TO ");
    operand(*escape->args.at(0), Binding::range);
    if (escape->args.size() > 1) {
      out_.text(" ESCAPE ");
      operand(*escape->args[1], Binding::range);
    }
    return;
  }
  const bool infix_only =
      binding_by_name(node.name) != Binding::other_operator && node.name != "-" && node.name != "+";
  std::string name = node.name;
  if (!node.schema.empty())
    name = "OPERATOR(" + quoted(node.schema) + "." + node.name + ")";
  else if (!node.left && infix_only)
    name = "OPERATOR(" + node.name + ")";
  if (!node.left) {
    out_.text(name == "-" || name == "+" ? name : name + " ");
    return operand(*node.right);
  }
  const Binding own = binding_of_operator(node);
  operand(*node.left, own, own != Binding::comparison);
  out_.text(" " + name + " ");
  operand(*node.right, own);
}

void NodeWriter::operator()(const BoolOp& node) {
  if (node.kind == BoolOp::Kind::not_) {
    out_.text("NOT ");
    return operand(*node.args[0], Binding::not_);
  }
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (i > 0) out_.text(node.kind == BoolOp::Kind::and_ ? " AND " : " OR ");
    operand(*node.args[i], Binding::and_);
  }
}

void NodeWriter::operator()(const NullTest& node) {
  operand(*node.arg, Binding::is);
  out_.text(node.negated ? " IS NOT NULL" : " IS NULL");
}

void NodeWriter::operator()(const BooleanTest& node) {
  static constexpr std::string_view words[] = {" IS TRUE",      " IS NOT TRUE", " IS FALSE",
                                               " IS NOT FALSE", " IS UNKNOWN",  " IS NOT UNKNOWN"};
  operand(*node.arg, Binding::is);
  out_.text(words[static_cast<std::size_t>(node.kind)]);
}

void NodeWriter::operator()(const DistinctFrom& node) {
  operand(*node.left, Binding::is);
  out_.text(node.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ");
  operand(*node.right, Binding::is);
}

void NodeWriter::operator()(const Between& node) {
  operand(*node.arg, Binding::range);
  out_.text(node.negated ? " NOT BETWEEN " : " BETWEEN ");
  if (node.symmetric) out_.text("SYMMETRIC ");
  operand(*node.low, Binding::range);
  out_.text(" AND ");
  operand(*node.high, Binding::range);
}

void NodeWriter::operator()(const InList& node) {
  operand(*node.arg, Binding::range);
  out_.text(node.negated ? " NOT IN (" : " IN (");
  list(node.list);
  out_.text(")");
}

void NodeWriter::operator()(const InSubquery& node) {
  operand(*node.arg, Binding::range);
  out_.text(node.negated ? " NOT IN " : " IN ");
  subquery(*node.query);
}

void NodeWriter::operator()(const AnyAll& node) {
  operand(*node.arg, Binding::other_operator);
  out_.text(node.op_schema.empty()
                ? " " + node.op
                : " OPERATOR(" + quoted(node.op_schema) + "." + node.op + ")");
  out_.text(node.all ? " ALL " : " ANY ");
  if (node.query) return subquery(*node.query);
  // A scalar subquery that yields an array needs parentheses of its own, else it is read as a set.
  out_.text("(");
  if (node.array->as<ScalarSubquery>())
    in_parens(*node.array);
  else
    out_.expr(*node.array);
  out_.text(")");
}

void NodeWriter::operator()(const Exists& node) {
  out_.text("EXISTS ");
  subquery(*node.query);
}

void NodeWriter::operator()(const ScalarSubquery& node) {
  subquery(*node.query);
}

void NodeWriter::operator()(const ArraySubquery& node) {
  out_.text("ARRAY");
  subquery(*node.query);
}

void NodeWriter::operator()(const Case& node) {
  out_.text("CASE");
  if (node.arg) {
    out_.text(" ");
    out_.expr(*node.arg);
  }
  for (const Case::When& when : node.whens) {
    out_.text(" WHEN ");
    out_.expr(*when.condition);
    out_.text(" THEN ");
    out_.expr(*when.result);
  }
  if (node.otherwise) {
    out_.text(" ELSE ");
    out_.expr(*node.otherwise);
  }
  out_.text(" END");
}

void NodeWriter::operator()(const Coalesce& node) {
  out_.text("COALESCE(");
  list(node.args);
  out_.text(")");
}

void NodeWriter::operator()(const NullIf& node) {
  out_.text("NULLIF(");
  out_.expr(*node.left);
  out_.text(", ");
  out_.expr(*node.right);
  out_.text(")");
}

void NodeWriter::operator()(const MinMax& node) {
  out_.text(node.greatest ? "GREATEST(" : "LEAST(");
  list(node.args);
  out_.text(")");
}

void NodeWriter::operator()(const ArrayLiteral& node) {
  out_.text("ARRAY[");
  list(node.elements);
  out_.text("]");
}

void NodeWriter::operator()(const Row& node) {
  out_.text(node.explicit_row || node.fields.size() < 2 ? "ROW(" : "(");
  list(node.fields);
  out_.text(")");
}

void NodeWriter::step(const Expr& expr) {
  if (const auto* subscript = expr.as<Subscript>()) {
    out_.text("[");
    if (subscript->lower) out_.expr(*subscript->lower);
    if (subscript->slice) out_.text(":");
    if (subscript->upper) out_.expr(*subscript->upper);
    return out_.text("]");
  }
  const auto& field = *expr.as<FieldSelect>();
  out_.text(field.star ? ".*" : "." + quoted(field.field));
}

void NodeWriter::operator()(const Subscript& node) {
  const bool bare = node.arg->as<ColumnRef>() || node.arg->as<Param>() ||
                    node.arg->as<Subscript>() || node.arg->as<FieldSelect>();
  if (bare)
    out_.expr(*node.arg);
  else
    in_parens(*node.arg);
  out_.text("[");
  if (node.lower) out_.expr(*node.lower);
  if (node.slice) out_.text(":");
  if (node.upper) out_.expr(*node.upper);
  out_.text("]");
}

void NodeWriter::operator()(const FieldSelect& node) {
  if (node.arg->as<Param>() || node.arg->as<Subscript>() || node.arg->as<FieldSelect>())
    out_.expr(*node.arg);
  else
    in_parens(*node.arg);
  out_.text(node.star ? ".*" : "." + quoted(node.field));
}

void NodeWriter::operator()(const Collate& node) {
  operand(*node.arg);
  out_.text(" COLLATE " + quoted(node.collation));
}

void NodeWriter::operator()(const AtTimeZone& node) {
  operand(*node.arg);
  out_.text(" AT TIME ZONE ");
  operand(*node.zone);
}

void NodeWriter::operator()(const SqlValueFunction& node) {
  out_.text(node.name);
  if (node.precision >= 0) out_.text("(" + std::to_string(node.precision) + ")");
}

void NodeWriter::operator()(const Grouping& node) {
  out_.text("GROUPING(");
  list(node.args);
  out_.text(")");
}

void NodeWriter::operator()(const SetToDefault&) {
  out_.text("DEFAULT");
}

void NodeWriter::operator()(const NamedArg& node) {
  out_.text(quoted(node.name) + " => ");
  out_.expr(*node.arg);
}

void NodeWriter::operator()(const MultiAssign& node) {
  if (node.source) out_.expr(*node.source);
}

void NodeWriter::operator()(const Interval& node) {
  out_.text("INTERVAL ");
  operand(*node.count);
  out_.text(" " + node.unit);
}

void NodeWriter::operator()(const PrefixedLiteral& node) {
  out_.text(node.prefix + " ");
  out_.expr(*node.literal);
}

void NodeWriter::operator()(const Variable& node) {
  out_.text(node.system ? "@@" : "@");
  if (!node.scope.empty()) out_.text(node.scope + ".");
  out_.text(quoted(node.name));
}

void NodeWriter::operator()(const Keyword& node) {
  out_.text(node.word);
}

void NodeWriter::operator()(const Verbatim& node) {
  out_.text(node.text);
}

}  // namespace anabranch::rewriter
