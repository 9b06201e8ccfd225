#include <algorithm>
#include <array>

#include "rewriter/mysql/counts.h"
#include "rewriter/mysql/plan.h"
#include "values/ascii.h"

/// What a statement leaves in its server's session that outlasts it. Whatever is not known to leave nothing keeps its
/// connection with the client's session.
namespace anabranch::rewriter::mysql {
namespace {

/// Statements that only show, or change what all sessions see.
constexpr auto plain_kinds = std::to_array<std::string_view>(
    {"CreateEventStmt", "CreateFunctionStmt", "CreateRoleStmt", "CreateSeqStmt", "CreateTrigStmt", "CreatedbStmt",
     "DescribeStmt", "DropStmt", "DropdbStmt", "ExplainStmt", "GrantStmt", "HelpStmt", "IndexStmt", "RenameStmt",
     "ShowStmt", "TableMaintenanceStmt", "TruncateStmt", "ViewStmt"});

bool is_plain(const tree::Utility& utility) {
  if (const auto* explain = utility.as<tree::Explain>()) return !explain->analyze;
  if (const auto* create = utility.as<tree::CreateTable>()) {
    return create->persistence != tree::CreateTable::Persistence::temporary;
  }
  if (utility.as<tree::AlterTable>() != nullptr) return true;
  if (const auto* load = utility.as<tree::Load>()) {
    return load->set.empty() &&
           std::ranges::none_of(load->fields, [](const std::string& field) { return field.starts_with('@'); });
  }
  return std::ranges::find(plain_kinds, utility.kind) != plain_kinds.end();
}

/// Of what a query or a write reads, calls and fires.
bool is_plain(const Planning& planning) {
  const Traits& traits = planning.traits;
  const auto* select = planning.statement->as<tree::Select>();
  if (select != nullptr && !select->into.empty()) return false;
  // Its number is the session's for as long as it keeps the connection.
  if (values::contains_in_any_case(planning.original, "connection_id")) return false;
  if (traits.assigns || !traits.opaque.empty() || !traits.unknown.empty() || !traits.impure.empty() ||
      !traits.sequence.empty() || !traits.session_call.empty()) {
    return false;
  }
  return std::ranges::none_of(planning.query.instances, [](const auto& instance) {
    const router::Relation* relation = instance->relation;
    if (relation == nullptr || instance->block != nullptr) return false;
    return relation->triggers || relation->kind == router::RelationKind::view;
  });
}

/// Rows that the statement names or finds in its own tables: the server counts nothing else on the way.
bool is_simple_write(const Planning& planning) {
  if (planning.query.blocks.size() > 1) return false;
  if (const auto* insert = planning.statement->as<tree::Insert>()) {
    return insert->source && !insert->source->values.empty() && insert->returning.empty();
  }
  if (const auto* update = planning.statement->as<tree::Update>()) return update->returning.empty();
  const auto* removal = planning.statement->as<tree::Delete>();
  return removal != nullptr && removal->returning.empty();
}

bool tells_counts(const Planning& planning) {
  const auto* select = planning.statement->as<tree::Select>();
  if (select == nullptr) return is_simple_write(planning);
  return !select->offset && select->into.empty() && select->values.empty() &&
         !values::contains_in_any_case(planning.original, "sql_calc_found_rows");
}

/// A row of VALUES that has no value for the table's counted column.
bool surely_counts(const Planning& planning) {
  const auto* insert = planning.statement->as<tree::Insert>();
  if (insert == nullptr || insert->replace || insert->ignore || insert->on_conflict || insert->columns.empty() ||
      planning.query.target < 0 || !is_simple_write(planning)) {
    return false;
  }
  const router::Relation* relation = planning.query.at(planning.query.target).relation;
  if (relation == nullptr) return false;
  const auto counted = std::ranges::find_if(relation->columns, &router::Column::identity);
  return counted != relation->columns.end() &&
         std::ranges::none_of(insert->columns, [&](const tree::Insert::Column& column) {
           return values::lower_case(column.name) == values::lower_case(counted->name);
         });
}

/// SHOW of what is no table to the server.
constexpr auto shown_without_tables = std::to_array<std::string_view>(
    {"binary", "contributors", "engine", "engines", "explain", "full processlist", "grants", "master", "privileges",
     "processlist", "profile", "profiles", "relaylog", "replica", "slave", "storage"});
constexpr auto kinds_without_tables =
    std::to_array<std::string_view>({"DiagnosticsStmt", "DoExprStmt", "PrepareStmt", "SignalStmt"});

/// MariaDB; MySQL's servers forget warnings at every statement that is not about them.
bool uses_tables(const Planning& planning, const tree::Utility* utility) {
  if (!planning.request->context->mysql.mariadb) return planning.plan->previous != Plan::Previous::diagnostics;
  if (utility == nullptr) return !planning.query.instances.empty();
  if (const auto* show = utility->as<tree::Show>()) {
    return std::ranges::none_of(shown_without_tables, [&](std::string_view name) { return show->name.starts_with(name); });
  }
  return std::ranges::find(kinds_without_tables, utility->kind) == kinds_without_tables.end();
}

/// What answers with rows names their columns by its text, and a definition is kept as it is written.
bool has_no_rows(const tree::Statement& statement) {
  if (const auto* select = statement.as<tree::Select>()) return !select->into.empty();
  if (const auto* insert = statement.as<tree::Insert>()) return insert->returning.empty();
  if (const auto* update = statement.as<tree::Update>()) return update->returning.empty();
  if (const auto* removal = statement.as<tree::Delete>()) return removal->returning.empty();
  const auto* utility = statement.as<tree::Utility>();
  return utility->as<tree::SetVariables>() != nullptr || utility->kind == "DoExprStmt";
}

bool takes_counts(const Planning& planning) {
  const bool may = values::contains_in_any_case(planning.original, "found_rows") ||
                   values::contains_in_any_case(planning.original, "row_count");
  return may && has_no_rows(*planning.statement) && planning.map().shards().size() > 1 &&
         !count_calls(planning.original, planning.request->context->mysql).empty();
}

}  // namespace

void note_residue(const Planning& planning, Plan& plan) {
  if (takes_counts(planning)) plan.asks_counts = Plan::AsksCounts::in_place;
  // The session's own business is done by the proxy.
  if (plan.session || plan.kind == PlanKind::local || plan.kind == PlanKind::refuse) return;
  const auto* utility = planning.statement->as<tree::Utility>();
  const bool plain = utility != nullptr ? is_plain(*utility) : is_plain(planning);
  if (!plain) plan.residue = std::max(plan.residue, Residue::may_begin);
  plan.uses_tables = uses_tables(planning, utility);
  if (utility != nullptr) return;
  plan.counts_found = planning.statement->as<tree::Select>() != nullptr;
  plan.tells_counts = tells_counts(planning);
  plan.counts_row = surely_counts(planning);
}

}  // namespace anabranch::rewriter::mysql
