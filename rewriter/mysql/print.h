#pragma once

#include "rewriter/print_writer.h"

/// The dialect's own ways to write what PostgreSQL writes otherwise. Internal to rewriter/mysql.
namespace anabranch::rewriter::mysql {

/// Anything that the two servers, or two sql_modes, might bind differently gets parentheses.
Binding binding_of(const tree::Expr& expr);

class ExprWriter : public NodeWriter {
 public:
  using NodeWriter::NodeWriter;
  using NodeWriter::operator();

  void operator()(const tree::Param& node);
  void operator()(const tree::TypeCast& node);
  void operator()(const tree::FunctionCall& node);
  void operator()(const tree::OperatorCall& node);
  void operator()(const tree::BoolOp& node);
  void operator()(const tree::DistinctFrom& node);
  void operator()(const tree::Collate& node);
  void operator()(const tree::PrefixedLiteral& node);
  void operator()(const tree::Variable& node);
  void operator()(const tree::Verbatim& node);

 private:
  bool worded_call(const tree::FunctionCall& node);
  void plain_call(const tree::FunctionCall& node);
  void function_name(const tree::Name& name);
  void like(const tree::OperatorCall& node);
  void side(const tree::Expr& expr, Binding than, bool or_equal);
};

void print_expr(Printer& out, const tree::Expr& expr);
void print_from(Printer& out, const tree::FromItem& item);
void print_table(Printer& out, const tree::TableRef& table);
void print_select(Printer& out, const tree::Select& select);
void print_statement(Printer& out, const tree::Statement& statement);
void print_insert_head(Printer& out, const tree::Insert& insert);
void print_on_duplicate(Printer& out, const tree::OnConflict& clause);

}  // namespace anabranch::rewriter::mysql
