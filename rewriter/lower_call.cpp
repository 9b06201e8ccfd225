#include "rewriter/lower.h"
#include "rewriter/parsed_tree.h"
#include "rewriter/print.h"
#include "values/sql_error.h"

namespace anabranch::rewriter {

using namespace tree;

ExprPtr Lowering::operation(const PgQuery__AExpr& node) {
  switch (node.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
      return any_all_array(node);
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
      return make::expr(DistinctFrom{expr(node.lexpr), expr(node.rexpr),
                                     node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT},
                        node.location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
      return make::expr(NullIf{expr(node.lexpr), expr(node.rexpr)}, node.location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
      return in_list(node);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM:
      return between(node);
    default:
      return binary(node);
  }
}

ExprPtr Lowering::binary(const PgQuery__AExpr& node) {
  const Name name = strings_of(node.n_name, node.name);
  OperatorCall out;
  out.name = name.back();
  if (name.size() > 1) out.schema = name[0];
  switch (node.kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
      out.syntax = OperatorCall::Syntax::like;
      break;
    case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
      out.syntax = OperatorCall::Syntax::ilike;
      break;
    case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR:
      out.syntax = OperatorCall::Syntax::similar;
      break;
    default:
      break;
  }
  // Only OPERATOR(-) leaves a number unfolded; printed with a plain sign it could have another
  // type.
  const bool unfolded = !node.lexpr && name.size() == 1 && out.name == "-" &&
                        node.rexpr->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                        (node.rexpr->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL ||
                         node.rexpr->a_const->val_case == PG_QUERY__A__CONST__VAL_FVAL);
  if (unfolded)
    throw values::SqlError("0A000", "OPERATOR(-) before a number is not supported",
                           "Write a plain minus.");
  out.left = expr(node.lexpr);
  out.right = expr(node.rexpr);
  return make::expr(std::move(out), node.location);
}

ExprPtr Lowering::any_all_array(const PgQuery__AExpr& node) {
  const Name name = strings_of(node.n_name, node.name);
  return make::expr(
      AnyAll{expr(node.lexpr), name.size() > 1 ? name[0] : "", name.back(),
             node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL, nullptr, expr(node.rexpr)},
      node.location);
}

ExprPtr Lowering::between(const PgQuery__AExpr& node) {
  const auto bounds = items_of(node.rexpr);
  const bool negated = node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN ||
                       node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
  const bool symmetric = node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM ||
                         node.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
  return make::expr(
      Between{expr(node.lexpr), expr(bounds.at(0)), expr(bounds.at(1)), symmetric, negated},
      node.location);
}

ExprPtr Lowering::in_list(const PgQuery__AExpr& node) {
  InList out;
  out.arg = expr(node.lexpr);
  for (const Node* item : items_of(node.rexpr)) out.list.push_back(expr(item));
  out.negated = string_of(node.name[0]) == "<>";
  return make::expr(std::move(out), node.location);
}

ExprPtr Lowering::call(const PgQuery__FuncCall& node) {
  const bool sql_syntax = node.funcformat == PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX;
  const Name name = strings_of(node.n_funcname, node.funcname);
  if (sql_syntax && name.back() == "timezone" && node.n_args == 2)
    return make::expr(AtTimeZone{expr(node.args[1]), expr(node.args[0])}, node.location);
  FunctionCall out;
  out.name = name;
  out.args = exprs(node.n_args, node.args);
  out.star = node.agg_star;
  out.distinct = node.agg_distinct;
  out.variadic = node.func_variadic;
  out.within_group = node.agg_within_group;
  out.order_by = sort_keys(node.n_agg_order, node.agg_order);
  out.filter = expr(node.agg_filter);
  out.sql_syntax = sql_syntax;
  if (node.over) {
    if (!text_or_empty(node.over->name).empty())
      out.over_name = node.over->name;
    else
      out.over = std::make_unique<WindowDef>(window(*node.over));
  }
  return make::expr(std::move(out), node.location);
}

namespace {

// The server's FRAMEOPTION_ bits (parsenodes.h).
constexpr int frame_nondefault = 0x1, frame_range = 0x2, frame_rows = 0x4, frame_between = 0x10;
struct BoundBits {
  int start, end;
  WindowDef::Bound bound;
};
constexpr BoundBits bound_bits[] = {
    {0x20, 0x40, WindowDef::Bound::unbounded_preceding},
    {0x80, 0x100, WindowDef::Bound::unbounded_following},
    {0x200, 0x400, WindowDef::Bound::current_row},
    {0x800, 0x1000, WindowDef::Bound::offset_preceding},
    {0x2000, 0x4000, WindowDef::Bound::offset_following},
};

WindowDef::Exclude exclusion(int options) {
  if (options & 0x8000) return WindowDef::Exclude::current_row;
  if (options & 0x10000) return WindowDef::Exclude::group;
  if (options & 0x20000) return WindowDef::Exclude::ties;
  return WindowDef::Exclude::none;
}

}  // namespace

WindowDef Lowering::window(const PgQuery__WindowDef& node) {
  WindowDef out;
  out.name = text_or_empty(node.name);
  out.ref_name = text_or_empty(node.refname);
  out.partition_by = exprs(node.n_partition_clause, node.partition_clause);
  out.order_by = sort_keys(node.n_order_clause, node.order_clause);
  const int options = node.frame_options;
  if (options & frame_nondefault) {
    out.frame_mode = options & frame_range ? "RANGE" : options & frame_rows ? "ROWS" : "GROUPS";
    out.frame_between = options & frame_between;
    for (const BoundBits& bits : bound_bits) {
      if (options & bits.start) out.frame_start = bits.bound;
      if (options & bits.end) out.frame_end = bits.bound;
    }
    out.exclude = exclusion(options);
  }
  out.start_offset = expr(node.start_offset);
  out.end_offset = expr(node.end_offset);
  return out;
}

SortKey Lowering::sort_key(const Node* node) {
  const PgQuery__SortBy& sort = *node->sort_by;
  SortKey out;
  out.expr = expr(sort.node);
  switch (sort.sortby_dir) {
    case PG_QUERY__SORT_BY_DIR__SORTBY_ASC:
      out.direction = SortKey::Direction::ascending;
      break;
    case PG_QUERY__SORT_BY_DIR__SORTBY_DESC:
      out.direction = SortKey::Direction::descending;
      break;
    case PG_QUERY__SORT_BY_DIR__SORTBY_USING:
      out.direction = SortKey::Direction::using_operator;
      break;
    default:
      break;
  }
  if (sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST)
    out.nulls = SortKey::Nulls::first;
  if (sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST)
    out.nulls = SortKey::Nulls::last;
  out.using_op = strings_of(sort.n_use_op, sort.use_op);
  return out;
}

std::vector<SortKey> Lowering::sort_keys(std::size_t count, Node** nodes) {
  std::vector<SortKey> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(sort_key(nodes[i]));
  return out;
}

namespace {

/// Type names that are words of the grammar: they mean pg_catalog's type under any search_path.
struct TypeWord {
  const char* name;
  const char* word;
  const char* suffix;
};
constexpr TypeWord type_words[] = {
    {"bool", "boolean", ""},        {"int2", "smallint", ""},
    {"int4", "integer", ""},        {"int8", "bigint", ""},
    {"float4", "real", ""},         {"float8", "double precision", ""},
    {"numeric", "numeric", ""},     {"varchar", "character varying", ""},
    {"timestamp", "timestamp", ""}, {"timestamptz", "timestamp", " with time zone"},
    {"time", "time", ""},           {"timetz", "time", " with time zone"},
};

// INTERVAL's fields arrive as a mask of the server's datetime field numbers.
std::string interval_fields(int mask) {
  constexpr int year = 1 << 2, month = 1 << 1, day = 1 << 3, hour = 1 << 10, minute = 1 << 11,
                second = 1 << 12;
  switch (mask) {
    case year:
      return " year";
    case month:
      return " month";
    case day:
      return " day";
    case hour:
      return " hour";
    case minute:
      return " minute";
    case second:
      return " second";
    case year | month:
      return " year to month";
    case day | hour:
      return " day to hour";
    case day | hour | minute:
      return " day to minute";
    case day | hour | minute | second:
      return " day to second";
    case hour | minute:
      return " hour to minute";
    case hour | minute | second:
      return " hour to second";
    case minute | second:
      return " minute to second";
    default:
      return "";
  }
}

std::string baked(const Expr& expr) {
  Printer printer(true);
  printer.expr(expr);
  return fill(printer.take(), Shape());
}

int integer_of(const PgQuery__Node* node) {
  if (node->node_case == PG_QUERY__NODE__NODE_INTEGER) return node->integer->ival;
  if (node->node_case == PG_QUERY__NODE__NODE_A_CONST &&
      node->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL)
    return node->a_const->ival->ival;
  return -1;
}

}  // namespace

std::string Lowering::baked_text(const Node* node) {
  const Baking baking(*this);
  return baked(*expr(node));
}

TypeName Lowering::type_name(const PgQuery__TypeName& node) {
  TypeName out;
  out.names = strings_of(node.n_names, node.names);
  out.setof = node.setof;
  out.percent_type = node.pct_type;
  for (std::size_t i = 0; i < node.n_array_bounds; ++i)
    out.array_bounds.push_back(integer_of(node.array_bounds[i]));

  std::string word = quote_name(out.names), suffix, modifiers;
  const bool system = out.names.size() == 2 && out.names[0] == "pg_catalog" && !out.percent_type;
  const bool interval = system && out.names[1] == "interval";
  if (system)
    for (const TypeWord& entry : type_words)
      if (out.names[1] == entry.name) word = entry.word, suffix = entry.suffix;
  if (interval && node.n_typmods > 0) {
    word = "interval" + interval_fields(integer_of(node.typmods[0]));
    if (node.n_typmods > 1) modifiers = "(" + baked_text(node.typmods[1]) + ")";
  } else if (node.n_typmods > 0) {
    for (std::size_t i = 0; i < node.n_typmods; ++i)
      modifiers += (i == 0 ? "(" : ", ") + baked_text(node.typmods[i]);
    modifiers += ")";
  }
  out.text =
      (out.setof ? "SETOF " : "") + word + modifiers + suffix + (out.percent_type ? "%TYPE" : "");
  for (int bound : out.array_bounds)
    out.text += bound < 0 ? "[]" : "[" + std::to_string(bound) + "]";
  return out;
}

namespace {

bool worth_showing(PgQuery__Node__NodeCase node) {
  return node == PG_QUERY__NODE__NODE_COLUMN_REF || node == PG_QUERY__NODE__NODE_PARAM_REF ||
         node == PG_QUERY__NODE__NODE_FUNC_CALL || node == PG_QUERY__NODE__NODE_SUB_LINK ||
         node == PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION ||
         node == PG_QUERY__NODE__NODE_GROUPING_FUNC;
}

}  // namespace

void Lowering::collect(const ProtobufCMessage* message, std::vector<ExprPtr>& out) {
  if (message->descriptor == &pg_query__node__descriptor) {
    const auto* node = reinterpret_cast<const Node*>(message);
    if (worth_showing(node->node_case)) {
      out.push_back(expr(node));
      return;
    }
    if (node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
      out.push_back(make::expr(ScalarSubquery{select(*node->select_stmt)}));
      return;
    }
  }
  for_each_message(message, [&](const ProtobufCMessage* child) { collect(child, out); });
}

void Lowering::relations(const ProtobufCMessage* message, std::vector<RelationName>& out) {
  if (message->descriptor == &pg_query__range_var__descriptor) {
    const auto* range = reinterpret_cast<const PgQuery__RangeVar*>(message);
    RelationName name{text_or_empty(range->schemaname), text_or_empty(range->relname),
                      range->inh == 0, RelationName::Kind::unknown};
    for (const RelationName& known : out)
      if (known.schema == name.schema && known.name == name.name) return;
    out.push_back(std::move(name));
    return;
  }
  for_each_message(message, [&](const ProtobufCMessage* child) { relations(child, out); });
}

}  // namespace anabranch::rewriter
