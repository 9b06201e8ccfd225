#include <algorithm>
#include <expected>

#include "rewriter/planning.h"
#include "rewriter/write.h"
#include "values/mysql_type.h"

/// INSERT: one shard, or rows split by their keys, or every copy of a reference table.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

struct Target {
  const Instance* instance = nullptr;
  const router::Relation* relation = nullptr;
  const router::MappedTable* table = nullptr;
};

Target target_of(const Planning& planning) {
  Target target;
  if (planning.query.target < 0) return target;
  target.instance = &planning.query.at(planning.query.target);
  target.relation = target.instance->relation;
  target.table = planning.query.mapped(*target.instance);
  return target;
}

/// The columns of the relation that the statement gives values to, in its order.
std::vector<int> target_columns(const tree::Insert& insert, const router::Relation& relation) {
  std::vector<int> columns;
  if (insert.columns.empty()) {
    for (std::size_t i = 0; i < relation.columns.size(); ++i)
      columns.push_back(static_cast<int>(i));
    return columns;
  }
  for (const auto& column : insert.columns) {
    const auto found = relation.find_column(column.name);
    columns.push_back(found && column.indirection.empty() ? *found : -1);
  }
  return columns;
}

/// The columns whose values place a row.
std::vector<int> key_columns(const Planning& planning, const Target& target) {
  const KeyTuple key = key_of(planning.query, planning.query.target);
  std::vector<int> columns;
  for (const Ident column : key.columns) columns.push_back(column.column);
  if (columns.empty() && !planning.map().schemes()[target.table->scheme].random()) {
    refuse(make_error(ErrorId::unsupported_clause, "INSERT",
                      "the key of \"" + target.table->name.name + "\" is not among its columns",
                      "Correct the key in the configuration."));
  }
  return columns;
}

/// What stands for a column without a value of its own.
KeyOperand default_operand(const Planning& planning, const router::Column& column) {
  KeyOperand operand;
  operand.column_type = column.type.oid;
  operand.column_modifier = column.type.typmod;
  if (column.default_sql.empty() && !column.identity && !column.generated) {
    operand.value.from = ValueRef::From::absent;
    return operand;
  }
  // A default is read only where it is plainly a constant: '…'::type (MySQL's: '…'), or a number.
  const std::string& sql = column.default_sql;
  if (!column.identity && !column.generated) {
    const bool number = !sql.empty() && std::ranges::all_of(sql, [](char c) {
      return (c >= '0' && c <= '9') || c == '-';
    });
    const std::size_t end =
        sql.size() > 1 && sql.front() == '\'' ? sql.find('\'', 1) : std::string::npos;
    const bool ends = end != std::string::npos;
    const std::string rest = ends ? sql.substr(end + 1) : std::string();
    const bool quoted = ends && (rest == "::" + column.type_name ||
                                 (rest.empty() && sql.find('\\') == std::string::npos));
    if (number) operand.value.text = sql;
    if (quoted) operand.value.text = sql.substr(1, end - 1);
    if (number || quoted) return operand;
  }
  (void)planning;
  refuse(make_error(ErrorId::unsupported_clause, "INSERT",
                    "the key column \"" + column.name + "\" is filled by its default " +
                        (sql.empty() ? "identity" : sql),
                    "Give the key a value in the statement."));
}

/// Sums, differences and products of integers, which no dialect computes in another way as long as they fit.
std::optional<std::int64_t> folded(const tree::Expr& expr, tree::PinSet& pins) {
  if (const auto* literal = expr.as<tree::Literal>()) {
    if (literal->kind() != tree::Literal::Kind::integer) return std::nullopt;
    const auto value = conf::parse_bigint(literal->value(pins));
    return value ? std::optional(*value) : std::nullopt;
  }
  const auto* call = expr.as<tree::OperatorCall>();
  if (call == nullptr || !call->schema.empty() || !call->right) return std::nullopt;
  const auto left = call->left ? folded(*call->left, pins) : std::optional<std::int64_t>(0);
  const auto right = folded(*call->right, pins);
  if (!left || !right) return std::nullopt;
  std::int64_t value = 0;
  bool overflows = true;
  if (call->name == "+") overflows = __builtin_add_overflow(*left, *right, &value);
  if (call->name == "-") overflows = __builtin_sub_overflow(*left, *right, &value);
  if (call->name == "*" && call->left) overflows = __builtin_mul_overflow(*left, *right, &value);
  return overflows ? std::nullopt : std::optional(value);
}

