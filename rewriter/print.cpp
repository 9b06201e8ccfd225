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

void Printer::expr(const Expr& expr) {
  std::visit(NodeWriter(*this, bake_), expr.node);
}

SqlTemplate Printer::take() {
  return std::exchange(out_, {});
}

void Printer::order_by(const std::vector<SortKey>& keys) {
  if (keys.empty()) return;
  text(" ORDER BY ");
  NodeWriter(*this, bake_).sort_keys(keys);
}

namespace {

std::string alias_text(const Alias& alias) {
  if (alias.name.empty() && alias.columns.empty()) return {};
  std::string out = alias.name.empty() ? "" : " AS " + quote_identifier(alias.name);
  for (std::size_t i = 0; i < alias.columns.size(); ++i)
    out += (i == 0 ? "(" : ", ") + quote_identifier(alias.columns[i]);
  return alias.columns.empty() ? out : out + ")";
}

std::string join_words(const Join& join) {
  const std::string natural = join.natural ? " NATURAL" : "";
  switch (join.kind) {
    case Join::Kind::cross:
      return " CROSS JOIN ";
    case Join::Kind::left:
      return natural + " LEFT JOIN ";
    case Join::Kind::right:
      return natural + " RIGHT JOIN ";
    case Join::Kind::full:
      return natural + " FULL JOIN ";
    default:
      return natural + " JOIN ";
  }
}

}  // namespace

void Printer::table(const TableRef& node) {
  Name name;
  for (const std::string& part : {node.catalog, node.schema, node.name})
    if (!part.empty()) name.push_back(part);
  text((node.only ? "ONLY " : "") + quote_name(name) + alias_text(node.alias));
  if (!node.tablesample.empty()) text(" " + node.tablesample);
}

namespace {

class FromWriter {
 public:
  explicit FromWriter(Printer& out) : out_(out) {}

  void operator()(const TableRef& node) { out_.table(node); }
  void operator()(const SubqueryRef& node) {
    out_.text(node.lateral ? "LATERAL (" : "(");
    out_.select(*node.query);
    out_.text(")" + alias_text(node.alias));
  }
  void operator()(const Join& node) {
    const bool named = !node.alias.name.empty();
    if (named) out_.text("(");
    out_.from(*node.left);
    out_.text(join_words(node));
    right_side(*node.right);
    condition(node);
    if (named) out_.text(")" + alias_text(node.alias));
  }
  void operator()(const FunctionRef& node) {
    if (!node.call) return out_.text(node.text);
    if (node.lateral) out_.text("LATERAL ");
    out_.expr(*node.call);
    if (node.ordinality) out_.text(" WITH ORDINALITY");
    out_.text(alias_text(node.alias));
  }
  void operator()(const VerbatimFrom& node) { out_.text(node.text); }

 private:
  void right_side(const FromItem& item) {
    const auto* join = item.as<Join>();
    const bool parens = join && join->alias.name.empty();
    if (parens) out_.text("(");
    out_.from(item);
    if (parens) out_.text(")");
  }

  void condition(const Join& node) {
    if (!node.using_columns.empty()) {
      std::string names;
      for (const std::string& column : node.using_columns)
        names += (names.empty() ? "" : ", ") + quote_identifier(column);
      out_.text(" USING (" + names + ")");
      if (!node.using_alias.empty()) out_.text(" AS " + quote_identifier(node.using_alias));
    } else if (node.on) {
      out_.text(" ON ");
      out_.expr(*node.on);
    }
  }

  Printer& out_;
};

}  // namespace

void Printer::from(const FromItem& item) {
  std::visit(FromWriter(*this), item.node);
}

void Printer::with(const With& node) {
  if (node.ctes.empty()) return;
  text(node.recursive ? "WITH RECURSIVE " : "WITH ");
  bool first = true;
  for (const Cte& cte : node.ctes) {
    if (!first) text(", ");
    first = false;
    text(quote_identifier(cte.name));
    for (std::size_t i = 0; i < cte.columns.size(); ++i)
      text((i == 0 ? "(" : ", ") + quote_identifier(cte.columns[i]));
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
    if (!list[i].alias.empty()) text(" AS " + quote_identifier(list[i].alias));
  }
}

SqlTemplate print(const Expr& expr) {
  Printer printer;
  printer.expr(expr);
  return printer.take();
}

SqlTemplate print(const Select& select) {
  Printer printer;
  printer.select(select);
  return printer.take();
}

SqlTemplate print(const Statement& statement) {
  Printer printer;
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
    else
      std::abort();
  }
  return out;
}

std::string to_text(const Expr& expr, const Shape& shape) {
  return fill(print(expr), shape);
}
std::string to_text(const Statement& statement, const Shape& shape) {
  return fill(print(statement), shape);
}

}  // namespace anabranch::rewriter
