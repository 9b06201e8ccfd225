#include "rewriter/mysql/names.h"
#include "rewriter/mysql/print.h"
#include "rewriter/mysql/quote.h"
#include "values/ascii.h"

namespace anabranch::rewriter::mysql {

using namespace tree;

namespace {

bool compares(std::string_view name) {
  return name == "=" || name == "<" || name == ">" || name == "<=" || name == ">=" || name == "<>";
}

Binding binding_by_name(std::string_view name) {
  if (name == "+" || name == "-") return Binding::additive;
  if (name == "*" || name == "/" || name == "%" || name == "DIV") return Binding::multiplicative;
  return name == "XOR" || name == ":=" ? Binding::or_ : Binding::is;
}

struct BindingOf {
  Binding operator()(const OperatorCall& op) const {
    const bool prefix = !op.left || op.left->as<Interval>();
    return prefix ? Binding::or_ : binding_by_name(op.name);
  }
  Binding operator()(const BoolOp& op) const {
    return op.kind == BoolOp::Kind::and_ ? Binding::and_ : Binding::or_;
  }
  Binding operator()(const NullTest&) const { return Binding::is; }
  Binding operator()(const BooleanTest&) const { return Binding::is; }
  Binding operator()(const DistinctFrom&) const { return Binding::is; }
  Binding operator()(const Between&) const { return Binding::is; }
  Binding operator()(const InList&) const { return Binding::is; }
  Binding operator()(const InSubquery&) const { return Binding::is; }
  Binding operator()(const AnyAll&) const { return Binding::is; }
  Binding operator()(const Collate&) const { return Binding::or_; }
  Binding operator()(const Interval&) const { return Binding::or_; }
  Binding operator()(const auto&) const { return Binding::primary; }
};

bool plain(std::string_view name) {
  bool digits_only = true;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit || c == '_';
    if (!fits) return false;
    digits_only = digits_only && digit;
  }
  return !name.empty() && !digits_only;
}

}  // namespace

Binding binding_of(const Expr& expr) {
  return std::visit(BindingOf{}, expr.node);
}

void print_expr(Printer& out, const Expr& expr) {
  std::visit(ExprWriter(out), expr.node);
}

void ExprWriter::operator()(const Param& node) {
  out_.hole(SqlTemplate::ParameterHole{node.number - 1});
}

void ExprWriter::operator()(const TypeCast& node) {
  out_.text("CAST(");
  out_.expr(*node.arg);
  out_.text(" AS " + node.type.text + ")");
}

void ExprWriter::like(const OperatorCall& node) {
  operand(*node.left, Binding::is);
  out_.text(node.name[0] == '!' ? " NOT LIKE " : " LIKE ");
  const auto* escaped = node.right->as<FunctionCall>();
  const bool escape = escaped && escaped->sql_syntax && escaped->name.back() == "like_escape";
  operand(escape ? *escaped->args.at(0) : *node.right);
  if (!escape) return;
  out_.text(" ESCAPE ");
  operand(*escaped->args.at(1));
}

// An interval stands bare beside + and -.
void ExprWriter::side(const Expr& expr, Binding than, bool or_equal) {
  if (expr.as<Interval>()) return out_.expr(expr);
  operand(expr, than, or_equal);
}

void ExprWriter::operator()(const OperatorCall& node) {
  if (node.syntax == OperatorCall::Syntax::like) return like(node);
  if (!node.left) {
    out_.text(node.name == "BINARY" ? "BINARY " : node.name);
    return operand(*node.right);
  }
  if (node.name == "MEMBER OF") {
    operand(*node.left);
    out_.text(" MEMBER OF (");
    out_.expr(*node.right);
    return out_.text(")");
  }
  if (node.name == ":=") {
    operand(*node.left);
    out_.text(" := ");
    return out_.expr(*node.right);
  }
  if (node.name == "->" || node.name == "->>") {
    out_.expr(*node.left);
    out_.text(node.name);
    return out_.expr(*node.right);
  }
  if (node.left->as<Interval>()) {
    out_.expr(*node.left);
    out_.text(" + ");
    return operand(*node.right);
  }
  const Binding own = binding_by_name(node.name);
  const bool groups_left = own == Binding::additive || own == Binding::multiplicative;
  if (!groups_left && !compares(node.name)) {
    operand(*node.left);
    out_.text(" " + node.name + " ");
    return operand(*node.right);
  }
  side(*node.left, own, groups_left);
  out_.text(" " + node.name + " ");
  side(*node.right, own, false);
}

