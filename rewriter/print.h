#pragma once

#include <string>
#include <string_view>

#include "rewriter/dialect.h"
#include "rewriter/plan.h"
#include "rewriter/shape.h"
#include "rewriter/tree.h"

/// Trees back to SQL. Literals of the statement print as holes, all else as text; operators are
/// parenthesised wherever their precedence could matter. All of it pure.
namespace anabranch::rewriter {

struct PrintTraits;

/// Appends to a template; text pieces next to each other are joined.
class Printer {
 public:
  /// bake_literals: literals are printed as their values, holes are not made.
  explicit Printer(bool bake_literals = false, Dialect dialect = Dialect::postgresql);
  void text(std::string_view piece);
  void hole(SqlTemplate::Piece piece);  ///< a LiteralHole, EvaluatedHole, SlotHole …
  void expr(const tree::Expr& expr);
  void select(const tree::Select& select);
  void statement(const tree::Statement& statement);
  void from(const tree::FromItem& item);
  void table(const tree::TableRef& table);
  void with(const tree::With& with);
  void targets(const std::vector<tree::Target>& targets);
  void order_by(const std::vector<tree::SortKey>& keys);  ///< " ORDER BY …", nothing for no keys
  void on_conflict(const tree::OnConflict& clause);       ///< " ON CONFLICT …"
  /// "INSERT INTO t (a, b) OVERRIDING …": up to where the source begins, WITH included.
  void insert_head(const tree::Insert& insert);
  SqlTemplate take();

  const PrintTraits& traits() const { return *traits_; }
  bool bakes() const { return bake_; }

 private:
  SqlTemplate out_;
  bool bake_;
  const PrintTraits* traits_;
};

SqlTemplate print(const tree::Expr& expr, Dialect dialect = Dialect::postgresql);
SqlTemplate print(const tree::Select& select, Dialect dialect = Dialect::postgresql);
SqlTemplate print(const tree::Statement& statement, Dialect dialect = Dialect::postgresql);

/// Text with each LiteralHole filled from the shape. Other holes must not be there.
std::string fill(const SqlTemplate& sql, const Shape& shape);
/// For explanations, names and tests.
std::string to_text(const tree::Expr& expr, const Shape& shape,
                    Dialect dialect = Dialect::postgresql);
std::string to_text(const tree::Statement& statement, const Shape& shape,
                    Dialect dialect = Dialect::postgresql);

/// PostgreSQL's; MySQL's are in rewriter/mysql/quote.h.
std::string quote_identifier(std::string_view name);  ///< only where it is needed
std::string quote_name(const tree::Name& name);       ///< a.b.c, each quoted as needed
std::string quote_literal(std::string_view value);    ///< E'' when there is a backslash

}  // namespace anabranch::rewriter
