#include "rewriter/planner.h"

#include <algorithm>

#include "rewriter/buckets.h"
#include "rewriter/hints.h"
#include "rewriter/planning.h"

namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

Effect effect_of(const tree::Statement& statement) {
  if (const auto* select = statement.as<tree::Select>()) {
    return select->locking.empty() ? Effect::reads : Effect::writes;
  }
  return statement.as<tree::Utility>() != nullptr ? Effect::none : Effect::writes;
}

std::shared_ptr<Plan> refusal(values::SqlError error, bool prepare_only) {
  auto plan = std::make_shared<Plan>();
  plan->kind = PlanKind::refuse;
  plan->refusal = std::move(error);
  plan->prepare_only = prepare_only;
  return plan;
}

std::shared_ptr<Plan> to_default(const PlanRequest& request, std::string reason) {
  auto plan = std::make_shared<Plan>();
  plan->kind = PlanKind::relay;
  plan->effect = Effect::writes;
  plan->routing.mode = Routing::Mode::one_shard;
  plan->routing.shard = static_cast<int>(request.map->default_shard());
  plan->routing.reason = std::move(reason);
  plan->residue = Residue::may_begin;
  plan->advances_sequences = true;
  return plan;
}

void prepare_values(Planning& planning) {
  planning.values.query = &planning.query;
  planning.values.pins = &planning.pins;
  if (planning.language().asks_shards) planning.values.parameter_uses = planning.traits.parameter_uses;
  const auto declared = planning.request->parameter_types;
  planning.values.parameters.assign(declared.begin(), declared.end());
  planning.values.answers = planning.request->answers.size();
  planning.plan->evaluations.assign(planning.request->answers.begin(), planning.request->answers.end());
  if (!planning.request->descriptions.empty()) {
    planning.take_parameters(planning.request->descriptions.front());
  }
}

/// Whether the server's session may be another afterwards.
bool leaves_residue(const Traits& traits) {
  const bool calls = !traits.session_call.empty() && traits.session_call != "pg_notify";
  return traits.settings || calls || !traits.opaque.empty() || !traits.unknown.empty();
}

/// Of a finished plan: whether sequences may advance in the session of the shard that carries it out,
/// or in that of the default shard, which computes a value for all copies. What is placed by a key
/// advances none: that is refused. (A hint's plan says so itself.)
bool may_advance_sequences(const Planning& planning, const Plan& plan) {
  const Traits& traits = planning.traits;
  if (plan.kind == PlanKind::broadcast) {
    return std::ranges::any_of(plan.evaluations, [](const Plan::Evaluation& evaluation) {
      return evaluation.sql.contains("nextval(");
    });
  }
  if (plan.kind != PlanKind::relay || plan.routing.mode != Routing::Mode::one_shard) return false;
  return planning.statement->as<tree::Select>() == nullptr || traits.writing_with ||
         !traits.sequence.empty() || !traits.opaque.empty() || !traits.unknown.empty();
}

/// What no plan allows, however few shards it asks.
void check_functions(const Planning& planning) {
  if (planning.map().shards().size() == 1) return;
  const Traits& traits = planning.traits;
  if (!traits.opaque.empty()) refuse(make_error(ErrorId::opaque_function, traits.opaque));
  if (!traits.unknown.empty()) refuse(make_error(ErrorId::opaque_function, traits.unknown));
}

/// A function of the default shard: it concerns the server's session there, or a sequence.
void check_default_call(const Planning& planning) {
  const Traits& traits = planning.traits;
  const std::string& function = !traits.session_call.empty()    ? traits.session_call
                                : !traits.session_value.empty() ? traits.session_value
                                                                : traits.sequence;
  if (function.empty() || planning.map().shards().size() == 1) return;
  const bool elsewhere = std::ranges::any_of(planning.query.instances, [&](const auto& instance) {
    const router::MappedTable* table = planning.query.mapped(*instance);
    return table != nullptr && table->kind != conf::TableKind::reference &&
           (table->kind == conf::TableKind::sharded || table->shard != planning.map().default_shard());
  });
  if (elsewhere) {
    refuse_statement(function + "() beside tables that are not on the default shard",
                     "Call it in a statement of its own.");
  }
}

void check_relations(const Planning& planning) {
  for (const auto& instance : planning.query.instances) {
    if (instance->kind != Instance::Kind::table) continue;
    if (instance->relation != nullptr && !instance->relation->refusal.empty()) {
      refuse(values::SqlError("0A000", instance->relation->refusal,
                              "Make the table fit its scheme, then RELOAD."),
             false);
    }
  }
}