/// A constant expression for the key, to be computed by a backend before the row is placed.
std::optional<ValueRef> evaluated(Planning& planning, const tree::Expr& expr,
                                  const router::Column& column) {
  bool constant = planning.language().asks_shards;
  tree::walk(expr, [&](const tree::Expr& at) {
    if (at.as<tree::ColumnRef>() != nullptr || at.as<tree::Param>() != nullptr ||
        at.as<tree::Verbatim>() != nullptr || at.as<tree::SetToDefault>() != nullptr) {
      constant = false;
    }
    if (const auto* call = at.as<tree::FunctionCall>()) {
      constant &= classify(*call, planning.functions).kind == FunctionKind::pure;
    }
    tree::for_each_subquery(at, [&](const tree::Select&) { constant = false; });
    if (const auto* literal = at.as<tree::Literal>()) (void)literal->value(planning.pins);
    return constant;
  });
  if (!constant) return std::nullopt;
  ValueRef ref;
  ref.from = ValueRef::From::evaluated;
  ref.index = static_cast<int>(planning.plan->evaluations.size());
  // The assignment's own cast comes first, the text of the result last.
  planning.plan->evaluations.push_back(
      {"CAST(" + planning.text(expr) + " AS " + column.type_name + ")", column.type_name, false});
  return ref;
}

/// Absent: the value is known only once it has been computed.
std::optional<KeyOperand> value_operand(Planning& planning, const tree::Expr& value, const router::Column& column) {
  if (value.as<tree::SetToDefault>() != nullptr) return default_operand(planning, column);
  auto operand = key_operand(value, column.type.oid, planning.values);
  const auto known = operand || planning.language().asks_shards ? std::nullopt : folded(value, planning.pins);
  if (known) {
    operand = KeyOperand{};
    operand->value.text = std::to_string(*known);
    operand->value_type = values::oid::int8;
  }
  if (!operand) {
    auto ref = evaluated(planning, value, column);
    if (!ref) return std::nullopt;
    operand = KeyOperand{};
    operand->value = *ref;
    operand->value_type = column.type.oid;
  }
  operand->column_type = column.type.oid;
  operand->column_modifier = column.type.typmod;
  return operand;
}

/// The key of one row of VALUES; else what is known only once it has been computed.
std::expected<std::vector<KeyOperand>, const tree::Expr*> row_key(Planning& planning, const Target& target,
                                const std::vector<int>& columns, const std::vector<int>& key,
                                const std::vector<tree::ExprPtr>* row) {
  std::vector<KeyOperand> operands;
  for (const int part : key) {
    const auto& column = target.relation->columns[static_cast<std::size_t>(part)];
    const auto at = std::ranges::find(columns, part);
    const auto index = static_cast<std::size_t>(at - columns.begin());
    if (row == nullptr || at == columns.end() || index >= row->size()) {
      operands.push_back(default_operand(planning, column));
    } else if (planning.request->rows != nullptr) {
      operands.push_back(listed_operand(planning, index, column));
    } else {
      auto operand = value_operand(planning, *(*row)[index], column);
      if (!operand) return std::unexpected((*row)[index].get());
      operands.push_back(std::move(*operand));
    }
  }
  return operands;
}

// ---------------------------------------------------------------------------------------- checks

