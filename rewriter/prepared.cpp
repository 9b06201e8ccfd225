#include "rewriter/text_cursor.h"
#include "rewriter/utility.h"

/// SQL-level prepared statements and cursors: the session keeps them beside the protocol's statements
/// and portals, under the same names.
namespace anabranch::rewriter {
namespace {

/// Where the statement inside begins: behind `PREPARE name (types) AS`. Its comments belong to it.
std::size_t prepared_offset(std::string_view text) {
  TextCursor cursor(text);
  cursor.skip_blanks();
  cursor.skip_word("prepare");
  cursor.skip_name();
  cursor.skip_parentheses();
  constexpr std::size_t as = 2;
  return cursor.at() + as;
}

SessionPlan prepare(const Planning& planning, const tree::Prepare& statement) {
  SessionPlan plan{};
  plan.action = SessionAction::prepare;
  plan.name = statement.name;
  plan.offset = prepared_offset(planning.request->text);
  for (const tree::TypeName& type : statement.types) {
    plan.types.push_back(type.text);
  }
  return plan;
}

/// The server reads a string as the parameter's own type, and an integer as int4.
SessionPlan::Argument argument_of(const tree::Expr& expr) {
  using Kind = SessionPlan::Argument::Kind;
  if (const auto* literal = expr.as<tree::Literal>()) {
    if (literal->kind() == tree::Literal::Kind::null) return {Kind::null, {}};
    if (literal->kind() == tree::Literal::Kind::string) return {Kind::string, literal->unpinned_value()};
    if (literal->kind() == tree::Literal::Kind::integer) return {Kind::integer, literal->unpinned_value()};
  }
  return {};
}

bool has_parameters(const tree::Expr& expr) {
  bool any = false;
  tree::walk(expr, [&](const tree::Expr& at) {
    any = any || at.as<tree::Param>() != nullptr;
    return !any;
  });
  return any;
}

/// Arguments are computed on one shard: what reads tables there must not pass for the whole.
void check_arguments(const Planning& planning, const tree::Execute& statement) {
  tree::Select select;
  for (const tree::ExprPtr& arg : statement.args) {
    // There are no parameters in EXECUTE: the server says so.
    if (has_parameters(*arg)) return;
    select.targets.push_back(tree::make::target(tree::clone(arg)));
  }
  const tree::Statement query{std::move(select)};
  const PlanResult planned = plan_inner(planning, query, to_text(query, planning.shape()));
  const auto* made = std::get_if<std::shared_ptr<const Plan>>(&planned);
  if (made == nullptr) return;
  if ((*made)->refusal) refuse(*(*made)->refusal);
  if ((*made)->residue != Residue::none) {
    refuse_statement("EXECUTE with arguments that change the session", "Compute them in a statement of their own.");
  }
}

SessionPlan execute(const Planning& planning, const tree::Execute& statement) {
  SessionPlan plan{};
  plan.action = SessionAction::execute;
  plan.name = statement.name;
  bool computed = false;
  for (const tree::ExprPtr& arg : statement.args) {
    plan.arguments.push_back(argument_of(*arg));
    computed = computed || plan.arguments.back().kind == SessionPlan::Argument::Kind::expression;
  }
  if (computed) check_arguments(planning, statement);
  return plan;
}

/// Where the query begins: behind `DECLARE name … FOR`. Its comments belong to it.
std::size_t declared_offset(std::string_view text) {
  TextCursor cursor(text);
  cursor.skip_blanks();
  cursor.skip_word("declare");
  cursor.skip_name();
  while (!cursor.done() && !cursor.skip_word("for") && cursor.skip_name()) {
  }
  return cursor.at();
}

SessionPlan declare(const Planning& planning, const tree::DeclareCursor& statement) {
  SessionPlan plan{};
  plan.action = SessionAction::declare;
  plan.name = statement.name;
  plan.offset = declared_offset(planning.request->text);
  plan.cursor = {statement.hold, statement.scroll, statement.no_scroll, statement.binary};
  return plan;
}

SessionPlan fetch(const tree::Fetch& statement) {
  SessionPlan plan{};
  plan.action = SessionAction::fetch;
  plan.name = statement.cursor;
  plan.fetch = statement.range;
  return plan;
}

std::optional<SessionPlan> named_plan(const Planning& planning, const tree::Utility& utility) {
  if (const auto* made = utility.as<tree::Prepare>()) return prepare(planning, *made);
  if (const auto* called = utility.as<tree::Execute>()) return execute(planning, *called);
  if (const auto* declared = utility.as<tree::DeclareCursor>()) return declare(planning, *declared);
  if (const auto* fetched = utility.as<tree::Fetch>()) return fetch(*fetched);
  SessionPlan plan{};
  if (const auto* dropped = utility.as<tree::Deallocate>()) {
    plan.action = SessionAction::deallocate;
    plan.name = dropped->name;
    return plan;
  }
  if (const auto* closed = utility.as<tree::CloseCursor>()) {
    plan.action = SessionAction::close_cursor;
    plan.name = closed->name;
    return plan;
  }
  return std::nullopt;
}

}  // namespace

std::shared_ptr<Plan> plan_named(const Planning& planning, const tree::Utility& utility) {
  auto session = named_plan(planning, utility);
  if (!session) return nullptr;
  auto plan = std::make_shared<Plan>();
  plan->kind = PlanKind::session;
  plan->command = utility.tag;
  if (session->cursor.hold) plan->residue = Residue::may_begin;
  if (session->action == SessionAction::close_cursor) plan->residue = Residue::may_end;
  plan->session = std::move(session);
  plan->reasons.push_back("the session's own business");
  // Its text is nobody else's; what it describes depends on the names.
  plan->cacheable = false;
  return plan;
}

}  // namespace anabranch::rewriter
