#pragma once

#include <pg_query/pg_query.pb-c.h>

#include <string>
#include <string_view>
#include <vector>

#include "rewriter/shape.h"
#include "rewriter/tree.h"

/// From libpg_query's protobuf tree to ours. A clause that our tree has no place for makes the
/// expression, from item or statement that holds it Verbatim; none is dropped.
namespace anabranch::rewriter {

class Lowering {
 public:
  Lowering(std::string_view text, const Shape& shape);

  tree::StatementPtr raw_statement(const PgQuery__RawStmt& raw);

 private:
  using Node = PgQuery__Node;
  /// While one lives, literals are baked into text: their tokens stay with the cache key.
  class Baking {
   public:
    explicit Baking(Lowering& owner) : owner_(owner) { ++owner_.baking_; }
    ~Baking() { --owner_.baking_; }
    Baking(const Baking&) = delete;
    Baking& operator=(const Baking&) = delete;

   private:
    Lowering& owner_;
  };

  // lower_expr.cpp, lower_call.cpp
  tree::ExprPtr expr(const Node* node);  ///< null for null
  std::vector<tree::ExprPtr> exprs(std::size_t count, Node** nodes);
  tree::ExprPtr constant(const PgQuery__AConst& node);
  tree::ExprPtr literal(tree::Literal::Kind kind, std::string text, int location);
  tree::ExprPtr column(const PgQuery__ColumnRef& node);
  tree::ExprPtr operation(const PgQuery__AExpr& node);
  tree::ExprPtr binary(const PgQuery__AExpr& node);
  tree::ExprPtr any_all_array(const PgQuery__AExpr& node);
  tree::ExprPtr between(const PgQuery__AExpr& node);
  tree::ExprPtr in_list(const PgQuery__AExpr& node);
  tree::ExprPtr boolean(const PgQuery__BoolExpr& node);
  tree::ExprPtr sublink(const PgQuery__SubLink& node);
  tree::ExprPtr indirection(const PgQuery__AIndirection& node);
  std::vector<tree::ExprPtr> steps(std::size_t count, Node** nodes);
  tree::ExprPtr cast(const PgQuery__TypeCast& node);
  tree::ExprPtr case_expr(const PgQuery__CaseExpr& node);
  tree::ExprPtr value_function(const PgQuery__SQLValueFunction& node);
  tree::ExprPtr boolean_test(const PgQuery__BooleanTest& node);
  tree::ExprPtr call(const PgQuery__FuncCall& node);
  tree::WindowDef window(const PgQuery__WindowDef& node);
  tree::SortKey sort_key(const Node* node);
  std::vector<tree::SortKey> sort_keys(std::size_t count, Node** nodes);
  tree::TypeName type_name(const PgQuery__TypeName& node);
  tree::ExprPtr verbatim(const Node* node);
  void collect(const ProtobufCMessage* message, std::vector<tree::ExprPtr>& out);

  // lower_from.cpp
  tree::FromPtr from(const Node* node);
  std::vector<tree::FromPtr> from_list(std::size_t count, Node** nodes);
  tree::TableRef table(const PgQuery__RangeVar& node);
  tree::Alias alias(const PgQuery__Alias* node);
  tree::FromPtr join(const PgQuery__JoinExpr& node);
  tree::FromPtr function(const Node* node);
  tree::FromPtr sample(const PgQuery__RangeTableSample& node);
  tree::FromPtr verbatim_from(const Node* node, const PgQuery__Alias* alias_node);

  // lower_select.cpp, lower_write.cpp
  tree::SelectPtr select(const PgQuery__SelectStmt& node);
  tree::SelectPtr subquery(const Node* node);
  void set_operation(const PgQuery__SelectStmt& node, tree::Select& out);
  void body(const PgQuery__SelectStmt& node, tree::Select& out);
  tree::With with(const PgQuery__WithClause* node);
  tree::Cte cte(const PgQuery__CommonTableExpr& node);
  std::string cycle_mark(const Node* node);
  std::string cte_tail(const PgQuery__CommonTableExpr& node);
  std::vector<tree::Target> targets(std::size_t count, Node** nodes);
  tree::GroupItem group_item(const Node* node);
  tree::Locking locking(const PgQuery__LockingClause& node);
  tree::StatementPtr statement(const Node* node);
  tree::Insert insert(const PgQuery__InsertStmt& node);
  tree::Update update(const PgQuery__UpdateStmt& node);
  tree::Delete delete_(const PgQuery__DeleteStmt& node);
  std::unique_ptr<tree::OnConflict> on_conflict(const PgQuery__OnConflictClause* node);
  std::vector<tree::Assignment> assignments(std::size_t count, Node** nodes);
  void condition(const Node* node, tree::ExprPtr& where, std::string& current_of);

  // lower_utility.cpp, lower_ddl.cpp
  tree::Utility utility(const Node* node);
  void utility_detail(const Node* node, tree::Utility& out);
  bool ddl_detail(const Node* node, tree::Utility& out);
  bool session_detail(const Node* node, tree::Utility& out);
  bool prepared_detail(const Node* node, tree::Utility& out);
  void set_variable(const PgQuery__VariableSetStmt& node, tree::Utility& out);
  tree::Copy copy(const PgQuery__CopyStmt& node);
  tree::CreateTable create_table(const PgQuery__CreateStmt& node);
  tree::ColumnDefinition column_definition(const PgQuery__ColumnDef& node);
  void column_constraint(const PgQuery__Constraint& node, tree::ColumnDefinition& out);
  tree::CreateTable::TableConstraint table_constraint(const PgQuery__Constraint& node);
  std::vector<tree::Option> options(std::size_t count, Node** nodes);
  std::string option_value(const Node* node, bool& present);
  std::string transaction_modes(std::size_t count, Node** nodes);
  std::string baked_text(const Node* node);  ///< of an expression
  void relations(const ProtobufCMessage* message, std::vector<tree::RelationName>& out);

  /// Index of the literal token at this byte, -1 if there is none.
  int token_at(int location) const;

  std::string_view text_;
  const Shape& shape_;
  std::string_view statement_text_;
  std::vector<bool> printed_;  ///< by token: a hole stands for it
  int baking_ = 0;
};

// lower_names.cpp: small readers of protobuf nodes
std::string string_of(const PgQuery__Node* node);
std::vector<std::string> strings_of(std::size_t count, PgQuery__Node** nodes);
std::string text_or_empty(const char* text);
/// The items of a List node, or the node itself.
std::vector<const PgQuery__Node*> items_of(const PgQuery__Node* node);
/// SQL of one expression, of one from item. Throws SqlError 0A000 if libpg_query cannot print it.
std::string deparse_expr(const PgQuery__Node* node);
std::string deparse_from(const PgQuery__Node* node);
/// The statement, as if it said WITH NO DATA.
std::string deparse_without_data(const PgQuery__CreateTableAsStmt& create);
std::string node_kind(const PgQuery__Node* node);  ///< "CreateStmt"
std::string command_tag(const PgQuery__Node* node);
std::string alter_table_action(PgQuery__AlterTableType type);  ///< "AT_AddColumn"
std::string object_words(PgQuery__ObjectType type);            ///< "MATERIALIZED VIEW"

}  // namespace anabranch::rewriter
