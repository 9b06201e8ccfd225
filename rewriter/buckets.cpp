#include "rewriter/buckets.h"

#include <algorithm>

#include "rewriter/hints.h"

namespace anabranch::rewriter {
namespace {

constexpr std::string_view kHint = "Name a bucket's own table, on its shard: /* anabranch: shard=NAME */";

const router::MappedTable& table_in_buckets(const Query& query) {
  const auto found =
      std::ranges::find_if(query.instances, [&](const auto& instance) { return query.in_buckets(*instance); });
  return *query.mapped(**found);
}

[[noreturn]] void refuse_for(const router::MappedTable& table, std::string_view clause) {
  refuse(values::make_error(values::ErrorId::unsupported_clause, clause,
                            "\"" + table.name.name + "\" has a table for each bucket, and is none itself", kHint),
         false);
}

bool is_bucket_of(const router::ShardMap& map, const router::MappedTable& table, const router::Relation& relation) {
  const conf::TableName name{relation.schema, relation.name};
  const router::ShardSet buckets = map.buckets_on(table, map.default_shard());
  return std::ranges::any_of(buckets, [&](std::uint32_t bucket) { return table.of_bucket(bucket) == name; });
}

/// Writes of rows that are elsewhere need each row's place, or a place for other shards' rows.
std::string_view refused_write(const Planning& planning) {
  const auto* insert = planning.statement->as<tree::Insert>();
  const auto* update = planning.statement->as<tree::Update>();
  const auto* remove = planning.statement->as<tree::Delete>();
  if (insert == nullptr && update == nullptr && remove == nullptr) return {};
  const Query& query = planning.query;
  if (query.target < 0 || !query.in_buckets(query.at(query.target))) return planning.plan->command;
  if (insert != nullptr) {
    if (insert->source && insert->source->values.empty()) return "INSERT … SELECT";
    if (!insert->with.ctes.empty()) return "INSERT with WITH";
    if (insert->on_conflict && !insert->on_conflict->constraint.empty()) return "ON CONFLICT ON CONSTRAINT";
    return {};
  }
  const bool only = update != nullptr ? update->table.only : remove->table.only;
  const bool cursor = update != nullptr ? !update->current_of.empty() : !remove->current_of.empty();
  return only ? "ONLY" : cursor ? "WHERE CURRENT OF" : "";
}

/// What a statement may not do beside such a table; empty: it does nothing of the kind.
std::string_view refused_trait(const Planning& planning) {
  const Traits& traits = planning.traits;
  const Hints hints = parse_hints(planning.shape().hint());
  if (planning.language().dialect == Dialect::mysql) return planning.plan->command;
  if (const std::string_view clause = refused_write(planning); !clause.empty()) return clause;
  if (hints.shard || hints.key) return "a hint";
  if (traits.locking) return "FOR UPDATE";
  if (traits.writing_with) return "a writing WITH";
  if (!traits.system_column.empty()) return "a system column";
  if (traits.settings || !traits.session_call.empty() || !traits.session_value.empty() || !traits.sequence.empty()) {
    return "a function of the session";
  }
  return {};
}

bool has_subquery(const std::vector<tree::ExprPtr>& exprs) {
  bool found = false;
  for (const tree::ExprPtr& expr : exprs) {
    tree::walk(*expr, [&](const tree::Expr& at) {
      tree::for_each_subquery(at, [&](const tree::Select&) { found = true; });
      return !found;
    });
  }
  return found;
}

class Check {
 public:
  explicit Check(Planning& planning) : planning_(planning), query_(planning.query), table_(table_in_buckets(query_)) {}

  void run() {
    if (const std::string_view clause = refused_trait(planning_); !clause.empty()) refuse_for(table_, clause);
    for (const auto& block : query_.blocks) {
      for (const auto& [item, instance] : block->of_item) check_item(*item);
      each_expression(*block, [&](const tree::Expr& expr) {
        tree::walk(expr, [&](const tree::Expr& at) {
          check_expression(at);
          return true;
        });
      });
      if (block->select != nullptr && !block->select->group_by.empty()) check_groups(*block);
    }
  }

