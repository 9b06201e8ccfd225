#include "rewriter/print_postgresql.h"

namespace anabranch::rewriter {

using namespace tree;

namespace {

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
           arm.locking.empty();
  }

  void values(const Select& node) {
    out_.text("VALUES ");
    for (std::size_t i = 0; i < node.values.size(); ++i) {
      out_.text(i == 0 ? "(" : ", (");
      nodes_.list(node.values[i]);
      out_.text(")");
    }
  }

  void block(const Select& node) {
    out_.text("SELECT");
    if (node.distinct) out_.text(" DISTINCT");
    if (!node.distinct_on.empty()) {
      out_.text(" DISTINCT ON (");
      nodes_.list(node.distinct_on);
      out_.text(")");
    }
    if (!node.targets.empty()) {
      out_.text(" ");
      out_.targets(node.targets);
    }
    if (!node.into.empty()) out_.text(" " + node.into);
    from(node);
    if (node.where) {
      out_.text(" WHERE ");
      out_.expr(*node.where);
    }
    group_by(node);
    if (node.having) {
      out_.text(" HAVING ");
      out_.expr(*node.having);
    }
    for (std::size_t i = 0; i < node.windows.size(); ++i) {
      out_.text((i == 0 ? " WINDOW " : ", ") + quote_identifier(node.windows[i].name) + " AS ");
      nodes_.window(node.windows[i]);
    }
  }

  void from(const Select& node) {
    for (std::size_t i = 0; i < node.from.size(); ++i) {
      out_.text(i == 0 ? " FROM " : ", ");
      out_.from(*node.from[i]);
    }
  }

  void group_by(const Select& node) {
    if (node.group_by.empty()) return;
    out_.text(node.group_distinct ? " GROUP BY DISTINCT " : " GROUP BY ");
    group_items(node.group_by);
  }

  void group_items(const std::vector<GroupItem>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_.text(", ");
      group_item(items[i]);
    }
  }

  void group_item(const GroupItem& item) {
    switch (item.kind) {
      case GroupItem::Kind::expr:
        return out_.expr(*item.expr);
      case GroupItem::Kind::empty:
        return out_.text("()");
      case GroupItem::Kind::rollup:
        out_.text("ROLLUP (");
        break;
      case GroupItem::Kind::cube:
        out_.text("CUBE (");
        break;
      case GroupItem::Kind::sets:
        out_.text("GROUPING SETS (");
        break;
      case GroupItem::Kind::list:
        out_.text("(");
        break;
    }
    group_items(item.items);
    out_.text(")");
  }

  void tail(const Select& node) {
    out_.order_by(node.order_by);
    if (node.offset) {
      out_.text(" OFFSET ");
      out_.expr(*node.offset);
    }
    if (node.limit && node.with_ties) {
      out_.text(" FETCH FIRST (");
      out_.expr(*node.limit);
      out_.text(") ROWS WITH TIES");
    } else if (node.limit) {
      out_.text(" LIMIT ");
      out_.expr(*node.limit);
    }
    for (const Locking& lock : node.locking) locking(lock);
  }

  void locking(const Locking& lock) {
    static constexpr std::string_view words[] = {" FOR KEY SHARE", " FOR SHARE",
                                                 " FOR NO KEY UPDATE", " FOR UPDATE"};
    out_.text(words[static_cast<std::size_t>(lock.strength)]);
    for (std::size_t i = 0; i < lock.tables.size(); ++i)
      out_.text((i == 0 ? " OF " : ", ") + quote_identifier(lock.tables[i]));
    if (lock.wait == Locking::Wait::skip_locked) out_.text(" SKIP LOCKED");
    if (lock.wait == Locking::Wait::nowait) out_.text(" NOWAIT");
  }

  Printer& out_;
  NodeWriter nodes_;
};

class WriteWriter {
 public:
  explicit WriteWriter(Printer& out) : out_(out), nodes_(out) {}

  void operator()(const Select& node) { out_.select(node); }
  void operator()(const Utility& node) { out_.text(node.text); }

  void operator()(const Insert& node) {
    out_.insert_head(node);
    if (node.source)
      out_.select(*node.source);
    else
      out_.text("DEFAULT VALUES");
    if (node.on_conflict) out_.on_conflict(*node.on_conflict);
    returning(node.returning);
  }

