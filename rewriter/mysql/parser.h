#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rewriter/lexer.h"
#include "rewriter/mysql/mode.h"
#include "rewriter/shape.h"
#include "rewriter/tree.h"

/// Recursive descent over the tokens of a text. Internal to rewriter/mysql.
namespace anabranch::rewriter::mysql {

/// Reading ended at this byte.
struct Failure {
  std::uint32_t offset;
};
/// A valid clause that the tree has no place for: the statement is kept verbatim.
struct Unmodelled {};

struct Word {
  Token::Kind kind = Token::Kind::end;
  std::uint32_t offset = 0;
  std::uint32_t end = 0;
  bool space_before = false;
  std::string_view text;  ///< as written
  std::string_view word;  ///< unquoted names in lower case; operators and punctuation as they are
  int literal = -1;       ///< index in Shape::literals()
  int closing = -1;       ///< of "(": the index of its ")"
};

class Parser {
 public:
  Parser(std::string_view text, const Shape& shape, const Mode& mode);

  std::vector<tree::StatementPtr> statements();

 private:
  // parser.cpp: tokens, names, literals
  void read_words();
  const Word& here(std::size_t ahead = 0) const;
  bool at(std::string_view word, std::size_t ahead = 0) const;  ///< keyword, operator, punctuation
  bool at_words(std::initializer_list<std::string_view> words) const;
  bool at_any(std::initializer_list<std::string_view> words) const;
  bool accept(std::string_view word);
  bool accept_words(std::initializer_list<std::string_view> words);
  void expect(std::string_view word);
  [[noreturn]] void fail() const;
  bool at_end() const;
  bool at_name(std::size_t ahead = 0) const;
  std::string name();      ///< not a reserved word
  std::string any_name();  ///< after a dot, or where only a name can stand
  tree::Name qualified_name(std::size_t most);
  std::string name_or_string();
  std::vector<std::string> name_list();                                ///< (a, b)
  std::string source(std::size_t first, std::size_t end) const;        ///< text of these words
  std::string named_source(std::size_t first, std::size_t end) const;  ///< as it names a column
  void skip_parenthesis();
  std::string value_of(const Word& word) const;

  /// While one lives, literals are baked into text: their tokens stay with the cache key.
  class Baking {
   public:
    explicit Baking(Parser& owner) : owner_(owner) { ++owner_.baking_; }
    ~Baking() { --owner_.baking_; }
    Baking(const Baking&) = delete;
    Baking& operator=(const Baking&) = delete;

   private:
    Parser& owner_;
  };
  /// Bounds recursion, by about how many frames a step takes.
  class Deeper {
   public:
    explicit Deeper(Parser& owner, int weight = 1);
    ~Deeper() { owner_.depth_ -= weight_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Parser& owner_;
    int weight_;
  };

  // parse_expr.cpp: by how tightly operators bind, loosest first
  tree::ExprPtr expr();
  tree::ExprPtr xor_operand();
  tree::ExprPtr and_operand();
  tree::ExprPtr not_operand();
  tree::ExprPtr comparison();
  tree::ExprPtr is_test(tree::ExprPtr arg);
  tree::ExprPtr compared(tree::ExprPtr left);
  tree::ExprPtr predicate();
  tree::ExprPtr pattern();
  bool tested(tree::ExprPtr& left);
  tree::ExprPtr in_list(tree::ExprPtr arg, bool negated);
  tree::ExprPtr like(tree::ExprPtr arg, bool negated);
  tree::ExprPtr between(tree::ExprPtr arg, bool negated);
  tree::ExprPtr bit_expr(int least = 1);
  tree::ExprPtr concatenation();
  tree::ExprPtr simple_expr();
  bool at_interval() const;
  tree::ExprPtr interval();
  std::vector<tree::ExprPtr> expr_list();

  // parse_primary.cpp
  tree::ExprPtr primary();
  tree::ExprPtr literal();
  tree::ExprPtr prefixed_literal();
  tree::ExprPtr word_primary();
  bool at_call() const;
  tree::ExprPtr column();
  std::string variable_name(const Word& word) const;
  tree::ExprPtr user_variable();
  tree::ExprPtr system_variable();
  tree::ExprPtr parenthesised();
  tree::ExprPtr odbc();
  tree::ExprPtr case_expr();
  tree::ExprPtr value_function();
  tree::ExprPtr sequence_value();
  bool at_query(std::size_t index) const;  ///< "(" at this word opens a query
  tree::SelectPtr subquery();              ///< in parentheses

  // parse_call.cpp
  tree::ExprPtr call();
  tree::ExprPtr special_call(const std::string& function, int location);
  tree::ExprPtr cast(bool convert);
  tree::ExprPtr extract();
  tree::ExprPtr trim();
  tree::ExprPtr position();
  tree::ExprPtr char_call();
  tree::ExprPtr unit_call(const std::string& function);
  tree::ExprPtr match();
  tree::ExprPtr group_concat(const std::string& function);
  tree::ExprPtr plain_call(tree::Name function);
  void call_tail(tree::FunctionCall& out);
  tree::WindowDef window();
  void frame(tree::WindowDef& out);
  tree::WindowDef::Bound frame_bound(tree::ExprPtr& offset);
  std::vector<tree::SortKey> sort_keys();
  tree::TypeName cast_type();
  std::string type_modifiers();