void check_triggers(const Target& target) {
  if (target.relation != nullptr && (target.relation->triggers || target.relation->rules)) {
    refuse(values::SqlError("0A000",
                            "\"" + target.relation->name +
                                "\" has triggers or rules, which may read other shards",
                            "Drop them, or write to one shard: /* anabranch: shard=NAME */"),
           false);
  }
}

/// A column that every shard would count up for itself must be given its number; whether a value is one is known
/// when it is bound.
std::vector<KeyOperand> counted_value(Planning& planning, const Target& target, const std::vector<int>& columns,
                                      const std::vector<tree::ExprPtr>& row) {
  for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
    if (columns[i] < 0) continue;
    const auto& column = target.relation->columns[static_cast<std::size_t>(columns[i])];
    if (!column.identity || !values::is_mysql_type(column.type.oid)) continue;
    if (planning.request->rows != nullptr) return {listed_operand(planning, i, column)};
    auto operand = key_operand(*row[i], column.type.oid, planning.values);
    if (!operand) {
      refuse_clause("INSERT", "the AUTO_INCREMENT column \"" + column.name + "\" is given an expression",
                    "Give the column a number in the statement.");
    }
    operand->column_modifier = column.type.typmod;
    return {std::move(*operand)};
  }
  return {};
}

/// Of a table with a copy on every shard, whose counters need not be at the same number: a number is given where
/// it is plainly one.
void check_counted_copies(Planning& planning, const Target& target, const tree::Insert& insert) {
  if (planning.language().asks_shards || !insert.source) return;
  const auto columns = target_columns(insert, *target.relation);
  const auto counted = std::ranges::find_if(columns, [&](int column) {
    return column >= 0 && target.relation->columns[static_cast<std::size_t>(column)].identity;
  });
  if (counted == columns.end()) return;
  const auto place = static_cast<std::size_t>(counted - columns.begin());
  const bool given = !insert.source->values.empty() &&
                     std::ranges::all_of(insert.source->values, [&](const auto& row) {
                       const auto* literal = place < row.size() ? row[place]->template as<tree::Literal>() : nullptr;
                       return literal != nullptr && literal->kind() == tree::Literal::Kind::integer &&
                              literal->value(planning.pins).find_first_not_of('0') != std::string::npos;
                     });
  if (given) return;
  refuse_clause("INSERT into a reference table", "each copy would count its AUTO_INCREMENT column for itself",
                "Give the column a number in the statement.");
}

bool same_column(const tree::Assignment& assignment, int instance, const Query& query) {
  const Ident ident = ident_of(*assignment.value);
  return ident.instance == instance && ident.column >= 0 &&
         query.at(instance).columns[static_cast<std::size_t>(ident.column)] == assignment.column;
}

}  // namespace

namespace {

/// The rows are those of just that key: `SET id = 10 … WHERE id = 10`.
bool sets_what_is_asked(Planning& planning, const tree::Assignment& assignment, const Facts& facts) {
  const auto* value = assignment.value->as<tree::Literal>();
  // Strings may be equal that are not the same.
  if (value == nullptr || value->kind() != tree::Literal::Kind::integer) return false;
  const Instance& target = planning.query.at(planning.query.target);
  return std::ranges::any_of(facts.conditions, [&](const tree::Expr* condition) {
    const auto* call = condition->as<tree::OperatorCall>();
    if (call == nullptr || call->name != "=" || !call->left || !call->schema.empty()) return false;
    const Ident column = ident_of(*call->left);
    const auto* asked = call->right->as<tree::Literal>();
    const bool same_column = column.instance == planning.query.target && column.column >= 0 &&
                             target.columns[static_cast<std::size_t>(column.column)] == assignment.column;
    return same_column && asked != nullptr && asked->kind() == value->kind() &&
           asked->value(planning.pins) == value->value(planning.pins);
  });
}

}  // namespace

