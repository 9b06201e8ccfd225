#include "rewriter/print.h"

#include <cstdlib>

#include "rewriter/print_writer.h"

namespace anabranch::rewriter {

using namespace tree;

void Printer::text(std::string_view piece) {
  if (piece.empty()) return;
  if (!out_.pieces.empty())
    if (auto* last = std::get_if<std::string>(&out_.pieces.back())) {
      last->append(piece);
      return;
    }
  out_.pieces.emplace_back(std::string(piece));
}

void Printer::hole(SqlTemplate::Piece piece) {
  out_.pieces.push_back(std::move(piece));
}

Printer::Printer(bool bake_literals, Dialect dialect)
    : bake_(bake_literals),
      traits_(dialect == Dialect::mysql ? &mysql::traits : &postgresql_traits) {}

void Printer::expr(const Expr& expr) {
  traits_->expr(*this, expr);
}
void Printer::select(const Select& select) {
  traits_->select(*this, select);
}
void Printer::statement(const Statement& statement) {
  traits_->statement(*this, statement);
}
void Printer::from(const FromItem& item) {
  traits_->from(*this, item);
}
void Printer::table(const TableRef& table) {
  traits_->table(*this, table);
}
void Printer::insert_head(const Insert& insert) {
  traits_->insert_head(*this, insert);
}
void Printer::on_conflict(const OnConflict& clause) {
  traits_->on_conflict(*this, clause);
}

namespace {

// a UNION b UNION c groups from the left; INTERSECT binds tighter.
bool binds_left(const Select& left, const Select& parent) {
  if (left.set_op == SetOperation::none || left.set_op == SetOperation::intersect) return true;
  return parent.set_op != SetOperation::intersect;
}

void print_arm(Printer& out, const Select& node, bool plain) {
  if (!plain) out.text("(");
  out.select(node);
  if (!plain) out.text(")");
}

}  // namespace

void print_set_operation(Printer& out, const Select& node, bool (*bare)(const Select& arm)) {
  print_arm(out, *node.left, bare(*node.left) && binds_left(*node.left, node));
  out.text(node.set_op == SetOperation::union_      ? " UNION "
           : node.set_op == SetOperation::intersect ? " INTERSECT "
                                                    : " EXCEPT ");
  if (node.set_all) out.text("ALL ");
  print_arm(out, *node.right, bare(*node.right) && node.right->set_op == SetOperation::none);
}

SqlTemplate Printer::take() {
  return std::exchange(out_, {});
}

void Printer::order_by(const std::vector<SortKey>& keys) {
  if (keys.empty()) return;
  text(" ORDER BY ");
  NodeWriter(*this).sort_keys(keys);
}

void Printer::with(const With& node) {
  if (node.ctes.empty()) return;
  text(node.recursive ? "WITH RECURSIVE " : "WITH ");
  bool first = true;
  for (const Cte& cte : node.ctes) {
    if (!first) text(", ");
    first = false;
    text(traits_->quote_identifier(cte.name));
    for (std::size_t i = 0; i < cte.columns.size(); ++i)
      text((i == 0 ? "(" : ", ") + traits_->quote_identifier(cte.columns[i]));
    if (!cte.columns.empty()) text(")");
    text(cte.materialized == Cte::Materialized::always  ? " AS MATERIALIZED ("
         : cte.materialized == Cte::Materialized::never ? " AS NOT MATERIALIZED ("
                                                        : " AS (");
    statement(*cte.statement);
    text(")" + cte.tail);
  }
  text(" ");
}

void Printer::targets(const std::vector<Target>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) text(", ");
    expr(*list[i].expr);
    if (!list[i].alias.empty()) text(" AS " + traits_->quote_identifier(list[i].alias));
  }
}

SqlTemplate print(const Expr& expr, Dialect dialect) {
  Printer printer(false, dialect);
  printer.expr(expr);
  return printer.take();
}

SqlTemplate print(const Select& select, Dialect dialect) {
  Printer printer(false, dialect);
  printer.select(select);
  return printer.take();
}

SqlTemplate print(const Statement& statement, Dialect dialect) {
  Printer printer(false, dialect);
  printer.statement(statement);
  return printer.take();
}

std::string fill(const SqlTemplate& sql, const Shape& shape) {
  std::string out;
  for (const auto& piece : sql.pieces) {
    if (const auto* text = std::get_if<std::string>(&piece))
      out += *text;
    else if (const auto* hole = std::get_if<SqlTemplate::LiteralHole>(&piece))
      out += shape.spelling(hole->index);
    else if (std::holds_alternative<SqlTemplate::ParameterHole>(piece))
      out += '?';
    else if (const auto* buckets = std::get_if<SqlTemplate::BucketsHole>(&piece))
      out += buckets->described;
    else
      std::abort();
  }
  return out;
}

std::string to_text(const Expr& expr, const Shape& shape, Dialect dialect) {
  return fill(print(expr, dialect), shape);
}
std::string to_text(const Statement& statement, const Shape& shape, Dialect dialect) {
  return fill(print(statement, dialect), shape);
}

}  // namespace anabranch::rewriter