 private:
  void check_item(const tree::FromItem& item) const {
    if (const auto* table = item.as<tree::TableRef>(); table != nullptr && table->physical >= 0) {
      if (table->only) refuse_for(table_, "ONLY");
      if (!table->tablesample.empty()) refuse_for(table_, "TABLESAMPLE");
      if (!table->catalog.empty()) refuse_for(table_, "a database's name");
    }
    // These are printed as they were written.
    const auto* function = item.as<tree::FunctionRef>();
    if (function != nullptr && !function->call && has_subquery(function->children)) refuse_for(table_, "a subquery in ROWS FROM");
    const auto* verbatim = item.as<tree::VerbatimFrom>();
    if (verbatim != nullptr && has_subquery(verbatim->children)) refuse_for(table_, verbatim->node);
  }

  void check_expression(const tree::Expr& at) const {
    const auto* verbatim = at.as<tree::Verbatim>();
    if (verbatim != nullptr && has_subquery(verbatim->children)) refuse_for(table_, verbatim->node);
    const auto* reference = at.as<tree::ColumnRef>();
    if (reference == nullptr) return;
    const Ident ident = ident_of(*reference);
    if (ident.instance < 0 || !query_.in_buckets(query_.at(ident.instance))) return;
    if (ident.column == kWholeRow && !reference->star) refuse_for(table_, "a table's row as a value");
    if (ident.column == kUnknownColumn) refuse_for(table_, "a column that the table does not have");
    const std::size_t most = reference->star ? 1 : 2;
    if (reference->parts.size() > most) refuse_for(table_, "a column's name with its schema");
  }

  // ------------------------------------------------------- columns that depend on a primary key

  /// Of a table's primary key its other columns depend, and need not be in GROUP BY; of a UNION ALL's nothing does.
  void check_groups(const Block& block) {
    grouped_.clear();
    for (const tree::GroupItem& item : block.select->group_by) add_group(block, item);
    for (const tree::Target& target : block.select->targets) check_grouped(block, *target.expr);
    if (block.select->having) check_grouped(block, *block.select->having);
    for (const tree::SortKey& key : block.select->order_by) {
      if (meaning_of(block, *key.expr, planning_.pins).output < 0) check_grouped(block, *key.expr);
    }
  }

  void add_group(const Block& block, const tree::GroupItem& item) {
    if (item.expr) grouped_.push_back(meaning_of(block, *item.expr, planning_.pins));
    for (const tree::GroupItem& inner : item.items) add_group(block, inner);
  }

  void check_grouped(const Block& block, const tree::Expr& expr) const {
    const bool same = std::ranges::any_of(grouped_, [&](const Meaning& group) {
      return (group.ident.known() && group.ident == ident_of(expr)) ||
             (group.expr != nullptr && tree::equal(*group.expr, expr));
    });
    if (same) return;
    if (const auto* reference = expr.as<tree::ColumnRef>()) return check_column(block, *reference);
    const auto* call = expr.as<tree::FunctionCall>();
    if (call != nullptr && !call->windowed() && classify(*call, planning_.functions).kind == FunctionKind::aggregate) return;
    tree::for_each_child(expr, [&](const tree::Expr& child) { check_grouped(block, child); });
  }

  void check_column(const Block& block, const tree::ColumnRef& reference) const {
    const int instance = ident_of(reference).instance;
    const bool own = reference.star || std::ranges::find(block.instances, instance) != block.instances.end();
    if (!own || (instance >= 0 && !query_.in_buckets(query_.at(instance)))) return;
    refuse(values::make_error(values::ErrorId::unsupported_clause, "GROUP BY of a key on which other columns depend",
                              "\"" + table_.name.name + "\" has a table for each bucket",
                              "Put every column that is selected into GROUP BY."),
           false);
  }