  void operator()(const Update& node) {
    out_.with(node.with);
    out_.text("UPDATE ");
    out_.table(node.table);
    out_.text(" SET ");
    assignments(node.set);
    from_list(" FROM ", node.from);
    condition(node.where, node.current_of);
    returning(node.returning);
  }

  void operator()(const Delete& node) {
    out_.with(node.with);
    out_.text("DELETE FROM ");
    out_.table(node.table);
    from_list(" USING ", node.using_);
    condition(node.where, node.current_of);
    returning(node.returning);
  }

  void assignments(const std::vector<Assignment>& list) {
    for (std::size_t i = 0; i < list.size();) {
      if (i > 0) out_.text(", ");
      const auto* multi = list[i].value->as<MultiAssign>();
      const std::size_t count = multi ? static_cast<std::size_t>(multi->count) : 1;
      if (multi) out_.text("(");
      for (std::size_t k = 0; k < count && i + k < list.size(); ++k) {
        if (k > 0) out_.text(", ");
        column(list[i + k].column, list[i + k].indirection);
      }
      out_.text(multi ? ") = " : " = ");
      out_.expr(*list[i].value);
      i += count;
    }
  }

  void column(const std::string& name, const std::vector<ExprPtr>& steps) {
    out_.text(quote_identifier(name));
    for (const ExprPtr& step : steps) nodes_.step(*step);
  }

 private:
  void from_list(std::string_view word, const std::vector<FromPtr>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      out_.text(i == 0 ? word : ", ");
      out_.from(*items[i]);
    }
  }

  void condition(const ExprPtr& where, const std::string& current_of) {
    if (!current_of.empty()) return out_.text(" WHERE CURRENT OF " + quote_identifier(current_of));
    if (!where) return;
    out_.text(" WHERE ");
    out_.expr(*where);
  }

  void returning(const std::vector<Target>& targets) {
    if (targets.empty()) return;
    out_.text(" RETURNING ");
    out_.targets(targets);
  }

  Printer& out_;
  NodeWriter nodes_;
};

void print_expr(Printer& out, const Expr& expr) {
  std::visit(NodeWriter(out), expr.node);
}

void print_select(Printer& out, const Select& node) {
  SelectWriter(out).select(node);
}

void print_statement(Printer& out, const Statement& node) {
  std::visit(WriteWriter(out), node.node);
}

void insert_head(Printer& out, const Insert& node) {
  out.with(node.with);
  out.text("INSERT INTO ");
  out.table(node.table);
  out.text(" ");
  for (std::size_t i = 0; i < node.columns.size(); ++i) {
    out.text(i == 0 ? "(" : ", ");
    WriteWriter(out).column(node.columns[i].name, node.columns[i].indirection);
  }
  if (!node.columns.empty()) out.text(") ");
  if (node.overriding == Insert::Overriding::user_value) out.text("OVERRIDING USER VALUE ");
  if (node.overriding == Insert::Overriding::system_value) out.text("OVERRIDING SYSTEM VALUE ");
}

void on_conflict(Printer& out, const OnConflict& clause) {
  out.text(" ON CONFLICT");
  if (!clause.constraint.empty()) out.text(" ON CONSTRAINT " + quote_identifier(clause.constraint));
  for (std::size_t i = 0; i < clause.target.size(); ++i) {
    const OnConflict::Element& element = clause.target[i];
    out.text(i == 0 ? " (" : ", ");
    const bool bare = element.expr->as<ColumnRef>() || element.expr->as<FunctionCall>();
    if (!bare) out.text("(");
    out.expr(*element.expr);
    if (!bare) out.text(")");
    if (!element.collation.empty()) out.text(" COLLATE " + quote_name(element.collation));
    if (!element.op_class.empty()) out.text(" " + quote_name(element.op_class));
  }
  if (!clause.target.empty()) out.text(")");
  if (clause.target_where) {
    out.text(" WHERE ");
    out.expr(*clause.target_where);
  }
  if (clause.action == OnConflict::Action::nothing) return out.text(" DO NOTHING");
  out.text(" DO UPDATE SET ");
  WriteWriter(out).assignments(clause.set);
  if (clause.where) {
    out.text(" WHERE ");
    out.expr(*clause.where);
  }
}

}  // namespace

const PrintTraits postgresql_traits{
    quote_identifier, quote_literal, binding_of,      print_expr,  print_from,
    print_table,      print_select,  print_statement, insert_head, on_conflict,
};

}  // namespace anabranch::rewriter
