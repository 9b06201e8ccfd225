#include "rewriter/mysql/print.h"
#include "rewriter/mysql/quote.h"

namespace anabranch::rewriter::mysql {

using namespace tree;

namespace {

std::string alias_text(const Alias& alias) {
  if (alias.name.empty()) return {};
  std::string out = " AS " + quote_identifier(alias.name);
  for (std::size_t i = 0; i < alias.columns.size(); ++i)
    out += (i == 0 ? " (" : ", ") + quote_identifier(alias.columns[i]);
  return alias.columns.empty() ? out : out + ")";
}

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
    out_.from(*node.left);
    out_.text(words(node));
    const bool parens = node.right->as<Join>() != nullptr;
    if (parens) out_.text("(");
    out_.from(*node.right);
    if (parens) out_.text(")");
    for (std::size_t i = 0; i < node.using_columns.size(); ++i)
      out_.text((i == 0 ? " USING (" : ", ") + quote_identifier(node.using_columns[i]));
    if (!node.using_columns.empty()) out_.text(")");
    if (!node.on) return;
    out_.text(" ON ");
    out_.expr(*node.on);
  }
  void operator()(const FunctionRef& node) { out_.text(node.text); }
  void operator()(const VerbatimFrom& node) { out_.text(node.text); }

 private:
  static std::string_view words(const Join& node) {
    if (node.straight) return " STRAIGHT_JOIN ";
    switch (node.kind) {
      case Join::Kind::cross:
        return " CROSS JOIN ";
      case Join::Kind::left:
        return node.natural ? " NATURAL LEFT JOIN " : " LEFT JOIN ";
      case Join::Kind::right:
        return node.natural ? " NATURAL RIGHT JOIN " : " RIGHT JOIN ";
      default:
        return node.natural ? " NATURAL JOIN " : " JOIN ";
    }
  }

  Printer& out_;
};

class SelectWriter {
 public:
  explicit SelectWriter(Printer& out) : out_(out), nodes_(out) {}

  void select(const Select& node) {
    out_.with(node.with);
    if (node.set_op != SetOperation::none)
      print_set_operation(out_, node, bare);
    else if (!node.values.empty())
      values(node);
    else
      block(node);
    tail(node);
  }

 private:
  static bool bare(const Select& arm) {
    return arm.with.ctes.empty() && arm.order_by.empty() && !arm.limit && !arm.offset &&
           arm.locking.empty() && arm.into.empty();
  }

  void values(const Select& node) {
    out_.text("VALUES ");
    for (std::size_t i = 0; i < node.values.size(); ++i) {
      out_.text(i == 0 ? "" : ", ");
      out_.text(node.row_values ? "ROW(" : "(");
      nodes_.list(node.values[i]);
      out_.text(")");
    }
  }

  void block(const Select& node) {
    out_.text("SELECT");
    for (const std::string& word : node.modifiers) out_.text(" " + word);
    out_.text(node.distinct ? " DISTINCT " : " ");
    out_.targets(node.targets);
    if (!node.into.empty() && !node.into_behind) out_.text(" " + node.into);
    for (std::size_t i = 0; i < node.from.size(); ++i) {
      out_.text(i == 0 ? " FROM " : ", ");
      out_.from(*node.from[i]);
    }
    const bool needs_from = node.where || node.having || !node.group_by.empty();
    if (node.from.empty() && needs_from) out_.text(" FROM DUAL");
    clause(" WHERE ", node.where);
    group_by(node);
    clause(" HAVING ", node.having);
    for (std::size_t i = 0; i < node.windows.size(); ++i) {
      out_.text((i == 0 ? " WINDOW " : ", ") + quote_identifier(node.windows[i].name) + " AS ");
      nodes_.window(node.windows[i]);
    }
  }

  void clause(std::string_view word, const ExprPtr& expr) {
    if (!expr) return;
    out_.text(word);
    out_.expr(*expr);
  }

  void group_by(const Select& node) {
    if (node.group_by.empty()) return;
    out_.text(" GROUP BY ");
    const GroupItem& first = node.group_by.front();
    const bool rollup = node.group_by.size() == 1 && first.kind == GroupItem::Kind::rollup;
    const auto& items = rollup ? first.items : node.group_by;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_.text(", ");
      out_.expr(*items[i].expr);
      if (items[i].direction == SortKey::Direction::ascending) out_.text(" ASC");
      if (items[i].direction == SortKey::Direction::descending) out_.text(" DESC");
    }
    if (rollup) out_.text(" WITH ROLLUP");
  }

  void tail(const Select& node) {
    out_.order_by(node.order_by);
    if (node.with_ties)
      fetch(node);
    else
      limit(node);
    if (!node.into.empty() && (node.into_behind || node.set_op != SetOperation::none)) out_.text(" " + node.into);
    for (const Locking& lock : node.locking) locking(lock);
  }

  // Parameters count in the order in which they are written.
  void limit(const Select& node) {
    if (!node.limit) return;
    out_.text(" LIMIT ");
    const auto* count = node.limit->as<Param>();
    const auto* skipped = node.offset ? node.offset->as<Param>() : nullptr;
    const bool offset_first = count && skipped && skipped->number < count->number;
    if (offset_first) {
      out_.expr(*node.offset);
      out_.text(", ");
    }
    out_.expr(*node.limit);
    if (node.offset && !offset_first) {
      out_.text(" OFFSET ");
      out_.expr(*node.offset);
    }
  }

  void fetch(const Select& node) {
    if (node.offset) {
      out_.text(" OFFSET ");
      out_.expr(*node.offset);
      out_.text(" ROWS");
    }
    out_.text(" FETCH FIRST ");
    out_.expr(*node.limit);
    out_.text(" ROWS WITH TIES");
  }

  void locking(const Locking& lock) {
    out_.text(lock.strength == Locking::Strength::update ? " FOR UPDATE"
              : lock.in_share_mode                       ? " LOCK IN SHARE MODE"
                                                         : " FOR SHARE");
    for (std::size_t i = 0; i < lock.tables.size(); ++i)
      out_.text((i == 0 ? " OF " : ", ") + quote_identifier(lock.tables[i]));
    if (lock.wait == Locking::Wait::skip_locked) out_.text(" SKIP LOCKED");
    if (lock.wait == Locking::Wait::nowait) out_.text(" NOWAIT");
    if (lock.wait == Locking::Wait::seconds) out_.text(" WAIT " + lock.seconds);
  }

  Printer& out_;
  ExprWriter nodes_;
};

}  // namespace

void print_from(Printer& out, const FromItem& item) {
  std::visit(FromWriter(out), item.node);
}

void print_table(Printer& out, const TableRef& node) {
  if (!node.schema.empty()) out.text(quote_identifier(node.schema) + ".");
  out.text(quote_identifier(node.name));
  if (!node.qualifier.empty()) out.text(" " + node.qualifier);
  out.text(alias_text(node.alias));
  if (!node.hints.empty()) out.text(" " + node.hints);
}

void print_select(Printer& out, const Select& node) {
  SelectWriter(out).select(node);
}

}  // namespace anabranch::rewriter::mysql
