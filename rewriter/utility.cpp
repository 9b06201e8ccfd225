#include "rewriter/utility.h"

#include <algorithm>
#include <array>

#include "rewriter/planning.h"

/// Statements that are no queries: which shards they are for.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

constexpr std::string_view kHintShard =
    "Name the shard in a comment before the statement: /* anabranch: shard=NAME */";

std::shared_ptr<Plan> to_default(Planning& planning, std::string reason, Effect effect) {
  auto plan =
      relay_to(planning, static_cast<int>(planning.map().default_shard()), std::move(reason));
  plan->effect = effect;
  return plan;
}

/// The statement's own text on every shard.
std::shared_ptr<Plan> everywhere(Planning& planning, const tree::Utility& utility, Effect effect,
                                 std::string reason) {
  if (planning.map().shards().size() == 1) return to_default(planning, std::move(reason), effect);
  check_definition(planning, utility);
  auto plan = planning.plan;
  plan->kind = PlanKind::broadcast;
  plan->effect = effect;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.reason = std::move(reason);
  plan->sum_counts = false;
  plan->subquery.pieces.emplace_back(utility.text);
  return plan;
}

/// Where the relations that a statement names live.
struct Homes {
  bool mapped = false;    ///< sharded or reference tables, or views over them
  bool unmapped = false;  ///< on the default shard
  int shard = -1;         ///< a whole table on a shard of its own
};

bool view_is_everywhere(const Planning& planning, const router::Relation& view, int depth = 0) {
  tree::Select select;
  select.targets.push_back(tree::make::target(tree::make::star()));
  select.from.push_back(tree::make::table(view.schema, view.name));
  const tree::Statement statement{std::move(select)};
  const Query query = resolve(statement, planning.catalog(), planning.map(), {"public"});
  return depth < 2 && std::ranges::any_of(
                          query.instances,
                          [&](const auto& instance) {
                            return query.sharded(*instance) || query.reference(*instance);
                          });
}

void add_home(const Planning& planning, std::string_view schema, std::string_view name,
              Homes& homes) {
  const auto& path = planning.request->context->search_path;
  const router::Relation* relation = find_table(planning.catalog(), path, schema, name);
  const int table = find_mapped(planning.map(), relation, path, schema, name);
  if (table < 0) {
    const bool view = relation != nullptr && relation->kind == router::RelationKind::view;
    (view && view_is_everywhere(planning, *relation) ? homes.mapped : homes.unmapped) = true;
    return;
  }
  const router::MappedTable& mapped = planning.map().tables()[static_cast<std::size_t>(table)];
  if (mapped.kind != conf::TableKind::whole) {
    homes.mapped = true;
  } else if (mapped.shard == planning.map().default_shard()) {
    homes.unmapped = true;
  } else {
    homes.shard = static_cast<int>(mapped.shard);
  }
}

Homes homes_of(const Planning& planning, const tree::Utility& utility) {
  Homes homes;
  for (const tree::RelationName& relation : utility.relations) {
    if (relation.kind == tree::RelationName::Kind::sequence) continue;
    add_home(planning, relation.schema, relation.name, homes);
  }
  return homes;
}

/// One kind of home, or a refusal.
std::shared_ptr<Plan> at_home(Planning& planning, const tree::Utility& utility, const Homes& homes,
                              Effect effect) {
  if (planning.map().shards().size() == 1) {
    return to_default(planning, "there is one shard only", effect);
  }
  if (homes.mapped && !homes.unmapped && homes.shard < 0) {
    return everywhere(planning, utility, effect, "its tables are on every shard");
  }
  if (!homes.mapped && homes.shard < 0) {
    return to_default(planning, "its tables are on the default shard", effect);
  }
  if (!homes.mapped && !homes.unmapped) {
    auto plan = relay_to(planning, homes.shard, "its table is on one shard");
    plan->effect = effect;
    return plan;
  }
  refuse_statement(utility.tag + " of tables that live in different places",
                   "Write one statement for each table.");
}

// ------------------------------------------------------------------------------------ what drops

std::shared_ptr<Plan> drop(Planning& planning, const tree::Utility& utility,
                           const tree::Drop& statement) {
  static constexpr std::array<std::string_view, 4> of_tables = {"TABLE", "VIEW", "INDEX",
                                                                "FOREIGN TABLE"};
  static constexpr std::array<std::string_view, 3> on_tables = {"TRIGGER", "POLICY", "RULE"};
  const std::string& object = statement.object;
  if (object == "SEQUENCE" || object == "MATERIALIZED VIEW") {
    return to_default(planning, "it is on the default shard", Effect::ddl);
  }
  Homes homes;
  if (std::ranges::find(of_tables, object) != of_tables.end()) {
    if (object == "INDEX") {
      auto plan = everywhere(planning, utility, Effect::ddl, "indexes of tables on every shard");
      plan->outside_transaction = statement.concurrently;
      return plan;
    }
    for (const tree::Name& name : statement.names) {
      add_home(planning, name.size() > 1 ? name[name.size() - 2] : "", name.back(), homes);
    }
    return at_home(planning, utility, homes, Effect::ddl);
  }
  if (std::ranges::find(on_tables, object) != on_tables.end()) {
    for (const tree::Name& name : statement.names) {
      if (name.size() < 2) continue;
      add_home(planning, name.size() > 2 ? name[name.size() - 3] : "", name[name.size() - 2],
               homes);
    }
    return at_home(planning, utility, homes, Effect::ddl);
  }
  return everywhere(planning, utility, Effect::ddl, "what tables depend on is on every shard");
}