void check_key_unchanged(Planning& planning, const std::vector<tree::Assignment>& set, const Facts& facts) {
  const Target target = target_of(planning);
  if (target.table == nullptr || target.table->kind != conf::TableKind::sharded) return;
  const auto& key =
      target.table->expression ? target.table->expression->columns() : target.table->key;
  for (const tree::Assignment& assignment : set) {
    if (std::ranges::find(key, assignment.column) == key.end()) continue;
    if (same_column(assignment, planning.query.target, planning.query)) continue;
    if (sets_what_is_asked(planning, assignment, facts)) continue;
    refuse(make_error(ErrorId::key_update, assignment.column, target.table->name.name));
  }
}

void check_assigned_defaults(const Planning& planning, const std::vector<tree::Assignment>& set) {
  const Target target = target_of(planning);
  if (target.relation == nullptr) return;
  for (const tree::Assignment& assignment : set) {
    const auto column = target.relation->find_column(assignment.column);
    if (assignment.value->as<tree::SetToDefault>() == nullptr || !column) continue;
    const router::Column& at = target.relation->columns[static_cast<std::size_t>(*column)];
    if (!at.identity &&
        (at.default_sql.empty() || at.default_volatility == router::Volatility::immutable)) {
      continue;
    }
    refuse_clause("SET … = DEFAULT", "every shard would compute the default for itself",
                  "Write the value.");
  }
}

void check_target(const Planning& planning) {
  if (planning.map().shards().size() > 1) {
    const Target target = target_of(planning);
    if (target.table != nullptr && target.table->kind != conf::TableKind::whole) {
      check_triggers(target);
    }
  }
}

void check_on_conflict(Planning& planning, const tree::Insert& insert) {
  const Target target = target_of(planning);
  if (!insert.on_conflict && !insert.replace && !insert.ignore) return;
  const std::string_view clause = insert.replace  ? "REPLACE"
                                  : insert.ignore ? "INSERT IGNORE"
                                  : planning.language().dialect == Dialect::mysql ? "ON DUPLICATE KEY UPDATE"
                                                                                  : "ON CONFLICT";
  if (insert.on_conflict) {
    check_key_unchanged(planning, insert.on_conflict->set, {});
    check_assigned_defaults(planning, insert.on_conflict->set);
  }
  for (const router::UniqueKey& unique : target.relation->unique_keys) {
    const auto holds = [&](const std::string& column) {
      return std::ranges::any_of(unique.columns, [&](int index) {
        return target.relation->columns[static_cast<std::size_t>(index)].name == column;
      });
    };
    const auto& key =
        target.table->expression ? target.table->expression->columns() : target.table->key;
    if (key.empty()) refuse_clause(clause, "its rows are placed at random", "Give the table a key, or leave the clause out.");
    if (!std::ranges::all_of(key, holds)) {
      refuse_clause(clause, "the unique key \"" + unique.name + "\" does not hold the key",
                    "Add the key column to the unique constraint.");
    }
  }
}