  // parse_select.cpp
  tree::SelectPtr query(bool naming);
  tree::SelectPtr query_body(bool naming);
  tree::SelectPtr query_term(bool naming);
  tree::SelectPtr query_primary(bool naming);
  tree::SelectPtr set_operation(tree::SetOperation op, tree::SelectPtr left, tree::SelectPtr right,
                                bool all);
  tree::SelectPtr block(bool naming);
  tree::SelectPtr values_query();
  tree::With with();
  void modifiers(std::initializer_list<std::string_view> words, std::vector<std::string>& out);
  tree::Target target(bool naming);
  std::string implied_name(const tree::Expr& expr, std::size_t first, std::size_t end);
  std::vector<tree::Target> targets(bool naming);
  void group_by(tree::Select& out);
  void tail(tree::Select& out);
  void limit(tree::Select& out);
  bool fetch(tree::Select& out);
  bool locking(tree::Select& out);
  std::string into();
  tree::ExprPtr limit_value();
  std::vector<std::vector<tree::ExprPtr>> value_rows(bool& row_words);
  tree::ExprPtr value_or_default();
  void bake(std::size_t first, std::size_t end);

  // parse_from.cpp
  std::vector<tree::FromPtr> from_list();
  tree::FromPtr joined_table();
  tree::FromPtr table_factor();
  tree::FromPtr derived_table(bool lateral);
  tree::FromPtr json_table();
  tree::TableRef table_ref(bool aliases = true);
  tree::TableRef table_name();
  std::string table_qualifier();
  std::string index_hints();
  tree::Alias alias(bool columns);

  // parse_write.cpp
  tree::Insert insert(bool replace);
  tree::Update update();
  tree::Delete delete_();
  std::vector<tree::Assignment> assignments();
  void write_tail(std::vector<tree::SortKey>& order_by, tree::ExprPtr& limit);
  std::vector<tree::Name> delete_targets();
  std::vector<tree::Target> returning();

  // parse_statement.cpp, parse_session.cpp, parse_ddl.cpp
  tree::StatementPtr statement();
  tree::StatementPtr one_statement(std::size_t end);
  tree::StatementPtr query_or_write();
  tree::StatementPtr inner_statement();
  bool starts_query(std::size_t ahead = 0) const;
  tree::StatementPtr verbatim_statement(std::size_t first, std::size_t end);
  std::size_t statement_end(std::size_t first) const;
  tree::Utility utility();
  bool transaction(tree::Utility& out);
  bool session(tree::Utility& out);
  bool prepared(tree::Utility& out);
  bool information(tree::Utility& out);
  bool administration(tree::Utility& out);
  bool ddl(tree::Utility& out);
  void set(tree::Utility& out);
  void set_statement(std::size_t first, tree::Utility& out);
  tree::SetVariables::Item set_item();
  tree::ExprPtr set_value();
  void xa(tree::Utility& out);
  void start_transaction(tree::Utility& out);
  void explain(tree::Utility& out);
  void lock_tables(tree::Utility& out);
  void load(tree::Utility& out);
  void file_option(std::string name, std::vector<tree::Option>& out);
  void file_format(bool xml, std::vector<tree::Option>& out);
  std::string transaction_modes();
  void create(tree::Utility& out);
  void create_table(tree::Utility& out, bool temporary);
  void create_view(tree::Utility& out, bool replace);
  void create_index(tree::Utility& out);
  bool table_element(tree::CreateTable& out);
  tree::ColumnDefinition column_definition(std::string name);
  bool column_attribute(tree::ColumnDefinition& out);
  bool at_constraint() const;
  tree::CreateTable::TableConstraint table_constraint();
  std::vector<std::string> key_parts();
  tree::TypeName column_type();
  std::vector<std::string> references(std::optional<tree::TableRef>& out);
  void alter_table(tree::Utility& out);
  void alter_action(tree::AlterTable& out);
  void drop(tree::Utility& out);
  void rename_table(tree::Utility& out);
  void rest(tree::Utility& out);  ///< not looked into: every name in it may be a relation's
  void add_relation(const tree::TableRef& table, tree::RelationName::Kind kind, tree::Utility& out);
  void all_relations(std::size_t first, std::size_t end, tree::Utility& out) const;

  std::string_view text_;
  const Shape& shape_;
  const Mode& mode_;
  std::string lower_;
  std::vector<Word> words_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;        ///< of the statement being read, in words_
  std::vector<bool> printed_;  ///< by literal: a hole stands for it
  std::vector<bool> named_;    ///< by literal: it is in the name of a column
  int baking_ = 0;
  int depth_ = 0;
  int parameters_ = 0;
};

/// What a statement is called: its node, and the command's words.
inline void tagged(tree::Utility& out, std::string_view kind, std::string_view tag) {
  out.kind = kind;
  out.tag = tag;
}

}  // namespace anabranch::rewriter::mysql