  Planning& planning_;
  const Query& query_;
  const router::MappedTable& table_;
  std::vector<Meaning> grouped_;
};

}  // namespace

bool has_buckets(const Query& query) {
  return std::ranges::any_of(query.instances, [&](const auto& instance) { return query.in_buckets(*instance); });
}

void check_buckets(Planning& planning) {
  Check(planning).run();
}

void forget_origins(Planning& planning) {
  if (!planning.plan->result) return;
  for (const auto& instance : planning.query.instances) {
    if (!planning.query.in_buckets(*instance)) continue;
    const router::MappedTable& table = *planning.query.mapped(*instance);
    for (ResultColumn& column : *planning.plan->result) {
      const router::Relation* relation = column.table == 0 ? nullptr : planning.catalog().find_relation(column.table);
      if (relation == nullptr || !is_bucket_of(planning.map(), table, *relation)) continue;
      column.table = 0;
      column.attribute = 0;
    }
  }
}

bool has_buckets(const router::ShardMap& map) {
  return std::ranges::any_of(map.tables(), [](const router::MappedTable& table) { return !table.physical.empty(); });
}

void check_no_buckets(const Planning& planning, const router::MappedTable& table) {
  if (!table.physical.empty()) refuse_for(table, planning.plan->command);
}

void check_no_buckets(const Planning& planning, const tree::Utility& utility) {
  if (!has_buckets(planning.map())) return;
  for (const tree::RelationName& relation : utility.relations) (void)find_named(planning, relation.schema, relation.name);
}

std::shared_ptr<Plan> truncate_buckets(Planning& planning, const NamedTable& named, const tree::Truncate& statement) {
  if (named.relation != nullptr && !named.relation->refusal.empty()) {
    refuse(values::SqlError("0A000", named.relation->refusal, "Make the table fit its scheme, then RELOAD."), false);
  }
  auto plan = planning.plan;
  plan->kind = PlanKind::broadcast;
  plan->effect = Effect::writes;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.condition.table = named.index;
  plan->routing.reason = "each shard has some of its buckets";
  plan->sum_counts = false;
  plan->in_order = true;
  plan->subquery.pieces.emplace_back("TRUNCATE TABLE ");
  plan->subquery.pieces.emplace_back(SqlTemplate::BucketsHole{named.index, {}, true});
  plan->subquery.pieces.emplace_back(std::string(statement.restart_identity ? " RESTART IDENTITY" : "") +
                                     (statement.cascade ? " CASCADE" : ""));
  return plan;
}

void note_written_buckets(Planning& planning) {
  const Query& query = planning.query;
  if (query.target < 0 || !query.in_buckets(query.at(query.target))) return;
  const int table = query.at(query.target).table;
  planning.plan->written_buckets = table;
  planning.plan->reads_written =
      std::ranges::count_if(query.instances, [&](const auto& instance) { return instance->table == table; }) > 1;
}

bool may_be_on_one_shard(const Planning& planning, const Placement& placement) {
  if (planning.map().shards().size() == 1) return true;
  return !planning.request->several && placement.may_be_single && !planning.traits.virtual_columns;
}

std::optional<Outcome> plan_on_one_shard(Planning& planning, const Placement& placement) {
  if (!placement.condition || !may_be_on_one_shard(planning, placement)) return std::nullopt;
  const bool one = planning.map().shards().size() == 1;
  const auto plan = planning.plan;
  if (!plan->described) return ask_original(planning);
  if (!plan->result) refuse_statement("a SELECT without columns", "Select a column.");
  plan->kind = PlanKind::scatter;
  plan->on_one_shard = true;
  plan->subquery = planning.print(*planning.statement);
  plan->recipe = rows_as_they_come(planning, *plan->result);
  plan->routing.mode = Routing::Mode::by_key;
  plan->routing.condition = *placement.condition;
  const std::string& key = placement.condition->text;
  plan->routing.reason = one ? "there is one shard only" : key.empty() ? "all its rows are on one shard" : "the key " + key + " is given";
  return std::shared_ptr<const Plan>(plan);
}

}  // namespace anabranch::rewriter
