#include "rewriter/language.h"
#include "rewriter/merging.h"

#include "rewriter/mysql/functions.h"
#include "rewriter/mysql/parse.h"
#include "rewriter/mysql/plan.h"
#include "rewriter/planning.h"
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
    if (variable->system) traits.shared = "@@" + variable->name.back();
  } else if (const auto* operation = at.as<tree::OperatorCall>()) {
    // A variable that is set row by row stays in the server's session, where nobody looks for it.
    traits.assigns |= operation->name == ":=";
  } else if (const auto* verbatim = at.as<tree::Verbatim>()) {
    if (verbatim->node == "nextval") {
      traits.sequence = "nextval";
      traits.shared = "nextval()";
    }
  }
}

std::optional<PlanResult> check_calls(Planning& planning) {
  const Traits& traits = planning.traits;
  if (planning.map().shards().size() == 1) return std::nullopt;
  if (!traits.previous.empty()) {
    refuse_statement(traits.previous, "Count the rows in a statement of its own.");
  }
  // What a write sets, its reply says.
  const bool returns_it = planning.statement->as<tree::Update>() != nullptr ||
                          planning.statement->as<tree::Insert>() != nullptr;
  if (traits.assigns || (traits.settings && !returns_it)) {
    refuse_statement("a variable or LAST_INSERT_ID() that is set within an expression", "Set it by SET.");
  }
  const auto* select = planning.statement->as<tree::Select>();
  if (select != nullptr && !select->into.empty()) {
    refuse_statement("SELECT … INTO", "Read the rows, then set the variables or write the file.");
  }
  return std::nullopt;
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
    .having_groups = false,
    .column_name = column_name,
    .classify = classify,
    .note = note,
    .check_calls = check_calls,
    .merging = &merging,
    .plan_utility = plan_utility,
    .note_whole = note_whole,
};

}  // namespace anabranch::rewriter::mysql