/// Types that are not the same on every shard: in casts, in parameters and in what comes out.
void check_types(const Planning& planning) {
  const router::Catalog& catalog = planning.catalog();
  const auto check = [](const std::string* difference) {
    if (difference == nullptr) return;
    refuse(values::SqlError("0A000", *difference, "Make the definitions equal, then RELOAD."), false);
  };
  for (const values::Oid type : planning.values.parameters) check(catalog.type_difference(type));
  if (planning.plan->result) {
    for (const ResultColumn& column : *planning.plan->result) check(catalog.type_difference(column.type));
  }
  const auto visit = [&](const tree::Expr& at) {
    const auto* cast = at.as<tree::TypeCast>();
    if (cast != nullptr && !cast->type.names.empty()) check(catalog.type_difference(cast->type.names.back()));
    return true;
  };
  for (const auto& block : planning.query.blocks) {
    each_expression(*block, [&](const tree::Expr& expr) { tree::walk(expr, visit); });
  }
}

/// The default shard knows every table that the statement names, and can say what is wrong with it.
bool known_to_default(const Planning& planning) {
  return std::ranges::none_of(planning.query.instances, [&](const auto& instance) {
    const router::MappedTable* table = planning.query.mapped(*instance);
    return table != nullptr &&
           !planning.map().shards_of(*table).contains(planning.map().default_shard());
  });
}

bool touches_other_than_default(const Planning& planning) {
  for (const auto& instance : planning.query.instances) {
    const router::MappedTable* table = planning.query.mapped(*instance);
    if (table == nullptr) continue;
    if (table->kind != conf::TableKind::whole || table->shard != planning.map().default_shard()) {
      return true;
    }
  }
  return false;
}

PlanResult plan_query(Planning& planning) {
  const tree::Statement& statement = *planning.statement;
  if (const auto* select = statement.as<tree::Select>()) return plan_select(planning, *select);
  if (const auto* insert = statement.as<tree::Insert>()) return plan_insert(planning, *insert);
  return plan_write(planning);
}

}  // namespace

std::string_view command_of(const tree::Statement& statement) {
  if (statement.as<tree::Select>() != nullptr) return "SELECT";
  if (statement.as<tree::Insert>() != nullptr) return "INSERT";
  if (statement.as<tree::Update>() != nullptr) return "UPDATE";
  if (statement.as<tree::Delete>() != nullptr) return "DELETE";
  return statement.as<tree::Utility>()->tag;
}

std::optional<PlanResult> hinted(const PlanRequest& request, const Planning* planning) {
  const Hints hints = parse_hints(request.shape->hint());
  if (!hints.shard && !hints.key) return std::nullopt;
  auto plan = to_default(request, "");
  if (hints.shard) {
    const auto shard = request.map->find_shard(*hints.shard);
    if (!shard) {
      return refusal(values::SqlError("22023", "there is no shard \"" + *hints.shard + "\"",
                                      "The hint names a shard of the configuration."),
                     false);
    }
    plan->routing.shard = static_cast<int>(*shard);
    plan->routing.reason = "the hint says so";
    return plan;
  }
  if (planning == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < planning->query.instances.size(); ++i) {
    const Instance& instance = *planning->query.instances[i];
    const KeyTuple key = key_of(planning->query, static_cast<int>(i));
    if (!planning->query.sharded(instance) || key.columns.empty()) continue;
    if (key.columns.size() > 1) {
      return refusal(values::SqlError("22023", "the rows of \"" + instance.name + "\" are placed by several columns",
                                      "Name the shard: /* anabranch: shard=NAME */"),
                     false);
    }
    const router::Column* column = planning->query.column(key.columns.front());
    KeyOperand operand;
    operand.value.text = *hints.key;
    operand.column_type = column->type.oid;
    operand.column_modifier = column->type.typmod;
    plan->routing.mode = Routing::Mode::by_key;
    plan->routing.condition.kind = KeyCondition::Kind::equals;
    plan->routing.condition.table = instance.table;
    plan->routing.condition.operands.push_back(std::move(operand));
    plan->routing.reason = "the hint gives the key " + *hints.key;
    return plan;
  }
  return std::nullopt;
}

