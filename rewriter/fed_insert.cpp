#include <algorithm>

#include "rewriter/column_types.h"
#include "rewriter/fed_rows.h"
#include "rewriter/write.h"
#include "values/type.h"

/// INSERT whose rows are made elsewhere than they are stored: the query, or VALUES with queries inside, is answered like any
/// other, its rows are kept, and each shard is given its own in a temporary table, from which it inserts them.
namespace anabranch::rewriter {
namespace {

constexpr std::string_view kSchema = "pg_temp";
constexpr std::string_view kRows = "anabranch_fed";

std::string column_name(std::size_t index) {
  return "c" + std::to_string(index + 1);
}

bool is_string(values::Oid type) {
  return type == values::oid::text || type == values::oid::varchar || type == values::oid::bpchar;
}

bool is_star(const tree::Target& target) {
  const auto* column = target.expr->as<tree::ColumnRef>();
  return column != nullptr && column->star;
}

class FedInsert {
 public:
  FedInsert(Planning& planning, const tree::Insert& insert)
      : planning_(planning), insert_(insert), target_(planning.query.at(planning.query.target)) {}

  Outcome plan() {
    check();
    if (planning_.must_describe()) return ask_original(planning_);
    FedRows fed(planning_, ask_original(planning_));
    tree::Statement query{std::move(*source())};
    const auto rows = fed.plan(query);
    if (rows == nullptr) return fed.need();
    const std::vector<std::size_t> casts = needed_casts(*rows->result);
    if (casts.empty()) return finish(rows);
    const tree::Statement cast{std::move(*with_casts(*query.as<tree::Select>(), casts, rows->result->size()))};
    const auto cast_rows = fed.plan(cast);
    if (cast_rows == nullptr) return fed.need();
    return finish(cast_rows);
  }

 private:
  const router::MappedTable* table() const { return planning_.query.mapped(target_); }
  bool is(conf::TableKind kind) const { return table() != nullptr && table()->kind == kind; }
  bool on_one_shard() const { return table() == nullptr || is(conf::TableKind::whole); }

  void check() const {
    check_system_columns(planning_);
    check_impure(planning_);
    if (!on_one_shard()) {
      check_target(planning_);
      check_defaults(planning_, insert_, *target_.relation);
    }
    if (is(conf::TableKind::sharded)) check_on_conflict(planning_, insert_);
    Analysis analysis(planning_.query, planning_.functions);
    for (const auto& [select, block] : planning_.query.top->subqueries) {
      if (select == insert_.source.get()) continue;
      const Distribution rows = analysis.of(*block, {}, -7);
      if (insert_.with.ctes.empty() && rows.same_everywhere() && rows.unstable.empty()) continue;
      refuse_clause("a subquery in INSERT … SELECT", "it stands outside of the query",
                    "Read the value first, and give it as a constant.");
    }
  }

  /// The query, with what stands ahead of the INSERT.
  tree::SelectPtr source() const {
    tree::SelectPtr select = tree::clone(*insert_.source);
    if (insert_.with.ctes.empty()) return select;
    tree::StatementPtr copy = tree::clone(*planning_.statement);
    tree::With with = std::move(copy->as<tree::Insert>()->with);
    with.recursive |= select->with.recursive;
    for (tree::Cte& inner : select->with.ctes) {
      if (std::ranges::find(with.ctes, inner.name, &tree::Cte::name) != with.ctes.end()) {
        refuse_clause("WITH in INSERT … SELECT", "\"" + inner.name + "\" is the name of two", "Give them names of their own.");
      }
      with.ctes.push_back(std::move(inner));
    }
    select->with = std::move(with);
    return select;
  }

  // ------------------------------------------------------------------------------------ the columns

  const router::Column* column_of(std::size_t output) const {
    if (target_.relation == nullptr) return nullptr;
    const auto& columns = target_.relation->columns;
    if (insert_.columns.empty()) return output < columns.size() ? &columns[output] : nullptr;
    if (output >= insert_.columns.size() || !insert_.columns[output].indirection.empty()) return nullptr;
    const auto found = target_.relation->find_column(insert_.columns[output].name);
    return found ? &columns[static_cast<std::size_t>(*found)] : nullptr;
  }