// -------------------------------------------------------------------------------- by kind of node

bool is_one_of(std::string_view kind, std::span<const std::string_view> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

/// Objects that tables on every shard may use.
constexpr auto kEverywhere = std::to_array<std::string_view>({"CreateSchemaStmt",
                                                              "CreateEnumStmt",
                                                              "CompositeTypeStmt",
                                                              "CreateDomainStmt",
                                                              "CreateRangeStmt",
                                                              "AlterEnumStmt",
                                                              "AlterDomainStmt",
                                                              "AlterTypeStmt",
                                                              "CreateFunctionStmt",
                                                              "AlterFunctionStmt",
                                                              "CreateExtensionStmt",
                                                              "AlterExtensionStmt",
                                                              "DefineStmt",
                                                              "CreateCastStmt",
                                                              "CreateOpClassStmt",
                                                              "CreateOpFamilyStmt",
                                                              "CreateConversionStmt",
                                                              "CreateRoleStmt",
                                                              "AlterRoleStmt",
                                                              "AlterRoleSetStmt",
                                                              "DropRoleStmt",
                                                              "GrantRoleStmt",
                                                              "AlterDefaultPrivilegesStmt",
                                                              "AlterOwnerStmt",
                                                              "AlterObjectSchemaStmt",
                                                              "ReassignOwnedStmt",
                                                              "DropOwnedStmt",
                                                              "CreatePLangStmt"});

/// Statements about tables that are carried out wherever these live.
constexpr auto kOfTables = std::to_array<std::string_view>(
    {"GrantStmt", "CommentStmt", "CreateTrigStmt", "CreatePolicyStmt", "AlterPolicyStmt",
     "RuleStmt", "CreateStatsStmt", "AlterStatsStmt", "ClusterStmt", "ReindexStmt",
     "SecLabelStmt"});

/// Sequences, large administration and the like: the default shard's.
constexpr auto kOfDefault = std::to_array<std::string_view>(
    {"CreateSeqStmt", "AlterSeqStmt", "CheckPointStmt", "RefreshMatViewStmt", "AlterSystemStmt",
     "CreatedbStmt", "DropdbStmt", "AlterDatabaseStmt", "AlterDatabaseSetStmt",
     "CreateTableSpaceStmt", "DropTableSpaceStmt", "AlterTableSpaceOptionsStmt", "LoadStmt"});

std::shared_ptr<Plan> by_kind(Planning& planning, const tree::Utility& utility) {
  const Homes homes = homes_of(planning, utility);
  if (is_one_of(utility.kind, kEverywhere)) {
    return everywhere(planning, utility, Effect::ddl, "what tables depend on is on every shard");
  }
  if (utility.kind == "GrantStmt" && utility.relations.empty()) {
    return everywhere(planning, utility, Effect::ddl, "what tables depend on is on every shard");
  }
  if (is_one_of(utility.kind, kOfTables)) {
    auto plan = at_home(planning, utility, homes, Effect::ddl);
    plan->outside_transaction = utility.kind == "ReindexStmt" || utility.kind == "ClusterStmt";
    return plan;
  }
  if (is_one_of(utility.kind, kOfDefault)) {
    if (homes.mapped || homes.shard >= 0) refuse_statement(utility.tag, kHintShard);
    return to_default(planning, "it is the default shard's", Effect::ddl);
  }
  if (homes.mapped || homes.shard >= 0) refuse_statement(utility.tag, kHintShard);
  return to_default(planning, "it names no table of the map", Effect::writes);
}

std::shared_ptr<Plan> analyze(Planning& planning, const tree::Utility& utility,
                              const tree::Vacuum& statement) {
  Homes homes = homes_of(planning, utility);
  auto plan = utility.relations.empty()
                  ? everywhere(planning, utility, Effect::writes, "all tables of all shards")
                  : at_home(planning, utility, homes, Effect::writes);
  plan->outside_transaction = !statement.analyze_only;
  return plan;
}

std::shared_ptr<Plan> notify_and_locks(Planning& planning, const tree::Utility& utility) {
  if (utility.as<tree::Notify>() != nullptr) {
    return to_default(planning, "notifications are the default shard's", Effect::writes);
  }
  if (utility.as<tree::Listen>() != nullptr) {
    refuse_statement("LISTEN", "Connect to the default shard's server for notifications.");
  }
  if (const auto* unlisten = utility.as<tree::Unlisten>()) {
    if (!unlisten->channel.empty()) refuse_statement("UNLISTEN", "");
    return to_default(planning, "nothing is listened to", Effect::none);
  }
  const Homes homes = homes_of(planning, utility);
  if (homes.mapped && planning.map().shards().size() > 1) {
    refuse_statement("LOCK TABLE of a table on every shard", kHintShard);
  }
  return at_home(planning, utility, homes, Effect::writes);
}

/// A cursor lives in one server's transaction, and FETCH does not say which.
PlanResult declare(Planning& planning, const tree::DeclareCursor& cursor) {
  if (cursor.hold) refuse_statement("DECLARE … WITH HOLD", "Read the rows without a cursor.");
  const auto inner = plan_inner(planning, *cursor.query, to_text(*cursor.query, planning.shape()));
  const auto* made = std::get_if<std::shared_ptr<const Plan>>(&inner);
  const auto preferred = static_cast<int>(planning.map().default_shard());
  const bool on_default =
      made != nullptr && (*made)->kind == PlanKind::relay &&
      ((*made)->routing.mode == Routing::Mode::any_shard ||
       ((*made)->routing.mode == Routing::Mode::one_shard && (*made)->routing.shard == preferred));
  if (!on_default) {
    refuse_statement("DECLARE of a query over sharded tables",
                     "Use a portal of the extended protocol with a row limit.");
  }
  return std::shared_ptr<const Plan>(
      to_default(planning, "its tables are on the default shard", Effect::writes));
}

}  // namespace