namespace {

/// A single row: the client's own text goes to the row's shard.
Outcome single_row(Planning& planning, const Target& target, SplitRow row) {
  KeyCondition condition;
  condition.kind = KeyCondition::Kind::stored;
  condition.table = target.instance->table;
  condition.operands = std::move(row.key);
  condition.counted = std::move(row.counted);
  auto plan = planning.plan;
  plan->kind = PlanKind::relay;
  plan->routing.mode = Routing::Mode::by_key;
  plan->routing.condition = std::move(condition);
  plan->routing.reason = "the row's key";
  return std::shared_ptr<const Plan>(std::move(plan));
}

/// A subquery of the block that is not the statement's source cannot be answered by whichever shard stores a row.
bool reads_other_shards(const Planning& planning, const tree::Insert& insert, const Block& block) {
  Analysis analysis(planning.query, planning.functions);
  return std::ranges::any_of(block.subqueries, [&](const auto& subquery) {
    if (subquery.first == insert.source.get()) return false;
    const Distribution rows = analysis.of(*subquery.second, {}, -7);
    return !rows.same_everywhere() || !rows.unstable.empty();
  });
}

bool values_read_other_shards(const Planning& planning, const tree::Insert& insert) {
  return insert.source && reads_other_shards(planning, insert, *planning.query.top->subqueries.at(insert.source.get()));
}

/// Subqueries in VALUES, ON CONFLICT and RETURNING are answered by the row's shard.
void check_value_queries(const Planning& planning, const tree::Insert& insert) {
  if (!reads_other_shards(planning, insert, *planning.query.top) && !values_read_other_shards(planning, insert)) return;
  refuse_clause("a subquery in INSERT", "it reads rows that are not on every shard",
                "Read the value first, and give it as a constant.");
}

/// ORDER BY, LIMIT and OFFSET speak of all rows of VALUES, and no shard is sent them all.
void check_plain_list(const tree::Insert& insert) {
  if (!insert.source) return;
  const tree::Select& list = *insert.source;
  if (list.order_by.empty() && !list.limit && !list.offset && list.with.ctes.empty() && list.locking.empty()) return;
  refuse_clause("a clause of VALUES in INSERT", "its rows are on several shards",
                "Give VALUES without ORDER BY, LIMIT, OFFSET, FOR or WITH.");
}

/// What cannot be written beside a part of the rows.
void check_split_clauses(const Planning& planning, const tree::Insert& insert) {
  if (!insert.row_alias.name.empty()) {
    refuse_clause("VALUES … AS", "its rows are on several shards", "Use VALUES(column).");
  }
  check_plain_list(insert);
  if (planning.language().asks_shards || insert.returning.empty()) return;
  if (insert.ignore) {
    refuse_clause("INSERT IGNORE … RETURNING", "which rows are left out is not known",
                  "Insert the rows of each key in a statement.");
  }
  planning.plan->returns_rows = true;
}

/// A server names the row's number, which is another among the rows of a shard.
void check_width(const std::vector<std::vector<tree::ExprPtr>>& rows) {
  const auto differs = [&](const auto& row) { return row.size() != rows.front().size(); };
  if (std::ranges::none_of(rows, differs)) return;
  refuse_clause("INSERT", "its rows have not all as many values", "Give each row as many values as there are columns.");
}

Outcome split(Planning& planning, const tree::Insert& insert, const Target& target) {
  const auto columns = target_columns(insert, *target.relation);
  const auto key = key_columns(planning, target);
  const auto* rows = insert.source ? &insert.source->values : nullptr;
  if (rows != nullptr && rows->empty()) return plan_insert_select(planning, insert);
  check_defaults(planning, insert, *target.relation);
  const bool in_buckets = planning.query.in_buckets(*target.instance);
  const bool can_feed = !in_buckets && can_feed_values(planning, insert);
  if (can_feed && values_read_other_shards(planning, insert)) return plan_fed_insert(planning, insert);
  check_value_queries(planning, insert);
  InsertSplit made;
  made.table = target.instance->table;
  const std::size_t count = rows == nullptr ? 1 : rows->size();
  if (rows != nullptr) check_width(*rows);
  for (std::size_t i = 0; i < count; ++i) {
    SplitRow row;
    auto operands = row_key(planning, target, columns, key, rows == nullptr ? nullptr : &(*rows)[i]);
    if (!operands && can_feed) return plan_fed_insert(planning, insert);
    if (!operands) {
      refuse(make_error(ErrorId::unsupported_clause, "INSERT",
                        "the key " + planning.text(*operands.error()) + " is not known before the row is placed", "Give the key as a constant or a parameter."));
    }
    row.key = std::move(*operands);
    if (rows != nullptr) row.counted = counted_value(planning, target, columns, (*rows)[i]);
    made.rows.push_back(std::move(row));
  }
  if (planning.values.needs_description && !planning.plan->described) return ask_original(planning);
  if (count == 1 && !in_buckets && !planning.traits.virtual_columns && planning.request->rows == nullptr) {
    return single_row(planning, target, std::move(made.rows.front()));
  }
  if (planning.must_describe()) return ask_original(planning);
  check_split_clauses(planning, insert);
  check_several(planning);
  tree::StatementPtr copy = tree::clone(*planning.statement);
  auto& filled = *copy->as<tree::Insert>();
  if (rows != nullptr) write_defaults(planning, filled, *target.relation, Defaults::rows);
  fill_holes(planning, *copy);
  Printer head = planning.printer();
  head.insert_head(filled);
  if (rows == nullptr) {
    head.text("DEFAULT VALUES");
  } else {
    head.text("VALUES ");
    print_rows(planning, filled, *target.relation, made);
  }
  made.prefix = with_holes(head.take());
  Printer tail = planning.printer();
  if (filled.on_conflict) tail.on_conflict(*filled.on_conflict);
  if (!filled.returning.empty()) {
    tail.text(" RETURNING ");
    tail.targets(filled.returning);
  }
  made.suffix = with_holes(tail.take());
  made.ignores = insert.ignore;
  made.updates = insert.on_conflict != nullptr;
  auto plan = planning.plan;
  plan->kind = PlanKind::split;
  plan->routing.mode = Routing::Mode::by_key;
  plan->routing.reason = count == 1 ? "the row's key" : "each row's key";
  plan->insert = std::move(made);
  if (plan->result) plan->recipe = rows_as_they_come(planning, *plan->result);
  return std::shared_ptr<const Plan>(std::move(plan));
}

/// The same row on every copy: what a server would make up is made once, on the default shard.
Outcome broadcast_values(Planning& planning, const tree::Insert& insert, const Target& target) {
  const bool from_query = insert.source && insert.source->values.empty();
  const std::string difference = from_query ? difference_of_copies(planning) : std::string();
  if (!difference.empty() && can_be_fed(planning, insert)) return plan_fed_insert(planning, insert);
  if (!from_query && can_feed_values(planning, insert) && values_read_other_shards(planning, insert)) {
    return plan_fed_insert(planning, insert);
  }
  if (planning.must_describe()) return ask_original(planning);
  if (!difference.empty()) {
    refuse_clause("INSERT … SELECT into a reference table", difference, "Read the rows first, then insert them as VALUES.");
  }
  tree::StatementPtr copy = tree::clone(*planning.statement);
  auto& filled = *copy->as<tree::Insert>();
  if (!from_query) check_value_queries(planning, insert);
  check_counted_copies(planning, target, insert);
  write_defaults(planning, filled, *target.relation, Defaults::copies);
  fill_copies(planning, filled);
  fill_holes(planning, *copy);
  return broadcast_copies(planning, *copy);
}

}  // namespace

Outcome plan_insert(Planning& planning, const tree::Insert& insert) {
  const Target target = target_of(planning);
  const bool in_buckets = target.instance != nullptr && planning.query.in_buckets(*target.instance);
  if (planning.map().shards().size() == 1 && !in_buckets) {
    return std::shared_ptr<const Plan>(relay_to(
        planning, static_cast<int>(planning.map().default_shard()), "there is one shard only"));
  }
  const bool on_one_shard = target.table == nullptr || target.table->kind == conf::TableKind::whole;
  if (!on_one_shard && target.relation == nullptr) {
    refuse(make_error(ErrorId::unmappable_syntax,
                      "table \"" + target.table->name.name + "\" is not in the catalog"));
  }
  if (planning.traits.writing_with || !insert.with.ctes.empty() || on_one_shard) {
    return plan_insert_whole(planning, insert);
  }
  check_target(planning);
  if (target.table->kind == conf::TableKind::reference) {
    return broadcast_values(planning, insert, target);
  }
  check_on_conflict(planning, insert);
  return split(planning, insert, target);
}

}  // namespace anabranch::rewriter
