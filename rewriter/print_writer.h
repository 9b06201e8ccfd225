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
Binding binding_of(const tree::Expr& expr);  ///< in PostgreSQL

/// What a dialect writes in its own way.
struct PrintTraits {
  std::string (*quote_identifier)(std::string_view name);
  std::string (*quote_literal)(std::string_view value);
  Binding (*binding)(const tree::Expr& expr);
  void (*expr)(Printer& out, const tree::Expr& expr);
  void (*from)(Printer& out, const tree::FromItem& item);
  void (*table)(Printer& out, const tree::TableRef& table);
  void (*select)(Printer& out, const tree::Select& select);
  void (*statement)(Printer& out, const tree::Statement& statement);
  void (*insert_head)(Printer& out, const tree::Insert& insert);
  void (*on_conflict)(Printer& out, const tree::OnConflict& clause);
};
extern const PrintTraits postgresql_traits;
namespace mysql {
extern const PrintTraits traits;
}

/// A set operation, its arms in parentheses where they would be read otherwise. `bare`: nothing follows the
/// arm that would be taken for the whole's.
void print_set_operation(Printer& out, const tree::Select& node, bool (*bare)(const tree::Select& arm));

/// The printers of single nodes; Printer is its outside. A dialect with other syntax for some nodes
/// has a class of its own over this one.
class NodeWriter {
 public:
  explicit NodeWriter(Printer& out) : out_(out) {}

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
  void operator()(const tree::Interval& node);
  void operator()(const tree::PrefixedLiteral& node);
  void operator()(const tree::Variable& node);
  void operator()(const tree::Keyword& node);
  void operator()(const tree::Verbatim& node);

  void list(const std::vector<tree::ExprPtr>& exprs);
  void sort_keys(const std::vector<tree::SortKey>& keys);
  void window(const tree::WindowDef& window);
  /// In parentheses unless it is a name, a call or the like.
  void operand(const tree::Expr& expr);
  /// In parentheses unless it binds tighter than `than`.
  void operand(const tree::Expr& expr, Binding than, bool or_equal = false);
  void step(const tree::Expr& step);  ///< [i], [l:u], .f without what it applies to

 protected:
  std::string quoted(std::string_view name) const { return out_.traits().quote_identifier(name); }
  std::string quoted(const tree::Name& name) const;
  void subquery(const tree::Select& query);
  void call_tail(const tree::FunctionCall& node);

  Printer& out_;

 private:
  bool sql_call(const tree::FunctionCall& node);
  bool normalization(const tree::FunctionCall& node, bool normalize);
  void plain_call(const tree::FunctionCall& node);
  void in_parens(const tree::Expr& expr);
  void frame_bound(tree::WindowDef::Bound bound, const tree::ExprPtr& offset);
  void like(const tree::OperatorCall& node, std::string_view word);
};

}  // namespace anabranch::rewriter