Home home_of(const Planning& planning, std::string_view schema, std::string_view name) {
  Homes homes;
  add_home(planning, schema, name, homes);
  return {homes.mapped, homes.shard};
}

std::shared_ptr<Plan> broadcast_text(Planning& planning, const tree::Utility& utility,
                                     std::string reason) {
  return everywhere(planning, utility, Effect::ddl, std::move(reason));
}

std::shared_ptr<Plan> text_to_default(Planning& planning, std::string reason) {
  return to_default(planning, std::move(reason), Effect::ddl);
}

PlanResult plan_utility(Planning& planning, const tree::Utility& utility) {
  const auto answer = [](std::shared_ptr<Plan> plan) -> PlanResult {
    return std::shared_ptr<const Plan>(std::move(plan));
  };
  if (const auto* at = utility.as<tree::Explain>()) return plan_explain(planning, utility, *at);
  if (const auto* at = utility.as<tree::Copy>()) return plan_copy(planning, utility, *at);
  if (const auto* at = utility.as<tree::DeclareCursor>()) return declare(planning, *at);
  if (utility.as<tree::Fetch>() != nullptr || utility.as<tree::CloseCursor>() != nullptr) {
    return answer(to_default(planning, "cursors are on the default shard", Effect::reads));
  }
  if (const auto* at = utility.as<tree::CreateTable>()) {
    return answer(plan_create_table(planning, utility, *at));
  }
  if (const auto* at = utility.as<tree::CreateTableAs>()) {
    return plan_create_table_as(planning, utility, *at);
  }
  if (const auto* at = utility.as<tree::CreateView>()) {
    return answer(plan_create_view(planning, utility, *at));
  }
  if (const auto* at = utility.as<tree::CreateIndex>()) {
    return answer(plan_create_index(planning, utility, *at));
  }
  if (const auto* at = utility.as<tree::AlterTable>()) {
    return answer(plan_alter_table(planning, utility, *at));
  }
  if (const auto* at = utility.as<tree::Drop>()) return answer(drop(planning, utility, *at));
  if (const auto* at = utility.as<tree::Vacuum>()) return answer(analyze(planning, utility, *at));
  if (utility.as<tree::Truncate>() != nullptr || utility.as<tree::Rename>() != nullptr) {
    const Effect effect = utility.as<tree::Rename>() != nullptr ? Effect::ddl : Effect::writes;
    return answer(at_home(planning, utility, homes_of(planning, utility), effect));
  }
  if (utility.as<tree::Notify>() != nullptr || utility.as<tree::Listen>() != nullptr ||
      utility.as<tree::Unlisten>() != nullptr || utility.as<tree::LockTable>() != nullptr) {
    return answer(notify_and_locks(planning, utility));
  }
  if (utility.as<tree::Discard>() != nullptr) {
    return answer(to_default(planning, "nothing of the session's is kept there", Effect::none));
  }
  if (utility.as<tree::Call>() != nullptr || utility.as<tree::Do>() != nullptr) {
    if (planning.map().shards().size() > 1) refuse_statement(utility.tag, kHintShard);
    auto plan = to_default(planning, "there is one shard only", Effect::writes);
    plan->opaque_settings = true;
    return answer(std::move(plan));
  }
  return answer(by_kind(planning, utility));
}

}  // namespace anabranch::rewriter
