#include "rewriter/language.h"
#include "rewriter/merging.h"

#include "rewriter/mysql/functions.h"
#include "rewriter/mysql/parse.h"
#include "rewriter/mysql/plan.h"
#include "rewriter/planning.h"
#include "rewriter/workspace.h"
#include "values/ascii.h"

namespace anabranch::rewriter::mysql {
namespace {

void shape_text(std::string_view text, const PlanningContext& context, Shape& out) {
  shape(text, context.mysql, LexLimits{}, out);
}

ParseResult parse_text(std::string_view text, const Shape& shape, const PlanningContext& context) {
  return parse(text, shape, context.mysql);
}

/// Columns have one name in any case (beyond ASCII only as written: another spelling is not found).
std::string column_name(std::string_view name) {
  return values::lower_case(name);
}

void note(const tree::Expr& at, const FunctionContext&, Traits& traits) {
  if (const auto* variable = at.as<tree::Variable>()) {
    if (!variable->system) return;
    const std::string name = values::lower_case(variable->name.back());
    traits.shared = "@@" + variable->name.back();
    if (name == "warning_count" || name == "error_count") traits.previous = traits.shared;
    traits.last_insert |= name == "last_insert_id" || name == "identity";
  } else if (const auto* operation = at.as<tree::OperatorCall>()) {
    // A variable that is set row by row stays in the server's session, where nobody looks for it.
    if (operation->name != ":=") return;
    traits.assigns = true;
    traits.shared = ":=";
  } else if (const auto* verbatim = at.as<tree::Verbatim>()) {
    if (verbatim->node == "nextval") {
      traits.sequence = "nextval";
      traits.shared = "nextval()";
    }
  }
}

/// No table is read: the session that knows the answer gives it, on whatever shard that is.
std::optional<PlanResult> where_it_is_known(Planning& planning, const tree::Select& select) {
  const Traits& traits = planning.traits;
  const bool asks = traits.last_insert || traits.settings || !traits.previous.empty();
  if (!asks || !planning.query.instances.empty() || !traits.session_call.empty() || !select.into.empty()) {
    return std::nullopt;
  }
  auto plan = planning.plan;
  plan->kind = PlanKind::relay;
  plan->asks_sequences = traits.last_insert || traits.settings;
  plan->routing.mode = Routing::Mode::any_shard;
  plan->routing.reason = "the session knows it";
  const bool asks_counts = plan->previous == Plan::Previous::counts && !traits.assigns && !traits.settings;
  if (asks_counts) plan->asks_counts = Plan::AsksCounts::as_rows;
  return std::shared_ptr<const Plan>(std::move(plan));
}

std::optional<PlanResult> check_calls(Planning& planning) {
  const Traits& traits = planning.traits;
  if (planning.map().shards().size() == 1) return std::nullopt;
  Plan& plan = *planning.plan;
  if (!traits.previous.empty()) {
    plan.previous = traits.previous.starts_with("@@") ? Plan::Previous::diagnostics : Plan::Previous::counts;
  }
  plan.sets_last_insert = traits.settings;
  const auto* select = planning.statement->as<tree::Select>();
  // Variables, and what else stays in the server's session.
  if (traits.assigns || traits.settings || (select != nullptr && !select->into.empty())) plan.residue = Residue::may_begin;
  return select == nullptr ? std::nullopt : where_it_is_known(planning, *select);
}

/// A server's connection is the client's own there: what it holds is where it belongs.
void note_whole(const PlanRequest&, std::shared_ptr<Plan>&) {}

}  // namespace

const Language language{
    .dialect = Dialect::mysql,
    .shape = shape_text,
    .parse = parse_text,
    .asks_shards = false,
    .hidden_columns = false,
    .outputs_in_expressions = true,
    .into_makes_table = false,
    .having_groups = false,
    .column_name = column_name,
    .is_moment = is_moment,
    .classify = classify,
    .note = note,
    .check_calls = check_calls,
    .note_residue = note_residue,
    .merging = &merging,
    .gather = gather_tables,
    .plan_utility = plan_utility,
    .note_whole = note_whole,
};

}  // namespace anabranch::rewriter::mysql