  /// The output that a column is given; -1: none.
  int output_of(const router::Column& column, std::size_t width) const {
    for (std::size_t i = 0; i < width; ++i) {
      if (column_of(i) == &column) return static_cast<int>(i);
    }
    return -1;
  }

  std::vector<const router::Column*> key_columns() const {
    std::vector<const router::Column*> columns;
    if (!is(conf::TableKind::sharded)) return columns;
    for (const Ident column : key_of(planning_.query, planning_.query.target).columns) {
      columns.push_back(planning_.query.column(column));
    }
    return columns;
  }

  /// The server has agreed to assign these values. Those that it read as the column's type, while a query by itself
  /// has them as text (quoted constants), must be of that type; and the keys, of which it must be known here what is
  /// stored.
  std::vector<std::size_t> needed_casts(const std::vector<ResultColumn>& result) const {
    const auto keys = key_columns();
    std::vector<std::size_t> needed;
    for (std::size_t i = 0; i < result.size(); ++i) {
      const router::Column* column = column_of(i);
      if (column == nullptr || column->type.oid == result[i].type) continue;
      const values::Oid from = result[i].type;
      const values::Oid into = column->type.oid;
      const bool is_key = std::ranges::find(keys, column) != keys.end();
      const bool was_constant = from == values::oid::text && !is_string(into);
      if (was_constant || values::find_type(from) == nullptr || (is_key && !comparable_keys(from, into))) needed.push_back(i);
    }
    return needed;
  }

  static bool takes_casts(const tree::Select& select) {
    return !select.left && select.values.empty() && !select.distinct && select.distinct_on.empty() &&
           select.group_by.empty() && select.order_by.empty() && std::ranges::none_of(select.targets, is_star);
  }

  std::string cast_type(std::size_t output) const {
    const router::Column& column = *column_of(output);
    const values::TypeInfo* type = values::find_type(column.type.oid);
    return type != nullptr ? without_modifier(*type) : column.type_name;
  }

  /// Around the query, where other clauses speak of what it selects.
  tree::SelectPtr with_casts(tree::Select& query, const std::vector<std::size_t>& casts, std::size_t width) const {
    if (takes_casts(query)) {
      tree::SelectPtr select = tree::clone(query);
      for (const std::size_t at : casts) {
        select->targets[at].expr = tree::make::cast(std::move(select->targets[at].expr), cast_type(at));
      }
      return select;
    }
    tree::FromPtr rows = tree::make::subquery(tree::clone(query), std::string(kRows));
    auto outer = std::make_unique<tree::Select>();
    for (std::size_t i = 0; i < width; ++i) {
      rows->as<tree::SubqueryRef>()->alias.columns.push_back(column_name(i));
      tree::ExprPtr column = tree::make::column({std::string(kRows), column_name(i)});
      const bool cast = std::ranges::find(casts, i) != casts.end();
      outer->targets.push_back(tree::make::target(cast ? tree::make::cast(std::move(column), cast_type(i)) : std::move(column)));
    }
    outer->from.push_back(std::move(rows));
    return outer;
  }

  // -------------------------------------------------------------------------------------- the whole

  Outcome finish(const std::shared_ptr<const Plan>& rows) {
    const std::vector<ResultColumn>& columns = *rows->result;
    auto plan = planning_.plan;
    // Those of the query come first: both are given the same.
    plan->evaluations = rows->evaluations;
    plan->subquery = insert_rows(columns.size());
    Feed& feed = plan->feeds.emplace_back();
    feed.rows = rows;
    feed.definition = definition(columns);
    feed.table = in_schema();
    feed.key = key_operands(columns);
    if (is(conf::TableKind::reference)) {
      plan->kind = PlanKind::broadcast;
      plan->routing.mode = Routing::Mode::all_shards;
      plan->routing.reason = "a reference table has a copy on every shard";
      plan->sum_counts = false;
    } else if (is(conf::TableKind::sharded)) {
      plan->kind = PlanKind::split;
      plan->routing.mode = Routing::Mode::by_key;
      plan->routing.condition.table = target_.table;
      plan->routing.reason = "each row goes to its key's shard";
    } else {
      plan->kind = PlanKind::split;
      plan->routing.mode = Routing::Mode::one_shard;
      plan->routing.shard = static_cast<int>(table() == nullptr ? planning_.map().default_shard() : table()->shard);
      plan->routing.reason = "its table is on one shard";
    }
    if (plan->result) plan->recipe = rows_as_they_come(planning_, *plan->result);
    return std::shared_ptr<const Plan>(std::move(plan));
  }

