#include "rewriter/print_writer.h"

namespace anabranch::rewriter {

using namespace tree;

void NodeWriter::operator()(const FunctionCall& node) {
  if (node.sql_syntax && sql_call(node)) return;
  plain_call(node);
  call_tail(node);
}

void NodeWriter::plain_call(const FunctionCall& node) {
  out_.text(quoted(node.name) + "(");
  if (node.distinct) out_.text("DISTINCT ");
  if (node.star) out_.text("*");
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    if (i > 0) out_.text(", ");
    if (node.variadic && i + 1 == node.args.size()) out_.text("VARIADIC ");
    out_.expr(*node.args[i]);
  }
  if (!node.order_by.empty() && !node.within_group) {
    out_.text(" ORDER BY ");
    sort_keys(node.order_by);
  }
  out_.text(")");
}

void NodeWriter::call_tail(const FunctionCall& node) {
  if (node.within_group) {
    out_.text(" WITHIN GROUP (ORDER BY ");
    sort_keys(node.order_by);
    out_.text(")");
  }
  if (node.filter) {
    out_.text(" FILTER (WHERE ");
    out_.expr(*node.filter);
    out_.text(")");
  }
  if (!node.over_name.empty()) out_.text(" OVER " + quoted(node.over_name));
  if (node.over) {
    out_.text(" OVER ");
    window(*node.over);
  }
}

namespace {

/// Calls whose arguments are set apart by words: NAME(a WORD b WORD c).
struct WordedCall {
  std::string_view function;
  std::string_view opening;
  std::string_view separators[3];
};
constexpr WordedCall worded[] = {
    {"extract", "EXTRACT(", {" FROM "}},
    {"overlay", "OVERLAY(", {" PLACING ", " FROM ", " FOR "}},
    {"substring", "SUBSTRING(", {" FROM ", " FOR "}},
    {"btrim", "TRIM(BOTH FROM ", {", ", ", ", ", "}},
    {"ltrim", "TRIM(LEADING FROM ", {", ", ", ", ", "}},
    {"rtrim", "TRIM(TRAILING FROM ", {", ", ", ", ", "}},
    {"pg_collation_for", "COLLATION FOR (", {}},
};

}  // namespace

// False: an ordinary call of the function means the same.
bool NodeWriter::sql_call(const FunctionCall& node) {
  const std::string& name = node.name.back();
  const auto& args = node.args;
  if (name == "overlaps" && args.size() == 4) {
    for (std::size_t i = 0; i < 4; ++i) {
      out_.text(i == 0 ? "(" : i == 2 ? ") OVERLAPS (" : ", ");
      out_.expr(*args[i]);
    }
    out_.text(")");
    return true;
  }
  if (name == "position" && args.size() == 2) {
    out_.text("POSITION(");
    operand(*args[1]);
    out_.text(" IN ");
    operand(*args[0]);
    out_.text(")");
    return true;
  }
  if (name == "normalize" || name == "is_normalized")
    return normalization(node, name == "normalize");
  if (name == "xmlexists" && args.size() == 2) {
    out_.text("XMLEXISTS(");
    operand(*args[0]);
    out_.text(" PASSING ");
    operand(*args[1]);
    out_.text(")");
    return true;
  }
  for (const WordedCall& call : worded) {
    const bool fits = call.function == name && !args.empty() && args.size() <= 4;
    if (!fits || (args.size() > 1 && call.separators[args.size() - 2].empty())) continue;
    out_.text(call.opening);
    for (std::size_t i = 0; i < args.size(); ++i) {
      if (i > 0) out_.text(call.separators[i - 1]);
      operand(*args[i]);
    }
    out_.text(")");
    return true;
  }
  return false;
}

// NORMALIZE(a, NFC), a IS NFC NORMALIZED: the form is a word, not a literal of the statement.
bool NodeWriter::normalization(const FunctionCall& node, bool normalize) {
  const auto* form = node.args.size() > 1 ? node.args[1]->as<Literal>() : nullptr;
  const std::string word = form ? form->unpinned_value() : "";
  out_.text(normalize ? "NORMALIZE(" : "(");
  if (normalize)
    out_.expr(*node.args[0]);
  else
    operand(*node.args[0]);
  out_.text(normalize ? (form ? ", " + word : "")
                      : " IS " + word + (form ? " NORMALIZED" : "NORMALIZED"));
  out_.text(")");
  return true;
}

void NodeWriter::sort_keys(const std::vector<SortKey>& keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const SortKey& key = keys[i];
    if (i > 0) out_.text(", ");
    out_.expr(*key.expr);
    if (key.direction == SortKey::Direction::ascending) out_.text(" ASC");
    if (key.direction == SortKey::Direction::descending) out_.text(" DESC");
    if (key.direction == SortKey::Direction::using_operator) {
      const bool bare = key.using_op.size() == 1;
      out_.text(bare ? " USING " + key.using_op[0]
                     : " USING OPERATOR(" + quoted(key.using_op[0]) + "." +
                           key.using_op.back() + ")");
    }
    if (key.nulls == SortKey::Nulls::first) out_.text(" NULLS FIRST");
    if (key.nulls == SortKey::Nulls::last) out_.text(" NULLS LAST");
  }
}

void NodeWriter::frame_bound(WindowDef::Bound bound, const ExprPtr& offset) {
  using Bound = WindowDef::Bound;
  if (bound == Bound::offset_preceding || bound == Bound::offset_following) {
    out_.expr(*offset);
    out_.text(bound == Bound::offset_preceding ? " PRECEDING" : " FOLLOWING");
    return;
  }
  out_.text(bound == Bound::unbounded_preceding   ? "UNBOUNDED PRECEDING"
            : bound == Bound::unbounded_following ? "UNBOUNDED FOLLOWING"
                                                  : "CURRENT ROW");
}

void NodeWriter::window(const WindowDef& node) {
  std::string_view gap = "";
  const auto part = [&](std::string_view text) {
    out_.text(gap);
    out_.text(text);
    gap = " ";
  };
  out_.text("(");
  if (!node.ref_name.empty()) part(quoted(node.ref_name));
  if (!node.partition_by.empty()) {
    part("PARTITION BY ");
    list(node.partition_by);
  }
  if (!node.order_by.empty()) {
    part("ORDER BY ");
    sort_keys(node.order_by);
  }
  if (!node.frame_mode.empty()) {
    part(node.frame_mode);
    out_.text(node.frame_between ? " BETWEEN " : " ");
    frame_bound(node.frame_start, node.start_offset);
    if (node.frame_between) {
      out_.text(" AND ");
      frame_bound(node.frame_end, node.end_offset);
    }
    static constexpr std::string_view exclusions[] = {"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP",
                                                      " EXCLUDE TIES"};
    out_.text(exclusions[static_cast<std::size_t>(node.exclude)]);
  }
  out_.text(")");
}

}  // namespace anabranch::rewriter
