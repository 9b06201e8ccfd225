#include <algorithm>
#include <array>

#include "rewriter/calls.h"
#include "rewriter/planning.h"

/// A database without schemes is one server: everything goes there, whatever it says. A statement is
/// looked into only for what it may leave in the server's session. Nothing is known of the database's
/// own functions, so these may leave anything; what operators, casts and triggers call is not looked
/// at.
namespace anabranch::rewriter {
namespace {

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// Of what these do, the server's catalogs do not tell, or not to the end.
constexpr auto kUntracked = std::to_array<std::string_view>(
    {"currval", "lastval", "setseed", "pg_backup_start", "pg_backup_stop", "pg_start_backup",
     "pg_create_physical_replication_slot", "pg_create_logical_replication_slot",
     "pg_copy_physical_replication_slot", "pg_copy_logical_replication_slot",
     "pg_replication_origin_session_setup", "pg_replication_origin_session_reset"});
constexpr auto kUnlocking = std::to_array<std::string_view>(
    {"pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all"});
constexpr auto kOfTransaction = std::to_array<std::string_view>(
    {"pg_advisory_xact_lock", "pg_advisory_xact_lock_shared", "pg_try_advisory_xact_lock",
     "pg_try_advisory_xact_lock_shared"});
constexpr auto kSequences = std::to_array<std::string_view>({"nextval", "setval"});

Residue residue_of(const Called& called) {
  if (!called.schema.empty() && called.schema != "pg_catalog") return Residue::may_begin;
  if (is_one_of(called.name, kUntracked)) return Residue::untracked;
  if (is_one_of(called.name, kUnlocking)) return Residue::may_end;
  const bool plain = is_plain_builtin(called.name) || is_one_of(called.name, kOfTransaction) ||
                     is_one_of(called.name, kSequences);
  return plain ? Residue::none : Residue::may_begin;
}

/// Statements that change what all sessions see, and nothing else.
constexpr auto kPlain = std::to_array<std::string_view>(
    {"AlterDatabaseSetStmt", "AlterDatabaseStmt", "AlterDefaultPrivilegesStmt", "AlterDomainStmt",
     "AlterEnumStmt", "AlterFunctionStmt", "AlterObjectSchemaStmt", "AlterOwnerStmt",
     "AlterPolicyStmt", "AlterRoleSetStmt", "AlterRoleStmt", "AlterSeqStmt", "AlterStatsStmt",
     "AlterSystemStmt", "AlterTableStmt", "AlterTypeStmt", "CheckPointStmt", "ClusterStmt",
     "CommentStmt", "CopyStmt", "CreateCastStmt", "CreatePolicyStmt", "CreateRoleStmt",
     "CreateSchemaStmt", "CreateStatsStmt", "CreateTableSpaceStmt", "CreateTrigStmt",
     "CreatedbStmt", "DropRoleStmt", "DropTableSpaceStmt", "DropdbStmt", "FetchStmt",
     "GrantRoleStmt", "GrantStmt", "IndexStmt", "LockStmt", "MergeStmt", "NotifyStmt",
     "ReassignOwnedStmt", "RefreshMatViewStmt", "ReindexStmt", "RenameStmt", "RuleStmt",
     "SecLabelStmt", "TruncateStmt", "VacuumStmt"});

bool in_temporary_schema(const PlanRequest& request, const tree::TableRef& table) {
  if (!table.schema.empty()) return table.schema.starts_with("pg_temp");
  const auto& path = request.context->search_path;
  return std::ranges::find(path, "pg_temp") != path.end();
}

/// May make a relation that is temporary: `Effect::temporary` where it surely is.
void note_made(const PlanRequest& request, const tree::TableRef& table, bool temporary, Plan& plan) {
  if (temporary || in_temporary_schema(request, table)) plan.residue = Residue::may_begin;
  if (temporary) plan.effect = Effect::temporary;
}

void note(const PlanRequest& request, const tree::Statement& statement, Plan& plan);

void note_utility(const PlanRequest& request, const tree::Utility& utility, Plan& plan) {
  using Persistence = tree::CreateTable::Persistence;
  const bool fetches = utility.as<tree::Fetch>() != nullptr;
  if (fetches || utility.as<tree::Execute>() != nullptr) plan.cacheable = false;
  if (const auto* at = utility.as<tree::CreateTable>()) {
    note_made(request, at->table, at->persistence == Persistence::temporary, plan);
  } else if (const auto* into = utility.as<tree::CreateTableAs>()) {
    note_made(request, into->table, into->persistence == Persistence::temporary, plan);
    plan.advances_sequences = true;
  } else if (const auto* view = utility.as<tree::CreateView>()) {
    note_made(request, view->view, view->temporary, plan);
  } else if (const auto* cursor = utility.as<tree::DeclareCursor>()) {
    if (cursor->hold) plan.residue = Residue::may_begin;
  } else if (const auto* explain = utility.as<tree::Explain>()) {
    if (explain->analyze) note(request, *explain->statement, plan);
  } else if (utility.as<tree::Drop>() != nullptr || utility.as<tree::CloseCursor>() != nullptr ||
             utility.as<tree::Unlisten>() != nullptr || utility.as<tree::Discard>() != nullptr) {
    plan.residue = Residue::may_end;
  } else if (utility.as<tree::Listen>() != nullptr || utility.as<tree::Prepare>() != nullptr) {
    plan.residue = Residue::may_begin;
  } else if (utility.kind == "LoadStmt") {
    plan.residue = Residue::untracked;
  } else if (!is_one_of(utility.kind, kPlain)) {
    plan.residue = Residue::may_begin;
    plan.advances_sequences = true;
  }
  plan.advances_sequences |= utility.kind == "MergeStmt" || utility.as<tree::Copy>() != nullptr;
}

void note(const PlanRequest& request, const tree::Statement& statement, Plan& plan) {
  if (const auto* utility = statement.as<tree::Utility>()) {
    note_utility(request, *utility, plan);
    return;
  }
  const auto* select = statement.as<tree::Select>();
  if (select == nullptr) {
    plan.effect = Effect::writes;
    plan.advances_sequences = true;
    return;
  }
  plan.effect = select->locking.empty() ? Effect::reads : Effect::writes;
  plan.advances_sequences = !select->with.ctes.empty();
  if (select->into.empty()) return;
  const bool temporary = select->into.starts_with("INTO TEMPORARY ");
  plan.effect = temporary ? Effect::temporary : Effect::writes;
  plan.residue = Residue::may_begin;
}

}  // namespace

void note_residue(const PlanRequest& request, const tree::Statement& statement, Plan& plan) {
  plan.residue = Residue::none;
  plan.advances_sequences = false;
  plan.asks_sequences = false;
  note(request, statement, plan);
  const bool strings = request.context->standard_conforming_strings;
  for (const Called& called : called_functions(request.text, strings)) {
    plan.residue = std::max(plan.residue, residue_of(called));
    plan.advances_sequences |=
        is_one_of(called.name, kSequences) || residue_of(called) == Residue::may_begin;
  }
}

}  // namespace anabranch::rewriter
