#include <algorithm>

#include "rewriter/clock.h"
#include "rewriter/write.h"

/// The rows of an INSERT over several shards: printed each, or, where the shape has taken them out, as they are written.
namespace anabranch::rewriter {
namespace {

constexpr std::string_view in_its_rows = "it must be planned with all its rows";

SqlTemplate print_row(Planning& planning, const std::vector<tree::ExprPtr>& row) {
  Printer printer = planning.printer();
  printer.text("(");
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) printer.text(", ");
    printer.expr(*row[i]);
  }
  printer.text(")");
  return with_holes(printer.take());
}

/// What follows the values as they are written: the defaults that have been written in.
SqlTemplate print_added(Planning& planning, const std::vector<tree::ExprPtr>& row, std::size_t written) {
  Printer printer = planning.printer();
  for (std::size_t i = written; i < row.size(); ++i) {
    printer.text(", ");
    printer.expr(*row[i]);
  }
  return with_holes(printer.take());
}

bool is_plain(const tree::Expr& value, const RowList& rows) {
  const auto* literal = value.as<tree::Literal>();
  if (const auto number = tree::signed_literal(value)) literal = number->literal;
  if (literal == nullptr) return false;
  return literal->token() < 0 || (literal->token() >= rows.first_literal &&
                                  literal->token() < rows.first_literal + rows.literals);
}

/// Where the text of a row may be read by the clock.
std::vector<int> clock_columns(const Planning& planning, const tree::Insert& insert, const router::Relation& relation,
                               const RowList& rows) {
  std::vector<int> found;
  if (!planning.language().asks_shards) return found;
  for (std::size_t i = 0; i < rows.width; ++i) {
    if ((rows.kinds[i] & RowList::bit(RowList::Kind::string)) == 0) continue;
    const auto column = i < insert.columns.size() ? relation.find_column(insert.columns[i].name) : std::nullopt;
    const bool timeless =
        column && !is_clock_type(planning.catalog(), relation.columns[static_cast<std::size_t>(*column)].type.oid);
    if (!timeless) found.push_back(static_cast<int>(i));
  }
  return found;
}

}  // namespace

KeyOperand listed_operand(const Planning& planning, std::size_t index, const router::Column& column) {
  using Kind = RowList::Kind;
  const unsigned unreadable = RowList::bit(Kind::bit_string) | RowList::bit(Kind::boolean);
  if (index >= planning.request->rows->width || (planning.request->rows->kinds[index] & unreadable) != 0) {
    refuse_clause("INSERT", in_its_rows, "");
  }
  KeyOperand operand;
  operand.value.from = ValueRef::From::row;
  operand.value.index = static_cast<int>(index);
  operand.column_type = column.type.oid;
  operand.column_modifier = column.type.typmod;
  return operand;
}

void print_rows(Planning& planning, const tree::Insert& filled, const router::Relation& relation, InsertSplit& made) {
  const auto& values = filled.source->values;
  const RowList* rows = planning.request->rows;
  if (rows == nullptr) {
    for (std::size_t i = 0; i < values.size(); ++i) made.rows[i].text = print_row(planning, values[i]);
    return;
  }
  const auto& row = values.front();
  const bool fresh = std::ranges::any_of(planning.plan->evaluations, [](const auto& one) { return !one.per_transaction; });
  const bool plain = values.size() == 1 && row.size() >= rows->width &&
                     std::ranges::all_of(row.begin(), row.begin() + rows->width,
                                         [&](const tree::ExprPtr& value) { return is_plain(*value, *rows); });
  if (fresh || !plain) refuse_clause("INSERT", in_its_rows, "");
  made.each = std::move(made.rows.front());
  made.rows.clear();
  made.each->text = print_added(planning, row, rows->width);
  made.clock_columns = clock_columns(planning, filled, relation, *rows);
}

bool serves_rows(const Plan& plan, const RowList& rows) {
  const bool reads_one = std::ranges::any_of(plan.pinned, [&](int literal) {
    return literal >= rows.first_literal && literal < rows.first_literal + rows.literals;
  });
  if (reads_one) return false;
  if (plan.insert) return plan.insert->each.has_value();
  return plan.kind == PlanKind::relay && plan.routing.mode == Routing::Mode::one_shard;
}

void shape_as_written(std::string_view text, const PlanningContext& context, Shape& out) {
  language_of(context.dialect).shape(text, context, out);
}

}  // namespace anabranch::rewriter
