#include "rewriter/print.h"
#include "rewriter/text_cursor.h"
#include "rewriter/utility.h"

/// EXPLAIN: the plan of the statement inside it.
namespace anabranch::rewriter {
namespace {

/// The options for a shard's own EXPLAIN, without those that are the proxy's business.
std::string option_list(const tree::Explain& explain, Plan::Explain& into) {
  std::string options;
  const auto is_on = [](const tree::Option& option) {
    return !option.has_value ||
           (option.value != "off" && option.value != "false" && option.value != "0" &&
            option.value != "OFF" && option.value != "FALSE");
  };
  into.analyze = explain.analyze;
  into.verbose = explain.verbose;
  for (const tree::Option& option : explain.options) {
    if (option.name == "analyze") into.analyze = is_on(option);
    if (option.name == "verbose") into.verbose = is_on(option);
    if (option.name == "format") {
      into.format = option.value;
      continue;
    }
    if (option.name == "analyze") continue;
    if (!options.empty()) options += ", ";
    options += quote_identifier(option.name);
    if (option.has_value) options += " " + quote_literal(option.value);
  }
  if (explain.verbose && options.find("verbose") == std::string::npos) {
    options += options.empty() ? "VERBOSE" : ", VERBOSE";
  }
  return options.empty() ? std::string() : "(" + options + ")";
}

/// Where the explained statement begins: after EXPLAIN and its options.
std::size_t offset_of(std::string_view text, const tree::Explain& explain) {
  TextCursor cursor(text);
  cursor.skip_blanks();
  cursor.skip_word("explain");
  if (!explain.options.empty() && cursor.skip_parentheses()) return cursor.at();
  cursor.skip_word("analyze") || cursor.skip_word("analyse");
  cursor.skip_word("verbose");
  return cursor.at();
}

}  // namespace

PlanResult plan_inner(const Planning& planning, const tree::Statement& statement,
                      std::string text) {
  return plan_statement(*planning.request, statement, std::move(text));
}

PlanResult plan_explain(Planning& planning, const tree::Utility&, const tree::Explain& explain) {
  const std::size_t offset = offset_of(planning.request->text, explain);
  const PlanResult inner =
      plan_with_answers(*planning.request, *explain.statement, std::string(planning.request->text.substr(offset)));
  if (const auto* need = std::get_if<NeedDescribe>(&inner)) return *need;
  auto plan = planning.plan;
  plan->kind = PlanKind::local;
  Plan::Explain explained;
  const auto& made = std::get<std::shared_ptr<const Plan>>(inner);
  explained.options = option_list(explain, explained);
  explained.plan = made->alone != nullptr && !explained.analyze ? made->alone : made;
  explained.offset = offset;
  for (const int token : made->pinned) planning.pins.pin(token);
  plan->evaluations = explained.plan->evaluations;
  plan->cacheable = made->cacheable;
  plan->explained = std::move(explained);
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace anabranch::rewriter
