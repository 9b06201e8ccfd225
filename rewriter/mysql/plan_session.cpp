#include <algorithm>

#include "rewriter/mysql/plan.h"

namespace anabranch::rewriter::mysql {
namespace {

using Setting = SessionPlan::Setting;

/// The same wherever and whenever it is set.
bool is_constant(const tree::Expr& value) {
  return value.as<tree::Literal>() != nullptr || value.as<tree::Keyword>() != nullptr ||
         tree::signed_literal(value).has_value();
}

void check_value(const Planning& planning, const tree::Utility& utility, const tree::Expr& value, Plan& plan) {
  plan.asks_sequences |= check_argument(planning, utility, value);
}

Setting::Target target_of(tree::SetVariables::Item::Kind kind) {
  using Kind = tree::SetVariables::Item::Kind;
  switch (kind) {
    case Kind::user_variable:
      return Setting::Target::user_variable;
    case Kind::session:
    case Kind::unscoped:
      return Setting::Target::session;
    case Kind::names:
      return Setting::Target::names;
    case Kind::character_set:
      return Setting::Target::character_set;
    case Kind::transaction:
      return Setting::Target::transaction;
    case Kind::session_transaction:
      return Setting::Target::session_transaction;
    case Kind::global:
    case Kind::global_transaction:
    case Kind::persist:
    case Kind::persist_only:
    case Kind::password:
      break;
  }
  refuse_statement("SET GLOBAL and SET PASSWORD", kNameShard);
}

SessionPlan settings(const Planning& planning, const tree::Utility& utility, const tree::SetVariables& statement,
                     Plan& plan) {
  SessionPlan made{};
  made.action = SessionAction::set;
  for (const tree::SetVariables::Item& item : statement.items) {
    Setting setting{.target = target_of(item.kind), .name = item.name, .value = {}, .collation = item.collation};
    const bool characteristics =
        setting.target == Setting::Target::transaction || setting.target == Setting::Target::session_transaction;
    if (characteristics) std::swap(setting.name, setting.value);
    if (item.value) {
      check_value(planning, utility, *item.value, plan);
      const auto* word = item.value->as<tree::Keyword>();
      setting.value = word != nullptr ? word->word : planning.text(*item.value);
    }
    setting.constant = !item.value || is_constant(*item.value);
    made.settings.push_back(std::move(setting));
  }
  return made;
}

SessionPlan transaction(const tree::Transaction& statement) {
  SessionPlan plan = *transaction_plan(statement);
  const bool ends = plan.action == SessionAction::commit || plan.action == SessionAction::rollback;
  if (!ends) return plan;
  plan.release = plan.options == "RELEASE";
  plan.options.clear();
  return plan;
}

SessionPlan::Argument argument_of(const Planning& planning, const tree::Expr& expr) {
  using Kind = SessionPlan::Argument::Kind;
  const auto* literal = expr.as<tree::Literal>();
  const bool string = literal != nullptr && literal->kind() == tree::Literal::Kind::string;
  if (string) return {Kind::string, literal->unpinned_value()};
  return {Kind::expression, planning.text(expr)};
}

SessionPlan named(SessionAction action, std::string name) {
  SessionPlan plan{};
  plan.action = action;
  plan.name = std::move(name);
  return plan;
}

SessionPlan execution(const Planning& planning, const tree::Utility& utility, const tree::Execute& statement,
                      Plan& plan) {
  SessionPlan made = named(statement.source ? SessionAction::execute_immediate : SessionAction::execute, statement.name);
  if (statement.source) {
    check_value(planning, utility, *statement.source, plan);
    made.source = argument_of(planning, *statement.source);
  }
  for (const tree::ExprPtr& argument : statement.args) {
    check_value(planning, utility, *argument, plan);
    made.arguments.push_back(argument_of(planning, *argument));
  }
  return made;
}

std::optional<SessionPlan> session_plan(const Planning& planning, const tree::Utility& utility, Plan& plan) {
  if (utility.kind == "XaStmt") refuse_statement(utility.tag, "Use BEGIN and COMMIT.");
  if (const auto* at = utility.as<tree::Transaction>()) return transaction(*at);
  if (const auto* at = utility.as<tree::SetVariables>()) return settings(planning, utility, *at, plan);
  if (const auto* at = utility.as<tree::Use>()) return named(SessionAction::use, at->database);
  if (const auto* at = utility.as<tree::Deallocate>()) return named(SessionAction::deallocate, at->name);
  if (const auto* at = utility.as<tree::Prepare>()) {
    SessionPlan made = named(SessionAction::prepare, at->name);
    check_value(planning, utility, *at->source, plan);
    made.source = argument_of(planning, *at->source);
    return made;
  }
  if (const auto* at = utility.as<tree::Execute>()) return execution(planning, utility, *at, plan);
  if (const auto* at = utility.as<tree::Show>()) {
    const bool last = at->name == "warnings" || at->name == "errors" || at->name.starts_with("count");
    if (last) return named(SessionAction::warnings, at->name);
  }
  return std::nullopt;
}

}  // namespace

bool check_argument(const Planning& planning, const tree::Utility& utility, const tree::Expr& value) {
  if (planning.map().shards().size() == 1) return false;
  bool reads = false;
  bool asks = false;
  tree::walk(value, [&](const tree::Expr& at) {
    tree::for_each_subquery(at, [&](const tree::Select&) { reads = true; });
    const auto* call = at.as<tree::FunctionCall>();
    if (call == nullptr) return true;
    const FunctionKind kind = classify(*call, planning.functions).kind;
    asks |= kind == FunctionKind::last_insert;
    if (kind == FunctionKind::unknown || kind == FunctionKind::previous || kind == FunctionKind::settings) {
      refuse_statement(utility.tag + " with a value of " + call->name.back() + "()", "Compute the value first.");
    }
    return true;
  });
  if (reads && homes_of(planning, utility.relations).touches()) {
    refuse_statement(utility.tag + " with what is read from tables on other shards", "Read the value first.");
  }
  return asks;
}

std::shared_ptr<Plan> plan_session(const Planning& planning, const tree::Utility& utility) {
  auto plan = std::make_shared<Plan>();
  auto session = session_plan(planning, utility, *plan);
  if (!session) return nullptr;
  plan->kind = PlanKind::session;
  plan->command = utility.tag;
  plan->session = std::move(session);
  plan->reasons.push_back("the session's own business");
  return plan;
}

}  // namespace anabranch::rewriter::mysql
