#include <algorithm>

#include "merge/evaluate.h"
#include "rewriter/buckets.h"
#include "rewriter/fed_table.h"
#include "rewriter/finish.h"
#include "rewriter/scatter.h"

/// SELECT: relayed where its rows are on one shard, scattered where it splits, gathered where neither is proved, else
/// refused.
namespace anabranch::rewriter {
namespace {

constexpr int kTop = 1'000'000'001;

std::shared_ptr<const Plan> done(std::shared_ptr<Plan> plan) {
  return plan;
}

/// UNION removes duplicates after all its branches: they need not be where their equals are.
bool union_branches(Analysis& analysis, const Block& block, bool& sharded) {
  if (block.left == nullptr || block.select->set_op != tree::SetOperation::union_ ||
      has_limit(*block.select)) {
    const Distribution rows = analysis.of(block, {}, kTop);
    sharded |= rows.kind == Distribution::Kind::sharded;
    return rows.kind == Distribution::Kind::sharded ||
           (rows.same_everywhere() && rows.unstable.empty());
  }
  const bool left = union_branches(analysis, *block.left, sharded);
  const bool right = union_branches(analysis, *block.right, sharded);
  return left && right;
}

bool outermost_union(const tree::Select& select) {
  return select.set_op == tree::SetOperation::union_ && !select.set_all;
}

void check_locking(const Scatter& scatter) {
  if (scatter.select.locking.empty()) return;
  if (scatter.select.limit || scatter.select.offset) {
    refuse_clause("FOR UPDATE with LIMIT", "each shard would lock rows beyond the limit",
                  "Select the keys first, then lock them by key.");
  }
}

/// Every shard asked must have every table.
void check_same_shards(const Scatter& scatter) {
  const Query& query = scatter.planning.query;
  std::optional<router::ShardSet> shards;
  for (const auto& instance : query.instances) {
    if (!query.sharded(*instance)) continue;
    const router::ShardSet own = query.map->shards_of(*query.mapped(*instance));
    if (!shards) shards = own;
    if (*shards == own) continue;
    refuse_clause("UNION", "its tables are on different shards",
                  "Run its branches as statements of their own.");
  }
}

Outcome scatter_set_operation(Scatter& scatter) {
  const Distribution& rows = scatter.rows.distribution;
  if (rows.kind == Distribution::Kind::sharded) return scatter_rows(scatter, false);
  bool sharded = false;
  if (outermost_union(scatter.select) &&
      union_branches(scatter.analysis, *scatter.block.left, sharded) &&
      union_branches(scatter.analysis, *scatter.block.right, sharded) && sharded) {
    check_same_shards(scatter);
    return scatter_rows(scatter, true);
  }
  if (rows.kind == Distribution::Kind::split_up) refuse_distribution("a set operation", rows);
  refuse_clause("a set operation", "its rows are in different places",
                "Run its branches as statements of their own.");
}

Outcome scatter_plain(Scatter& scatter) {
  const Analysis::Rows& rows = scatter.rows;
  if (rows.distribution.kind == Distribution::Kind::split_up) {
    refuse_distribution("SELECT", rows.distribution);
  }
  if (rows.distribution.kind != Distribution::Kind::sharded) {
    refuse_clause("SELECT", "a sharded table is read only beside rows that are on every shard",
                  "Let the sharded table be in FROM, or ask for one key.");
  }
  if (const auto window = scatter.analysis.incomplete_window(scatter.block, rows)) {
    if (auto gathered = try_to(gather, scatter)) return std::move(*gathered);
    refuse_clause("a window function", *window, "Put the key into its PARTITION BY.");
  }
  check_locking(scatter);
  Planning& planning = scatter.planning;
  if (is_aggregated(scatter.select, planning.functions)) {
    const auto items = group_items(scatter.block, planning.pins);
    std::vector<Ident> groups;
    if (items) {
      for (const Meaning& item : *items) groups.push_back(item.ident);
    }
    const bool complete = items && Analysis::completes(rows, groups);
    if (!complete) {
      if (has_windows(scatter.select)) {
        if (auto gathered = try_to(gather, scatter)) return std::move(*gathered);
        refuse_clause("a window function over groups", "the groups are complete only after merging",
                      "Group by the key, or compute the window in the application.");
      }
      return scatter_groups(scatter);
    }
    planning.plan->reasons.push_back("the key is in GROUP BY: every group is on one shard");
  }
  std::vector<Ident> outputs;
  for (const OutputColumn& output : scatter.block.outputs) outputs.push_back(output.ident);
  bool distinct = scatter.select.distinct && !Analysis::completes(rows, outputs);
  if (!scatter.select.distinct_on.empty()) {
    std::vector<const tree::Expr*> exprs;
    for (const tree::ExprPtr& expr : scatter.select.distinct_on) exprs.push_back(expr.get());
    distinct = !Analysis::completes(rows, idents_of(scatter.block, exprs));
  }
  return scatter_rows(scatter, distinct);
}

/// SELECT … INTO of rows elsewhere, as CREATE TABLE AS says it.
Outcome into_made_table(Planning& planning, const tree::Select& select, bool temporary) {
  constexpr std::string_view into = "INTO ";
  const std::string name = quote_name(select.into_table);
  const std::string kind = select.into.substr(into.size(), select.into.size() - into.size() - name.size());
  tree::SelectPtr rows = tree::clone(select);
  rows->into.clear();
  const tree::Statement query{std::move(*rows)};
  const std::string definition = "CREATE " + kind + "TABLE " + name + " AS " + to_text(query, planning.shape()) + " WITH NO DATA";
  return plan_made_table(planning, query, {definition, made_name(planning, select.into_table, temporary), temporary});
}

/// SELECT … INTO makes a table.
std::optional<Outcome> select_into(Planning& planning, const tree::Select& select,
                                   const Placement& placement) {
  if (select.into.empty() || !planning.language().into_makes_table) return std::nullopt;
  const auto preferred = static_cast<int>(planning.map().default_shard());
  const bool temporary = select.into.starts_with("INTO TEMPORARY ") || select.into.find("pg_temp") != std::string::npos;
  const std::string schema = select.into_table.size() > 1 ? select.into_table[select.into_table.size() - 2] : std::string();
  if (!temporary && find_named(planning, schema, select.into_table.back()).table != nullptr) {
    refuse_statement("SELECT … INTO of a table of the map", "Create the table, then INSERT … SELECT into it.");
  }
  const bool here = !placement.condition || placement.fixed_shard == preferred;
  if (!here) return into_made_table(planning, select, temporary);
  auto plan = relay_to(planning, preferred, "all is on the default shard");
  plan->effect = temporary ? Effect::temporary : Effect::ddl;
  if (temporary) plan->residue = Residue::may_begin;
  return done(plan);
}

/// SELECT … INTO @x of several shards' rows: the proxy has the variables set once it has the row.
void set_variables_after(Planning& planning, const tree::Select& select) {
  if (select.into.empty()) return;
  check_into(select);
  for (const tree::Target& target : select.targets) {
    if (!planning.language().merging->hides_digits(planning, *target.expr)) continue;
    refuse_clause("SELECT … INTO of a quotient", "a variable takes digits that no server tells",
                  "Round it, or compute it of the variables.");
  }
  tree::SelectPtr rows = tree::clone(select);
  rows->into.clear();
  planning.plan->into = select.into;
  planning.original = fill(planning.print(tree::Statement{std::move(*rows)}), planning.shape());
}

bool counts_all_rows(const tree::Select& select) {
  if (select.left && (counts_all_rows(*select.left) || counts_all_rows(*select.right))) return true;
  return std::ranges::find(select.modifiers, "SQL_CALC_FOUND_ROWS") != select.modifiers.end();
}

/// What refuses a statement elsewhere says here why it costs more.
std::string why_not_by_shard(const values::SqlError& error) {
  constexpr std::string_view refused = " across shards is not supported: ";
  const std::size_t at = error.message.find(refused);
  if (at == std::string::npos) return error.message;
  return error.message.substr(0, at) + " is not answered shard by shard: " + error.message.substr(at + refused.size());
}

Outcome scatter_select(Scatter& scatter) {
  Planning& planning = scatter.planning;
  check_several(planning);
  check_whole_tables(scatter);
  set_variables_after(planning, scatter.select);
  planning.language().merging->settle(planning, scatter.select);
  if (!planning.plan->described) return ask_original(planning);
  if (!planning.plan->result) refuse_statement("a SELECT without columns", "Select a column.");
  return scatter.block.left != nullptr ? scatter_set_operation(scatter) : scatter_plain(scatter);
}

}  // namespace

Outcome plan_select(Planning& planning, const tree::Select& select) {
  Analysis analysis(planning.query, planning.functions);
  const Block& block = *planning.query.top;
  Scatter scatter{planning, select, block, analysis, {}, {}};
  if (block.left == nullptr) {
    scatter.rows = analysis.rows_of(block, {});
  } else {
    scatter.rows.distribution = analysis.of_top(block, kTop);
  }
  scatter.placement = place(planning, analysis);
  if (auto into = select_into(planning, select, scatter.placement)) return std::move(*into);
  if (planning.traits.writing_with && scatter.placement.any_reference &&
      planning.map().shards().size() > 1) {
    refuse_statement("a writing WITH beside reference tables", "Write one statement each.");
  }
  if (has_buckets(planning.query)) {
    if (auto plan = plan_on_one_shard(planning, scatter.placement)) return std::move(*plan);
  } else if (!planning.traits.virtual_columns) {
    if (auto plan = relay(planning, scatter.placement)) {
      if (planning.values.needs_description && !plan->described) return ask_original(planning);
      return done(plan);
    }
  }
  if (planning.traits.writing_with) {
    refuse_clause("a writing WITH", "its rows are on several shards", "Write one statement each.");
  }
  if (!scatter.placement.condition) {
    refuse_clause("SELECT", "no sharded table is read", "Leave _shard_num out.");
  }
  planning.plan->counts_all_rows = counts_all_rows(select);
  const Plan unplanned = *planning.plan;
  try {
    return scatter_select(scatter);
  } catch (const Refusal& refused) {
    // With the parameters' values it may be scattered.
    if (refused.needs_values) throw;
    *planning.plan = unplanned;
    planning.plan->reasons.push_back(why_not_by_shard(refused.error));
  }
  return planning.language().gather(scatter);
}

bool is_elsewhere(const Query& query, const Instance& instance) {
  const router::MappedTable* table = query.mapped(instance);
  return table != nullptr && table->kind == conf::TableKind::whole && table->shard != query.map->default_shard();
}

const router::MappedTable* table_elsewhere(const Query& query) {
  for (const auto& instance : query.instances) {
    if (is_elsewhere(query, *instance)) return query.mapped(*instance);
  }
  return nullptr;
}

void check_whole_tables(const Scatter& scatter) {
  const router::MappedTable* table = table_elsewhere(scatter.planning.query);
  if (table == nullptr) return;
  const Distribution& rows = scatter.rows.distribution;
  if (rows.kind == Distribution::Kind::split_up) refuse_distribution("SELECT", rows);
  refuse_clause("SELECT", "\"" + table->name.name + "\" is whole on one shard, other rows are not",
                "Make the table that is on one shard a reference table.");
}

void check_into(const tree::Select& select) {
  if (select.into.empty() || select.into.contains('@')) return;
  refuse_clause("SELECT … INTO a file", "the rows come from several servers, each of which has files of its own",
                "Read the rows, and write the file where the client is.");
}

void check_system_columns(const Planning& planning) {
  const std::string& name = planning.traits.system_column;
  if (name.empty()) return;
  refuse_clause("the system column " + name, "it means one server's storage",
                "Use the table's own key.");
}

void check_impure(const Planning& planning) {
  if (planning.traits.impure.empty()) return;
  refuse_clause(planning.traits.impure, "its function is not immutable",
                "Declare the function IMMUTABLE if it is, or compute the value first.");
}

void check_several(const Planning& planning) {
  check_system_columns(planning);
  const Traits& traits = planning.traits;
  check_impure(planning);
  if (!traits.outer_aggregate.empty()) {
    refuse_clause("aggregate " + traits.outer_aggregate + " in a subquery",
                  "its rows are those of the query around it",
                  "Write the aggregate into the outer query.");
  }
  if (!traits.shared.empty()) {
    refuse_clause(traits.shared, "its value belongs to one server",
                  "Compute it first, and give it as a constant.");
  }
  if (!traits.nested_random.empty()) {
    refuse_clause(traits.nested_random + "() in a subquery", "each shard would draw its own value",
                  "Compute it first, and give it as a constant.");
  }
}

// ------------------------------------------------------------------------------- describing first

NeedDescribe ask_original(const Planning& planning) {
  return ask_with(planning, {});
}

NeedDescribe ask_with(const Planning& planning, std::vector<tree::SelectPtr> probes) {
  NeedDescribe need;
  std::string original = planning.original;
  if (planning.traits.virtual_columns) {
    tree::StatementPtr copy = tree::clone(*planning.statement);
    typing_form(*copy);
    original = fill(planning.print(*copy), planning.shape());
  }
  const auto declared = planning.request->parameter_types;
  need.asks.push_back({std::move(original), {declared.begin(), declared.end()}});
  for (tree::SelectPtr& probe : probes) {
    probe->into.clear();
    tree::Statement statement{std::move(*probe)};
    typing_form(statement);
    need.asks.push_back({fill(planning.print(statement), planning.shape()), planning.plan->parameters});
  }
  return need;
}

bool probed(const Planning& planning, std::size_t probes) {
  return planning.request->descriptions.size() >= probes + 1;
}

// ----------------------------------------------------------------------------------- shared parts

namespace {

/// LIMIT's or OFFSET's number: a constant, a parameter, or computed of these when it is bound.
int add_count(Planning& planning, const tree::ExprPtr& expr, Slot::Check check,
              const char* clause) {
  if (!expr) return -1;
  auto& list = planning.plan->slots;
  Slot slot;
  slot.check = check;
  auto operand = key_operand(*expr, values::oid::int8, planning.values);
  const values::Oid type = operand ? operand->value_type : 0;
  const bool plain = operand && (planning.language().merging->plain_limits || type == 0 || type == values::oid::int8 ||
                                 type == values::oid::int4 || type == values::oid::int2);
  if (plain) {
    slot.first = operand->value;
  } else {
    merge::Expression count =
        after_merge(planning, *expr, [](const tree::Expr&) { return std::nullopt; });
    if (count.type.oid != values::oid::int8) {
      values::ColumnType bigint;
      bigint.oid = values::oid::int8;
      if (!merge::can_cast_datum(count.type.oid, bigint)) {
        refuse_clause(clause, "its number is of another type", "Cast it to bigint.");
      }
      merge::Expression cast;
      cast.op = merge::Expression::Op::cast;
      cast.type = bigint;
      cast.args.push_back(std::move(count));
      count = std::move(cast);
    }
    slot.kind = Slot::Kind::computed;
    slot.expression = std::move(count);
  }
  list.push_back(std::move(slot));
  return static_cast<int>(list.size()) - 1;
}

}  // namespace

LimitSlots add_limit_slots(Planning& planning, const tree::Select& select, bool push_down) {
  LimitSlots slots;
  slots.count = add_count(planning, select.limit, Slot::Check::limit, "LIMIT");
  slots.offset = add_count(planning, select.offset, Slot::Check::offset, "OFFSET");
  if (slots.count >= 0 && push_down) {
    Slot pushed;
    pushed.kind = Slot::Kind::limit_plus_offset;
    pushed.limit = slots.count;
    pushed.offset = slots.offset;
    planning.plan->slots.push_back(std::move(pushed));
    slots.pushed = static_cast<int>(planning.plan->slots.size()) - 1;
  }
  return slots;
}

namespace {

/// Whether USING names the order from the greatest down; only built-in orders are known.
bool descends(const Planning& planning, const tree::SortKey& key) {
  using Direction = tree::SortKey::Direction;
  if (key.direction != Direction::using_operator) return key.direction == Direction::descending;
  const std::string& op = key.using_op.back();
  const bool builtin =
      key.using_op.size() == 1
          ? !planning.catalog().may_be_shadowed(planning.query.search_path, op, false)
          : key.using_op.front() == "pg_catalog";
  if (builtin && op == ">") return true;
  if (builtin && op == "<") return false;
  refuse_clause("ORDER BY … USING", "the operator's order is not known", "Use ASC or DESC.");
}

}  // namespace

merge::SortKey sort_key(const Planning& planning, const tree::SortKey& key, int column,
                        values::Collation collation) {
  merge::SortKey made;
  made.column = column;
  made.descending = descends(planning, key);
  made.nulls_first = key.nulls == tree::SortKey::Nulls::unspecified
                         ? made.descending != planning.language().merging->null_is_least
                         : key.nulls == tree::SortKey::Nulls::first;
  made.collation = std::move(collation);
  return made;
}

std::vector<OrderKey> order_of(const Scatter& scatter) {
  std::vector<OrderKey> keys;
  for (const tree::SortKey& key : scatter.select.order_by) {
    keys.push_back({key.expr.get(), {nullptr, key.direction, key.nulls, key.using_op}});
  }
  if (!keys.empty() || !scatter.planning.language().merging->sorts_groups(scatter.planning)) return keys;
  for (const tree::GroupItem& item : scatter.select.group_by) {
    if (item.kind != tree::GroupItem::Kind::expr) return {};
    OrderKey& key = keys.emplace_back();
    key.expr = item.expr.get();
    key.how.direction = item.direction;
  }
  return keys;
}

Outcome finish_scatter(Scatter& scatter, tree::SelectPtr subquery, merge::Recipe recipe,
                       std::string reason) {
  auto plan = scatter.planning.plan;
  subquery->into.clear();
  tree::Statement statement{std::move(*subquery)};
  fill_holes(scatter.planning, statement);
  plan->kind = PlanKind::scatter;
  plan->subquery = with_holes(scatter.planning.print(statement));
  plan->recipe = std::move(recipe);
  plan->reasons.push_back(std::move(reason));
  plan->routing.mode = Routing::Mode::by_key;
  plan->routing.condition = *scatter.placement.condition;
  if (plan->routing.condition.kind == KeyCondition::Kind::anything) {
    plan->routing.reason = "nothing limits the key";
  }
  return done(plan);
}

}  // namespace anabranch::rewriter
