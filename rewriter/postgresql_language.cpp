#include "rewriter/language.h"
#include "rewriter/merging.h"
#include "rewriter/planning.h"
#include "rewriter/workspace.h"
#include "rewriter/utility.h"

namespace anabranch::rewriter {
namespace {

void shape_text(std::string_view text, const PlanningContext& context, Shape& out) {
  shape(text, context.standard_conforming_strings, LexLimits{}, out);
}

ParseResult parse_text(std::string_view text, const Shape& shape, const PlanningContext& context) {
  return parse(text, shape, context.standard_conforming_strings);
}

void note(const tree::Expr& at, const FunctionContext& functions, Traits& traits) {
  if (const auto* cast = at.as<tree::TypeCast>()) {
    if (is_oid_alias(cast->type)) traits.shared = "a value of type " + cast->type.text;
    const bool named = !cast->type.names.empty();
    if (named && functions.catalog->is_opaque_cast(cast->type.names.back())) {
      traits.impure = "a cast to " + cast->type.text;
    }
  } else if (const auto* operation = at.as<tree::OperatorCall>()) {
    if (operation->schema != "pg_catalog" &&
        functions.catalog->is_opaque_operator(operation->name)) {
      traits.impure = "operator " + operation->name;
    }
  }
}

std::optional<PlanResult> check_calls(Planning& planning) {
  check_backend_calls(planning);
  if (planning.map().shards().size() == 1) return std::nullopt;
  check_sizes(planning);
  return to_sequences(planning);
}

PlanResult utility_plan(Planning& planning, const tree::Utility& utility) {
  if (auto session = plan_session(utility)) return std::shared_ptr<const Plan>(session);
  if (auto named = plan_named(planning, utility)) return std::shared_ptr<const Plan>(named);
  if (auto by_hint = hinted(*planning.request, nullptr)) return std::move(*by_hint);
  return plan_utility(planning, utility);
}

void note_whole(const PlanRequest& request, std::shared_ptr<Plan>& plan) {
  ParseResult parsed = parse_text(request.text, *request.shape, *request.context);
  auto* statements = std::get_if<std::vector<tree::StatementPtr>>(&parsed);
  if (statements == nullptr || statements->size() != 1) return;
  const tree::Statement& statement = *statements->front();
  if (const auto* utility = statement.as<tree::Utility>()) {
    if (auto made = plan_session(*utility)) {
      plan = made;
    } else if (const auto* dropped = utility->as<tree::Deallocate>()) {
      // Of the protocol's statements, which the session keeps, or of PREPARE's, which the server has.
      plan->kind = PlanKind::session;
      SessionPlan& session = plan->session.emplace();
      session.action = SessionAction::deallocate;
      session.name = dropped->name;
      plan->residue = Residue::may_end;
    }
  }
  if (plan->session == std::nullopt) note_residue(request, statement, *plan);
  plan->command = command_of(statement);
  plan->pinned = statement.baked;
}

std::string own_name(std::string_view name) {
  return std::string(name);
}

}  // namespace

const Language postgresql_language{
    .dialect = Dialect::postgresql,
    .shape = shape_text,
    .parse = parse_text,
    .asks_shards = true,
    .hidden_columns = true,
    .outputs_in_expressions = false,
    .into_makes_table = true,
    .having_groups = true,
    .column_name = own_name,
    .is_moment = [](std::string_view) { return false; },
    .classify = classify_postgresql,
    .note = note,
    .check_calls = check_calls,
    .note_residue = nullptr,
    .merging = &postgresql_merging,
    .gather = gather_tables,
    .plan_utility = utility_plan,
    .note_whole = note_whole,
};

}  // namespace anabranch::rewriter
