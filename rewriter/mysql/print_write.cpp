#include "rewriter/mysql/print.h"
#include "rewriter/mysql/quote.h"

namespace anabranch::rewriter::mysql {

using namespace tree;

namespace {

class WriteWriter {
 public:
  explicit WriteWriter(Printer& out) : out_(out) {}

  void operator()(const Select& node) { out_.select(node); }
  void operator()(const Utility& node) { out_.text(node.text); }

  void operator()(const Insert& node) {
    out_.insert_head(node);
    // ON DUPLICATE behind a join without condition would be read as the join's.
    const bool parens = node.on_conflict && node.source && !node.source->from.empty() &&
                        node.source->from.back()->as<Join>();
    if (parens) out_.text("(");
    if (node.source)
      out_.select(*node.source);
    else
      out_.text("() VALUES ()");
    if (parens) out_.text(")");
    if (!node.row_alias.name.empty()) row_alias(node.row_alias);
    if (node.on_conflict) out_.on_conflict(*node.on_conflict);
    returning(node.returning);
  }

  void operator()(const Update& node) {
    out_.with(node.with);
    verb("UPDATE", node.modifiers, node.ignore);
    if (node.table.name.empty())
      from_list(" ", node.from);
    else
      out_.text(" "), out_.table(node.table);
    out_.text(" SET ");
    assignments(node.set);
    tail(node);
  }

  void operator()(const Delete& node) {
    out_.with(node.with);
    verb("DELETE", node.modifiers, node.ignore);
    for (std::size_t i = 0; i < node.targets.size(); ++i)
      out_.text((i == 0 ? " " : ", ") + quote_name(node.targets[i]));
    if (node.targets.empty())
      out_.text(" FROM "), out_.table(node.table);
    else
      from_list(" FROM ", node.using_);
    tail(node);
    returning(node.returning);
  }

  void assignments(const std::vector<Assignment>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out_.text(", ");
      Name column = list[i].qualifier;
      column.push_back(list[i].column);
      out_.text(quote_name(column) + " = ");
      out_.expr(*list[i].value);
    }
  }

  void verb(std::string_view word, const std::vector<std::string>& modifiers, bool ignore) {
    out_.text(word);
    for (const std::string& modifier : modifiers) out_.text(" " + modifier);
    if (ignore) out_.text(" IGNORE");
  }

 private:
  void row_alias(const Alias& alias) {
    out_.text(" AS " + quote_identifier(alias.name));
    for (std::size_t i = 0; i < alias.columns.size(); ++i)
      out_.text((i == 0 ? " (" : ", ") + quote_identifier(alias.columns[i]));
    if (!alias.columns.empty()) out_.text(")");
  }

  void from_list(std::string_view word, const std::vector<FromPtr>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      out_.text(i == 0 ? word : ", ");
      out_.from(*items[i]);
    }
  }

  void tail(const auto& node) {
    if (node.where) {
      out_.text(" WHERE ");
      out_.expr(*node.where);
    }
    out_.order_by(node.order_by);
    if (node.limit) {
      out_.text(" LIMIT ");
      out_.expr(*node.limit);
    }
  }

  void returning(const std::vector<Target>& targets) {
    if (targets.empty()) return;
    out_.text(" RETURNING ");
    out_.targets(targets);
  }

  Printer& out_;
};

}  // namespace

void print_statement(Printer& out, const Statement& node) {
  std::visit(WriteWriter(out), node.node);
}

void print_insert_head(Printer& out, const Insert& node) {
  WriteWriter(out).verb(node.replace ? "REPLACE" : "INSERT", node.modifiers, node.ignore);
  out.text(" INTO ");
  out.table(node.table);
  out.text(" ");
  for (std::size_t i = 0; i < node.columns.size(); ++i)
    out.text((i == 0 ? "(" : ", ") + quote_identifier(node.columns[i].name));
  if (!node.columns.empty()) out.text(") ");
}

void print_on_duplicate(Printer& out, const OnConflict& clause) {
  out.text(" ON DUPLICATE KEY UPDATE ");
  WriteWriter(out).assignments(clause.set);
}

const PrintTraits traits{
    quote_identifier, quote_literal, binding_of,      print_expr,        print_from,
    print_table,      print_select,  print_statement, print_insert_head, print_on_duplicate,
};

}  // namespace anabranch::rewriter::mysql
