#pragma once

#include <optional>

#include "rewriter/planning.h"

/// Planners of what is no query. Internal to rewriter/mysql.
namespace anabranch::rewriter::mysql {

PlanResult plan_utility(Planning& planning, const tree::Utility& utility);
/// Transaction control, SET, USE, prepared statements: the session's own business; null for all else. Refuses
/// what would change a server for everybody.
std::shared_ptr<Plan> plan_session(const Planning& planning, const tree::Utility& utility);

/// A value that one server computes for the session must be of nothing that only all shards know. True: it asks for
/// LAST_INSERT_ID().
bool check_argument(const Planning& planning, const tree::Utility& utility, const tree::Expr& value);
/// Statements that name tables of several places at once.
std::shared_ptr<Plan> plan_lock(Planning& planning, const tree::Utility& utility, const tree::LockTable& lock);
std::shared_ptr<Plan> plan_unlock(Planning& planning, const tree::Utility& utility);
std::shared_ptr<Plan> plan_flush(Planning& planning, const tree::Utility& utility);
PlanResult plan_set_statement(Planning& planning, const tree::SetStatement& statement);
/// CHECK TABLE, ANALYZE TABLE, CHECKSUM TABLE…
std::shared_ptr<Plan> plan_maintenance(Planning& planning, const tree::Utility& utility);
PlanResult plan_load(Planning& planning, const tree::Utility& utility, const tree::Load& load);
/// Sets what the plan says of the server's session afterwards: Plan::residue, uses_tables,
/// tells_counts, counts_found, counts_row; and asks_counts.
void note_residue(const Planning& planning, Plan& plan);

inline constexpr std::string_view kNameShard =
    "Name the shard in a comment before the statement: /* anabranch: shard=NAME */";

/// Where what a statement names lives. Names that are no relation's count as the default shard's.
struct Homes {
  bool any_mapped = false;         ///< something on every shard
  bool all_mapped = true;          ///< of the relations that the catalog has, or the map
  std::optional<int> shard;        ///< something whole on a shard other than the default one
  bool spread = false;             ///< on several such shards
  bool touches() const { return any_mapped || shard; }
};
Homes homes_of(const Planning& planning, const std::vector<tree::RelationName>& relations);

}  // namespace anabranch::rewriter::mysql