void ExprWriter::operator()(const BoolOp& node) {
  if (node.kind != BoolOp::Kind::not_) return NodeWriter::operator()(node);
  out_.text("NOT (");
  out_.expr(*node.args[0]);
  out_.text(")");
}

void ExprWriter::operator()(const DistinctFrom& node) {
  if (!node.negated) out_.text("NOT (");
  operand(*node.left, Binding::is);
  out_.text(" <=> ");
  operand(*node.right, Binding::is);
  if (!node.negated) out_.text(")");
}

void ExprWriter::operator()(const Collate& node) {
  operand(*node.arg);
  const std::string& collation = node.collation.back();
  out_.text(" COLLATE " + (plain(collation) ? collation : quoted(collation)));
}

void ExprWriter::operator()(const PrefixedLiteral& node) {
  out_.text(node.prefix);
  if (node.prefix != "N") out_.text(" ");
  out_.expr(*node.literal);
  if (node.prefix[0] == '{') out_.text("}");
}

void ExprWriter::operator()(const Variable& node) {
  if (!node.system) {
    const bool bare = plain(node.name[0]);
    return out_.text("@" + (bare ? node.name[0] : quoted(node.name[0])));
  }
  out_.text("@@");
  if (!node.scope.empty()) out_.text(node.scope + ".");
  for (std::size_t i = 0; i < node.name.size(); ++i)
    out_.text((i == 0 ? "" : ".") + quoted(node.name[i]));
}

void ExprWriter::operator()(const Verbatim& node) {
  out_.text(node.text);
}

void ExprWriter::function_name(const Name& name) {
  if (name.size() > 1 && name[0] != "pg_catalog") return out_.text(quoted(name));
  const std::string& last = name.back();
  const bool bare = plain(last) && (!is_reserved(last) || is_reserved_function(last));
  out_.text(bare ? last : quoted(last));
}

void ExprWriter::plain_call(const FunctionCall& node) {
  function_name(node.name);
  out_.text("(");
  if (node.distinct) out_.text("DISTINCT ");
  if (node.star) out_.text("*");
  list(node.args);
  if (!node.order_by.empty() && !node.within_group) {
    out_.text(" ORDER BY ");
    sort_keys(node.order_by);
  }
  if (node.separator) {
    out_.text(" SEPARATOR ");
    out_.expr(*node.separator);
  }
  if (node.limit) {
    out_.text(" LIMIT ");
    if (node.offset) {
      out_.expr(*node.offset);
      out_.text(", ");
    }
    out_.expr(*node.limit);
  }
  out_.text(")");
}

// False: an ordinary call.
bool ExprWriter::worded_call(const FunctionCall& node) {
  const std::string& name = node.name.back();
  const auto& args = node.args;
  const auto words = [&](std::string_view opening, std::string_view between) {
    out_.text(opening);
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (i > 0) out_.text(i + 1 == args.size() ? between : ", ");
      out_.expr(*args[i]);
    }
    out_.text(")");
    return true;
  };
  if (name == "extract") return words("EXTRACT(", " FROM ");
  if (name == "convert") return words("CONVERT(", " USING ");
  if (name == "char") return words("CHAR(", " USING ");
  if (name == "position") {
    out_.text("POSITION(");
    operand(*args.at(1));
    out_.text(" IN ");
    out_.expr(*args[0]);
    out_.text(")");
    return true;
  }
  if (name == "trim") {
    out_.text("TRIM(" + values::upper_case(args.at(0)->as<Keyword>()->word) + " ");
    if (args.size() > 2) {
      operand(*args[1]);
      out_.text(" ");
    }
    out_.text("FROM ");
    out_.expr(*args.back());
    out_.text(")");
    return true;
  }
  if (name != "match") return false;
  for (std::size_t i = 0; i + 2 < args.size(); ++i) {
    out_.text(i == 0 ? "MATCH (" : ", ");
    out_.expr(*args[i]);
  }
  out_.text(") AGAINST (");
  operand(*args.at(args.size() - 2));
  const std::string& mode = args.back()->as<Keyword>()->word;
  out_.text((mode.empty() ? "" : " ") + values::upper_case(mode) + ")");
  return true;
}

void ExprWriter::operator()(const FunctionCall& node) {
  if (!node.sql_syntax || !worded_call(node)) plain_call(node);
  call_tail(node);
}

}  // namespace anabranch::rewriter::mysql