  static std::string in_schema() { return std::string(kSchema) + "." + std::string(kRows); }

  /// The statement with the temporary table for its query.
  SqlTemplate insert_rows(std::size_t width) {
    tree::StatementPtr copy = tree::clone(*planning_.statement);
    auto& filled = *copy->as<tree::Insert>();
    filled.with = {};
    filled.source = std::make_unique<tree::Select>();
    for (std::size_t i = 0; i < width; ++i) filled.source->targets.push_back(tree::make::target(tree::make::column({column_name(i)})));
    filled.source->from.push_back(tree::make::table(std::string(kSchema), std::string(kRows)));
    if (!on_one_shard()) {
      for (std::size_t i = 0; insert_.columns.empty() && i < width; ++i) filled.columns.push_back({column_of(i)->name, {}});
      write_defaults(planning_, filled, *target_.relation,
                     is(conf::TableKind::reference) ? Defaults::copies : Defaults::rows);
    }
    fill_holes(planning_, *copy);
    return with_holes(planning_.print(*copy));
  }

  std::string definition(const std::vector<ResultColumn>& columns) const {
    std::string list;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const values::TypeInfo* type = values::find_type(columns[i].type);
      const router::Column* column = column_of(i);
      if (type == nullptr && column == nullptr) {
        refuse_clause("INSERT … SELECT", "the type of column \"" + columns[i].name + "\" is not known", "Cast it to another type.");
      }
      list += (list.empty() ? "" : ", ") + column_name(i) + " " + (type != nullptr ? without_modifier(*type) : column->type_name);
    }
    return "CREATE TEMPORARY TABLE " + in_schema() + " (" + list + ") ON COMMIT DROP";
  }

  std::vector<KeyOperand> key_operands(const std::vector<ResultColumn>& columns) const {
    std::vector<KeyOperand> operands;
    for (const router::Column* column : key_columns()) {
      KeyOperand& operand = operands.emplace_back();
      const int output = output_of(*column, columns.size());
      operand.column_type = column->type.oid;
      operand.column_modifier = column->type.typmod;
      operand.value.from = output < 0 ? ValueRef::From::absent : ValueRef::From::parameter;
      operand.value.index = output;
      if (output >= 0) operand.value_type = columns[static_cast<std::size_t>(output)].type;
      if (output >= 0 || (column->default_sql.empty() && !column->identity && !column->generated)) continue;
      refuse_clause("INSERT … SELECT", "the key column \"" + column->name + "\" is filled by its default",
                    "Give the key a value in the statement.");
    }
    return operands;
  }

  Planning& planning_;
  const tree::Insert& insert_;
  const Instance& target_;
};

/// Not a view, whose table may be anywhere.
bool is_stored_where_it_is(const Planning& planning, const tree::TableRef& table) {
  const NamedTable named = find_named(planning, table.schema, table.name);
  if (named.relation == nullptr) return named.temporary;
  return named.relation->kind == router::RelationKind::table || named.relation->kind == router::RelationKind::partitioned;
}

}  // namespace

namespace {

bool may_be_read_first(const Planning& planning, const tree::Insert& insert) {
  return planning.language().asks_shards && insert.source && insert.source->into.empty() && !planning.traits.writing_with &&
         is_stored_where_it_is(planning, insert.table);
}

}  // namespace

bool can_be_fed(const Planning& planning, const tree::Insert& insert) {
  return may_be_read_first(planning, insert) && insert.source->values.empty();
}

bool can_feed_values(const Planning& planning, const tree::Insert& insert) {
  const auto is_default = [](const tree::ExprPtr& value) { return value->as<tree::SetToDefault>() != nullptr; };
  return may_be_read_first(planning, insert) && !insert.source->values.empty() &&
         std::ranges::none_of(insert.source->values, [&](const auto& row) { return std::ranges::any_of(row, is_default); });
}

Outcome plan_fed_insert(Planning& planning, const tree::Insert& insert) {
  return FedInsert(planning, insert).plan();
}

}  // namespace anabranch::rewriter
