#include "rewriter/print_postgresql.h"

namespace anabranch::rewriter {

using namespace tree;

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

void print_table(Printer& out, const TableRef& node) {
  Name name;
  for (const std::string& part : {node.catalog, node.schema, node.name})
    if (!part.empty()) name.push_back(part);
  if (node.physical >= 0 && node.rows.empty()) {
    out.hole(SqlTemplate::BucketsHole{node.physical, quote_name(node.one_bucket)});
    out.text((node.alias.name.empty() ? " AS " + quote_identifier(node.name) : std::string()) + alias_text(node.alias));
    return;
  }
  const std::string shown = (node.only ? "ONLY " : "") + quote_name(name);
  out.text((node.rows.empty() ? shown : node.rows) + alias_text(node.alias));
  if (!node.tablesample.empty()) out.text(" " + node.tablesample);
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

void print_from(Printer& out, const FromItem& item) {
  std::visit(FromWriter(out), item.node);
}

}  // namespace anabranch::rewriter