PlanResult plan_statement(const PlanRequest& request, const tree::Statement& statement,
                          std::string original) {
  Planning planning;
  planning.request = &request;
  planning.original = std::move(original);
  planning.statement = &statement;
  planning.functions = {&planning.language(), request.catalog, request.database,
                        &request.context->search_path, request.context->mysql.fixed_clock};
  planning.plan->command = command_of(statement);
  planning.plan->effect = effect_of(statement);
  const auto finish = [&](PlanResult result) -> PlanResult {
    auto* made = std::get_if<std::shared_ptr<const Plan>>(&result);
    if (made == nullptr) return result;
    auto plan = std::make_shared<Plan>(**made);
    plan->command = command_of(statement);
    plan->advances_sequences |= may_advance_sequences(planning, *plan);
    for (const int token : statement.baked) planning.pins.pin(token);
    plan->pinned = planning.pins.ascending();
    if (planning.language().note_residue != nullptr) planning.language().note_residue(planning, *plan);
    return std::shared_ptr<const Plan>(std::move(plan));
  };
  try {
    if (const auto* utility = statement.as<tree::Utility>()) {
      return finish(planning.language().plan_utility(planning, *utility));
    }
    if (const auto* select = statement.as<tree::Select>(); select != nullptr && request.map->shards().size() > 1) {
      if (auto exported = plan_snapshot_export(*select)) return finish(std::shared_ptr<const Plan>(exported));
    }
    planning.query = resolve(statement, *request.catalog, *request.map, *request.context);
    planning.traits = scan(planning.query, planning.functions);
    if (planning.traits.locking) planning.plan->effect = Effect::writes;
    prepare_values(planning);
    if (has_buckets(planning.query)) {
      check_buckets(planning);
      forget_origins(planning);
      planning.original = to_text(statement, planning.shape(), planning.language().dialect);
    }
    if (auto by_hint = hinted(request, &planning)) return finish(std::move(*by_hint));
    check_relations(planning);
    if (touches_other_than_default(planning)) check_types(planning);
    check_functions(planning);
    if (auto settled = planning.language().check_calls(planning)) return finish(std::move(*settled));
    check_default_call(planning);
    if (leaves_residue(planning.traits)) planning.plan->residue = Residue::may_begin;
    if (!planning.traits.session_value.empty()) planning.plan->residue = Residue::untracked;
    planning.plan->asks_sequences = !planning.traits.session_value.empty() || planning.traits.last_insert;
    if (!planning.query.unresolved.empty() && touches_other_than_default(planning) &&
        request.map->shards().size() > 1) {
      refuse(make_error(ErrorId::unmappable_syntax,
                        planning.query.unresolved.front() + " cannot be resolved"));
    }
    return finish(plan_query(planning));
  } catch (Refusal& refused) {
    auto plan = refusal(std::move(refused.error),
                        refused.prepare_only && !planning.traits.virtual_columns && known_to_default(planning));
    plan->needs_values = refused.needs_values;
    if (has_buckets(planning.query)) plan->prepare_text = planning.original;
    return finish(std::shared_ptr<const Plan>(std::move(plan)));
  }
}

void Planning::take_parameters(const Description& described) {
  values.parameters = described.parameters;
  plan->parameters = described.parameters;
  plan->result = described.columns;
  plan->described = true;
}

std::string planning_key(const PlanningContext& context) {
  std::string key = context.standard_conforming_strings ? "s" : "n";
  for (const std::string& name : context.search_path) key.append(name).push_back('\0');
  key.append("\1").append(context.role);
  if (context.dialect == Dialect::mysql) key.append("\3").append(mysql::to_string(context.mysql));
  return key;
}

PlanResult plan(const PlanRequest& request) {
  try {
    const Language& language = language_of(request.context->dialect);
    if (request.map->schemes().empty() && request.map->tables().empty()) {
      auto plan = to_default(request, "the database has no schemes");
      language.note_whole(request, plan);
      return std::shared_ptr<const Plan>(std::move(plan));
    }
    ParseResult parsed = language.parse(request.text, *request.shape, *request.context);
    if (const auto* error = std::get_if<SyntaxError>(&parsed)) {
      if (auto by_hint = hinted(request, nullptr)) return std::move(*by_hint);
      values::SqlError refused = make_error(ErrorId::unmappable_syntax, error->message);
      refused.position = error->position;
      return std::shared_ptr<const Plan>(refusal(std::move(refused), true));
    }
    const auto& statements = std::get<std::vector<tree::StatementPtr>>(parsed);
    if (statements.empty()) return std::shared_ptr<const Plan>(to_default(request, "it is empty"));
    if (statements.size() > 1) {
      return std::shared_ptr<const Plan>(refusal(
          values::SqlError("42601", "cannot insert multiple commands into a prepared statement"),
          false));
    }
    return plan_with_answers(request, *statements.front(), std::string(request.text));
  } catch (const values::SqlError& error) {
    return std::shared_ptr<const Plan>(refusal(error, false));
  }
}

}  // namespace anabranch::rewriter
