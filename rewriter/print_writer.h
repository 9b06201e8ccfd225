#pragma once

#include "rewriter/print.h"

namespace anabranch::rewriter {

/// How tightly an expression holds together when it is printed (PostgreSQL documentation, 4.1.6).
enum class Binding {
  or_,
  and_,
  not_,
  is,
  comparison,
  range,
  other_operator,
  additive,
  multiplicative,
  power,
  primary
};
Binding binding_of(const tree::Expr& expr);

/// The printers of single nodes; Printer is its outside.
class NodeWriter {
 public:
  explicit NodeWriter(Printer& out, bool bake) : out_(out), bake_(bake) {}

  void operator()(const tree::ColumnRef& node);
  void operator()(const tree::Literal& node);
  void operator()(const tree::Param& node);
  void operator()(const tree::TypeCast& node);
  void operator()(const tree::FunctionCall& node);
  void operator()(const tree::OperatorCall& node);
  void operator()(const tree::BoolOp& node);
  void operator()(const tree::NullTest& node);
  void operator()(const tree::BooleanTest& node);
  void operator()(const tree::Between& node);
  void operator()(const tree::InList& node);
  void operator()(const tree::InSubquery& node);
  void operator()(const tree::AnyAll& node);
  void operator()(const tree::Exists& node);
  void operator()(const tree::ScalarSubquery& node);
  void operator()(const tree::ArraySubquery& node);
  void operator()(const tree::Case& node);
  void operator()(const tree::Coalesce& node);
  void operator()(const tree::NullIf& node);
  void operator()(const tree::MinMax& node);
  void operator()(const tree::DistinctFrom& node);
  void operator()(const tree::ArrayLiteral& node);
  void operator()(const tree::Row& node);
  void operator()(const tree::Subscript& node);
  void operator()(const tree::FieldSelect& node);
  void operator()(const tree::Collate& node);
  void operator()(const tree::AtTimeZone& node);
  void operator()(const tree::SqlValueFunction& node);
  void operator()(const tree::Grouping& node);
  void operator()(const tree::SetToDefault& node);
  void operator()(const tree::NamedArg& node);
  void operator()(const tree::MultiAssign& node);
  void operator()(const tree::Verbatim& node);

  void list(const std::vector<tree::ExprPtr>& exprs);
  void sort_keys(const std::vector<tree::SortKey>& keys);
  void window(const tree::WindowDef& window);
  /// In parentheses unless it is a name, a call or the like.
  void operand(const tree::Expr& expr);
  /// In parentheses unless it binds tighter than `than`.
  void operand(const tree::Expr& expr, Binding than, bool or_equal = false);
  void step(const tree::Expr& step);  ///< [i], [l:u], .f without what it applies to

 private:
  bool sql_call(const tree::FunctionCall& node);
  bool normalization(const tree::FunctionCall& node, bool normalize);
  void plain_call(const tree::FunctionCall& node);
  void call_tail(const tree::FunctionCall& node);
  void in_parens(const tree::Expr& expr);
  void subquery(const tree::Select& query);
  void frame_bound(tree::WindowDef::Bound bound, const tree::ExprPtr& offset);
  void like(const tree::OperatorCall& node, std::string_view word);

  Printer& out_;
  bool bake_;
};

}  // namespace anabranch::rewriter
