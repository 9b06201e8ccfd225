#include <algorithm>

#include "rewriter/mysql/plan.h"
#include "rewriter/utility.h"
#include "values/ascii.h"

/// LOCK TABLES, CHECK TABLE and its kin: statements that name tables of several places at once, each of which is
/// told of its own.
namespace anabranch::rewriter::mysql {
namespace {

/// -1: every shard.
int shard_of(const Planning& planning, std::string_view schema, std::string_view name) {
  const Home home = home_of(planning, schema, name);
  if (home.mapped) return -1;
  return home.shard >= 0 ? home.shard : static_cast<int>(planning.map().default_shard());
}

/// FLUSH TABLES … WITH READ LOCK, FOR EXPORT.
bool locks_tables(std::string_view text) {
  return values::contains_in_any_case(text, "read lock") || values::contains_in_any_case(text, "for export");
}

std::shared_ptr<Plan> session_plan(Planning& planning, const tree::Utility& utility, SessionAction action,
                                   std::string reason) {
  auto plan = planning.plan;
  plan->kind = PlanKind::session;
  plan->command = utility.tag;
  plan->reasons.push_back(std::move(reason));
  plan->session.emplace();
  plan->session->action = action;
  plan->session->name = utility.tag;
  return plan;
}

}  // namespace

std::shared_ptr<Plan> plan_lock(Planning& planning, const tree::Utility& utility, const tree::LockTable& lock) {
  auto plan = session_plan(planning, utility, SessionAction::lock, "each shard locks those that it has");
  for (const tree::LockTable::Part& part : lock.parts) {
    const int home = shard_of(planning, part.schema, part.name);
    for (int shard = 0; shard < static_cast<int>(planning.map().shards().size()); ++shard) {
      if (home >= 0 && home != shard) continue;
      std::string& text = plan->subquery_of[shard];
      text += (text.empty() ? "LOCK TABLES " : ", ") + part.text;
    }
  }
  if (lock.wait.empty()) return plan;
  for (auto& [shard, text] : plan->subquery_of) text += " " + lock.wait;
  return plan;
}

std::shared_ptr<Plan> plan_unlock(Planning& planning, const tree::Utility& utility) {
  return session_plan(planning, utility, SessionAction::unlock, "whatever is locked, on every shard");
}

std::shared_ptr<Plan> plan_flush(Planning& planning, const tree::Utility& utility) {
  const bool names = std::ranges::any_of(utility.relations, [&](const tree::RelationName& at) {
    return find_named(planning, at.schema, at.name).relation != nullptr;
  });
  const Homes homes = homes_of(planning, utility.relations);
  if (names && (homes.shard || (homes.any_mapped && !homes.all_mapped))) {
    refuse_statement("FLUSH of tables that live in different places", "Write one statement for each table.");
  }
  if (names && locks_tables(utility.text)) {
    auto plan = session_plan(planning, utility, SessionAction::lock, "each shard locks those that it has");
    const auto standard = static_cast<int>(planning.map().default_shard());
    for (int shard = 0; shard < static_cast<int>(planning.map().shards().size()); ++shard) {
      if (homes.any_mapped || shard == standard) plan->subquery_of[shard] = utility.text;
    }
    return plan;
  }
  if (names && !homes.any_mapped) {
    return relay_to(planning, static_cast<int>(planning.map().default_shard()), "its tables are on the default shard");
  }
  auto plan = planning.plan;
  plan->kind = PlanKind::broadcast;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.reason = "each server's own";
  plan->sum_counts = false;
  plan->in_order = true;
  plan->outside_transaction = true;
  plan->subquery.pieces.emplace_back(utility.text);
  return plan;
}

std::shared_ptr<Plan> plan_maintenance(Planning& planning, const tree::Utility& utility) {
  const auto standard = static_cast<int>(planning.map().default_shard());
  std::vector<SessionPlan::Table> tables;
  for (const tree::RelationName& named : utility.relations) {
    const int home = shard_of(planning, named.schema, named.name);
    if (home == standard) continue;
    const NamedTable found = find_named(planning, named.schema, named.name);
    const bool copies = found.table != nullptr && found.table->kind == conf::TableKind::reference;
    const std::string& schema = named.schema.empty() ? planning.request->context->search_path.front() : named.schema;
    tables.push_back({schema + "." + named.name, home, copies});
  }
  if (tables.empty()) return relay_to(planning, standard, "its tables are on the default shard");
  auto plan = session_plan(planning, utility, SessionAction::maintain, "each shard says something of its own rows");
  plan->session->tables = std::move(tables);
  return plan;
}

}  // namespace anabranch::rewriter::mysql
