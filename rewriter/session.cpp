#include "rewriter/planning.h"
#include "values/ascii.h"

/// Transaction control and settings: carried out by the session, on the leases that it has.
namespace anabranch::rewriter {
namespace {

std::optional<SessionPlan> setting(const tree::SetVariable& statement) {
  using Kind = tree::SetVariable::Kind;
  SessionPlan plan{};
  plan.name = values::lower_case(statement.name);  // settings have one name in any case
  plan.value = statement.value;
  plan.local = statement.local;
  switch (statement.kind) {
    case Kind::value:
    case Kind::from_current:
      plan.action = SessionAction::set;
      return plan;
    case Kind::to_default:
    case Kind::reset:
      plan.action = SessionAction::reset;
      return plan;
    case Kind::reset_all:
      plan.action = SessionAction::reset_all;
      return plan;
    case Kind::transaction:
      plan.action = SessionAction::set_transaction;
      plan.options = statement.value;
      return plan;
    case Kind::session_characteristics:
      plan.action = SessionAction::set_characteristics;
      plan.options = statement.value;
      return plan;
    case Kind::transaction_snapshot:
      plan.action = SessionAction::import_snapshot;
      return plan;
  }
  return std::nullopt;
}

std::optional<SessionPlan> session_plan(const tree::Utility& utility) {
  if (const auto* at = utility.as<tree::Transaction>()) return transaction_plan(*at);
  if (const auto* at = utility.as<tree::SetVariable>()) return setting(*at);
  SessionPlan plan{};
  if (const auto* at = utility.as<tree::Show>()) {
    plan.action = SessionAction::show;
    plan.name = at->name;
    return plan;
  }
  if (const auto* at = utility.as<tree::Discard>(); at != nullptr && at->what == "ALL") {
    plan.action = SessionAction::discard_all;
    return plan;
  }
  if (utility.as<tree::SetConstraints>() != nullptr) {
    plan.action = SessionAction::set_constraints;
    plan.options = utility.text;
    return plan;
  }
  return std::nullopt;
}

/// SELECT pg_export_snapshot(), and nothing else.
bool exports_snapshot(const tree::Select& select) {
  const bool bare = select.from.empty() && select.where == nullptr && select.with.ctes.empty() &&
                    select.set_op == tree::SetOperation::none && select.into.empty();
  if (!bare || select.targets.size() != 1) return false;
  const auto* call = select.targets.front().expr->as<tree::FunctionCall>();
  return call != nullptr && call->args.empty() && call->name.back() == "pg_export_snapshot" &&
         (call->name.size() == 1 || call->name.front() == "pg_catalog");
}

}  // namespace

std::optional<SessionPlan> transaction_plan(const tree::Transaction& statement) {
  using Kind = tree::Transaction::Kind;
  SessionPlan plan{};
  plan.name = statement.name;
  plan.chain = statement.chain;
  plan.options = statement.options;
  switch (statement.kind) {
    case Kind::begin:
    case Kind::start:
      plan.action = SessionAction::begin;
      return plan;
    case Kind::commit:
      plan.action = SessionAction::commit;
      return plan;
    case Kind::rollback:
      plan.action = SessionAction::rollback;
      return plan;
    case Kind::savepoint:
      plan.action = SessionAction::savepoint;
      return plan;
    case Kind::release:
      plan.action = SessionAction::release;
      return plan;
    case Kind::rollback_to:
      plan.action = SessionAction::rollback_to;
      return plan;
    case Kind::prepare:
      plan.action = SessionAction::prepare_transaction;
      return plan;
    case Kind::commit_prepared:
    case Kind::rollback_prepared:
      return std::nullopt;
  }
  return std::nullopt;
}

std::shared_ptr<Plan> plan_snapshot_export(const tree::Select& select) {
  if (!exports_snapshot(select)) return nullptr;
  auto plan = std::make_shared<Plan>();
  plan->kind = PlanKind::session;
  plan->session = SessionPlan{};
  plan->session->action = SessionAction::export_snapshot;
  const std::string& alias = select.targets.front().alias;
  plan->result = {{alias.empty() ? "pg_export_snapshot" : alias, 0, 0, 25, -1, -1}};
  plan->described = true;
  plan->reasons.push_back("the snapshots of all shards");
  return plan;
}

std::shared_ptr<Plan> plan_session(const tree::Utility& utility) {
  auto session = session_plan(utility);
  if (!session) return nullptr;
  auto plan = std::make_shared<Plan>();
  plan->kind = PlanKind::session;
  plan->command = utility.tag;
  plan->session = std::move(session);
  plan->reasons.push_back("the session's own business");
  return plan;
}

}  // namespace anabranch::rewriter
