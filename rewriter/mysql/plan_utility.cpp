#include <algorithm>
#include <array>

#include "rewriter/mysql/functions.h"
#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/plan.h"
#include "rewriter/mysql/quote.h"
#include "rewriter/utility.h"
#include "values/ascii.h"

/// Statements that are neither queries nor the session's business: which shards they are for. What MySQL's
/// servers do with definitions they commit at once, each for itself.
namespace anabranch::rewriter::mysql {
namespace {

std::shared_ptr<Plan> to_default(Planning& planning, Effect effect, std::string reason) {
  auto plan = relay_to(planning, static_cast<int>(planning.map().default_shard()), std::move(reason));
  plan->effect = effect;
  plan->outside_transaction = effect == Effect::ddl;
  return plan;
}

/// Each shard has rows of its own of one of them, and says how many it came by.
bool any_sharded(const Planning& planning, const std::vector<tree::RelationName>& relations) {
  return std::ranges::any_of(relations, [&](const tree::RelationName& relation) {
    const NamedTable named = find_named(planning, relation.schema, relation.name);
    return named.table != nullptr && named.table->kind == conf::TableKind::sharded;
  });
}

std::shared_ptr<Plan> everywhere(Planning& planning, const tree::Utility& utility, Effect effect) {
  auto plan = planning.plan;
  plan->kind = PlanKind::broadcast;
  plan->effect = effect;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.reason = "its tables are on every shard";
  plan->sum_counts = any_sharded(planning, utility.relations);
  plan->in_order = true;
  plan->outside_transaction = true;
  plan->subquery.pieces.emplace_back(utility.text);
  return plan;
}

/// A definition on another shard than the default one, which has it too, without rows: its catalogs show it.
std::shared_ptr<Plan> define_elsewhere(Planning& planning, const tree::Utility& utility, int shard) {
  const tree::RelationName& table = utility.relations.front();
  const router::Relation* relation = find_named(planning, table.schema, table.name).relation;
  const auto* create = utility.as<tree::CreateTable>();
  const bool makes = create != nullptr && (relation == nullptr || create->if_not_exists);
  const bool shown = makes || (relation != nullptr && relation->oid != 0);
  auto plan = text_elsewhere(planning, utility, shard, shown);
  plan->outside_transaction = true;
  return plan;
}

/// Where the relations are, if that is one place.
std::shared_ptr<Plan> at_home(Planning& planning, const tree::Utility& utility,
                              const std::vector<tree::RelationName>& relations, Effect effect) {
  const Homes homes = homes_of(planning, relations);
  if (!homes.touches()) return to_default(planning, effect, "its tables are on the default shard");
  if (homes.any_mapped && homes.all_mapped && !homes.shard) return everywhere(planning, utility, effect);
  const bool one = homes.shard && !homes.any_mapped && !homes.spread && relations.size() == 1;
  if (!one) {
    refuse_statement(utility.tag + " of tables that live in different places", "Write one statement for each table.");
  }
  if (effect == Effect::ddl) return define_elsewhere(planning, utility, *homes.shard);
  auto plan = relay_to(planning, *homes.shard, "its table is on one shard");
  plan->effect = effect;
  return plan;
}

/// Only what is plainly the default shard's.
std::shared_ptr<Plan> of_default(Planning& planning, const tree::Utility& utility, Effect effect) {
  if (homes_of(planning, utility.relations).touches()) refuse_statement(utility.tag + " of tables on other shards", kNameShard);
  return to_default(planning, effect, "it names no table of the map");
}

/// What is the session's own is on the default shard, and hides tables of the same names.
std::shared_ptr<Plan> of_session(Planning& planning, std::string reason) {
  auto plan = to_default(planning, Effect::temporary, std::move(reason));
  plan->residue = Residue::untracked;
  return plan;
}

bool of_other_database(const Planning& planning, const tree::RelationName& relation) {
  return !relation.schema.empty() && relation.schema != planning.request->context->search_path.front();
}

std::shared_ptr<Plan> create_temporary(Planning& planning, const tree::Utility& utility) {
  const tree::RelationName& table = utility.relations.front();
  const std::vector<tree::RelationName> read(utility.relations.begin() + 1, utility.relations.end());
  if (of_other_database(planning, table)) refuse_statement("CREATE TEMPORARY TABLE in another database", "Make it in this one.");
  if (homes_of(planning, read).touches()) {
    refuse_statement("CREATE TEMPORARY TABLE beside tables of other shards", "Create the table, then insert the rows.");
  }
  auto plan = of_session(planning, "temporary tables are on the default shard");
  plan->temporary_made.push_back(table.name);
  return plan;
}

bool is_temporary(const Planning& planning, const tree::RelationName& relation) {
  return find_named(planning, relation.schema, relation.name).temporary;
}

/// Where some of the names are temporary tables, or no others are meant. Null: the statement is about others.
std::shared_ptr<Plan> drop_temporary(Planning& planning, const tree::Utility& utility, const tree::Drop& statement) {
  const auto temporary = [&](const tree::RelationName& relation) { return is_temporary(planning, relation); };
  if (!statement.temporary && std::ranges::none_of(utility.relations, temporary)) return nullptr;
  if (!statement.temporary && !std::ranges::all_of(utility.relations, temporary)) {
    refuse_statement("DROP TABLE of temporary tables and others", "Write one statement for each table.");
  }
  auto plan = of_session(planning, "temporary tables are on the default shard");
  for (const tree::RelationName& relation : utility.relations) {
    if (!of_other_database(planning, relation)) plan->temporary_dropped.push_back(relation.name);
  }
  return plan;
}

/// No shard knows what the session's statement before has counted.
void check_looks_not_back(const Planning& planning, const tree::Utility& utility) {
  if (planning.map().shards().size() == 1) return;
  Lexer lexer(planning.original, planning.request->context->mysql);
  std::string name;
  for (Token token = lexer.next(); token.kind != Token::Kind::end && token.kind != Token::Kind::bad;
       token = lexer.next()) {
    const std::string_view spelled = std::string_view(planning.original).substr(token.offset, token.length);
    if (spelled == "(" && (name == "found_rows" || name == "row_count" || name == "last_insert_id")) {
      refuse_statement(utility.tag + " AS a query of " + name + "()", "Read the value first, and give it as a constant.");
    }
    name = token.kind == Token::Kind::identifier ? values::lower_case(spelled) : std::string();
  }
}

std::shared_ptr<Plan> create_table(Planning& planning, const tree::Utility& utility) {
  const auto* create = utility.as<tree::CreateTable>();
  const auto* from_query = utility.as<tree::CreateTableAs>();
  if (from_query != nullptr) check_looks_not_back(planning, utility);
  const auto persistence = create != nullptr ? create->persistence : from_query->persistence;
  if (persistence == tree::CreateTable::Persistence::temporary) return create_temporary(planning, utility);
  if (from_query != nullptr) return of_default(planning, utility, Effect::ddl);
  if (is_temporary(planning, utility.relations.front())) {
    refuse_statement("CREATE TABLE of a name that a temporary table hides", "Drop the temporary table first.");
  }
  const std::vector<tree::RelationName> others(utility.relations.begin() + 1, utility.relations.end());
  if (!homes_of(planning, {utility.relations.front()}).touches() && homes_of(planning, others).touches()) {
    refuse_statement("CREATE TABLE beside tables of other shards", "Let the map list the table.");
  }
  check_constraints(planning, create->table, create->columns, create->constraints);
  return at_home(planning, utility, utility.relations, Effect::ddl);
}

std::shared_ptr<Plan> alter_table(Planning& planning, const tree::Utility& utility, const tree::AlterTable& alter) {
  const tree::RelationName& table = utility.relations.front();
  check_constraints(planning, alter.table, alter.columns, alter.constraints);
  const bool renames = std::ranges::find(alter.actions, "AT_RenameTable") != alter.actions.end();
  if (renames && homes_of(planning, {table}).touches()) {
    refuse_clause(utility.tag + " to another name", "the map lists \"" + table.name + "\"",
                  "Create the table under its new name in the map, and copy the rows.");
  }
  for (std::size_t i = 0; i < alter.names.size(); ++i) {
    if (alter.actions[i] == "AT_AddColumn" || alter.names[i].empty()) continue;
    check_key_column(planning, table, values::lower_case(alter.names[i]), utility.tag);
  }
  // Columns count as relations, too, as far as is known.
  std::vector<tree::RelationName> others(utility.relations.begin() + 1, utility.relations.end());
  const Homes home = homes_of(planning, {table});
  const Homes other = homes_of(planning, others);
  if (!home.touches() && other.touches()) {
    refuse_statement(utility.tag + " of tables that live in different places", kNameShard);
  }
  return at_home(planning, utility, {table}, Effect::ddl);
}

/// What a statement that is only lexed was found to call.
struct Unread {
  bool last_insert = false;  ///< LAST_INSERT_ID(), with an argument or without
};

/// A statement that is not read, only lexed: its calls must be of the server's own functions, and its names no
/// views'.
Unread check_unread(const Planning& planning, const tree::Utility& utility, bool may_assign = false) {
  Unread found;
  const auto refuse_unread = [&](const std::string& what) {
    refuse(values::make_error(values::ErrorId::unmappable_syntax, what + " in a clause that is not read here"));
  };
  Lexer lexer(utility.text, planning.request->context->mysql);
  std::string name;
  for (Token token = lexer.next(); token.kind != Token::Kind::end && token.kind != Token::Kind::bad;
       token = lexer.next()) {
    const std::string spelled = utility.text.substr(token.offset, token.length);
    if (spelled == ":=" && !may_assign) refuse_unread("an assignment");
    if (spelled == "(" && !name.empty() && !is_reserved(name)) {
      tree::FunctionCall call;
      call.name = {name};
      const FunctionKind kind = rewriter::classify(call, planning.functions).kind;
      if (kind == FunctionKind::unknown || kind == FunctionKind::previous) refuse_unread(name + "()");
      found.last_insert |= kind == FunctionKind::last_insert || kind == FunctionKind::settings;
    }
    const bool word = token.kind == Token::Kind::identifier || token.kind == Token::Kind::quoted_identifier;
    name = word ? values::lower_case(identifier_value(spelled)) : std::string();
  }
  for (const tree::RelationName& named : utility.relations) {
    const router::Relation* relation = find_named(planning, named.schema, named.name).relation;
    if (relation != nullptr && relation->kind == router::RelationKind::view) refuse_unread("view " + named.name);
  }
  return found;
}

std::shared_ptr<Plan> unread(Planning& planning, const tree::Utility& utility) {
  const bool definition = utility.tag == "CREATE" || utility.tag == "ALTER" || utility.tag == "DROP";
  if (!definition) (void)check_unread(planning, utility);
  return of_default(planning, utility,
                    definition ? Effect::ddl : utility.tag == "SELECT" ? Effect::reads : Effect::writes);
}

/// A view is wherever its tables are.
std::shared_ptr<Plan> create_view(Planning& planning, const tree::Utility& utility) {
  const std::vector<tree::RelationName> read(utility.relations.begin() + 1, utility.relations.end());
  const Homes homes = homes_of(planning, read);
  if (!homes.touches()) return of_default(planning, utility, Effect::ddl);
  if (!homes.all_mapped || homes.shard) {
    refuse_statement("CREATE VIEW over tables that live in different places",
                     "Make the tables that are on one shard reference tables.");
  }
  return everywhere(planning, utility, Effect::ddl);
}

std::shared_ptr<Plan> show(Planning& planning, const tree::Utility& utility) {
  const Homes homes = homes_of(planning, utility.relations);
  if (!homes.shard || homes.any_mapped || homes.spread) {
    return to_default(planning, Effect::reads, "the default shard shows what there is");
  }
  auto plan = relay_to(planning, *homes.shard, "its table is on one shard");
  plan->effect = Effect::reads;
  return plan;
}

/// EXPLAIN of what one shard carries out is that shard's; of all else, the proxy's plan.
PlanResult explain(Planning& planning, const tree::Explain& explain) {
  std::string original = to_text(*explain.statement, planning.shape(), Dialect::mysql);
  PlanResult inner = plan_inner(planning, *explain.statement, std::move(original));
  if (auto* need = std::get_if<NeedDescribe>(&inner)) return std::move(*need);
  auto explained = std::get<std::shared_ptr<const Plan>>(inner);
  if (explained->kind == PlanKind::refuse) return explained;
  for (const int token : explained->pinned) planning.pins.pin(token);
  if (explained->kind == PlanKind::relay) {
    const Effect effect = explain.analyze ? explained->effect : Effect::reads;
    *planning.plan = *explained;
    planning.plan->effect = effect;
    return std::shared_ptr<const Plan>(planning.plan);
  }
  for (const tree::Option& option : explain.options) {
    if (option.name != "format" || values::lower_case(option.value) == "traditional") continue;
    refuse_clause("EXPLAIN FORMAT = " + values::upper_case(option.value), "what is shown is the proxy's plan, in lines",
                  "Leave FORMAT out.");
  }
  auto plan = planning.plan;
  plan->kind = PlanKind::local;
  plan->explained = Plan::Explain{};
  plan->explained->plan = std::move(explained);
  plan->explained->analyze = explain.analyze;
  return std::shared_ptr<const Plan>(std::move(plan));
}

/// Of one server, or of its default shard as far as tables go.
constexpr auto kOfDefault = std::to_array<std::string_view>(
    {"HelpStmt", "CreateTrigStmt", "CreateEventStmt", "CreateSeqStmt"});
constexpr auto kShows = std::to_array<std::string_view>({"ShowStmt", "DescribeStmt", "ExplainStmt"});

bool is_one_of(std::string_view kind, std::span<const std::string_view> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

/// A stored routine's body is not read. One that `functions:` declares to read no sharded table does the same on every
/// shard; another is the default shard's, and names no table of other shards.
std::shared_ptr<Plan> define_routine(Planning& planning, const tree::Utility& utility) {
  const auto is_declared = [&](std::string_view name) {
    const conf::Function* found = find_declared(name, planning.functions);
    return found != nullptr && found->reads != conf::FunctionReads::key;
  };
  const auto* dropped = utility.as<tree::Drop>();
  const bool declared =
      dropped != nullptr
          ? is_declared(dropped->names.front().back())
          : std::ranges::any_of(utility.relations, [&](const tree::RelationName& at) { return is_declared(at.name); });
  return declared ? everywhere(planning, utility, Effect::ddl) : of_default(planning, utility, Effect::ddl);
}

std::shared_ptr<Plan> drop(Planning& planning, const tree::Utility& utility, const tree::Drop& statement) {
  static constexpr auto relations = std::to_array<std::string_view>({"TABLE", "VIEW", "INDEX"});
  static constexpr auto others =
      std::to_array<std::string_view>({"TRIGGER", "EVENT", "SEQUENCE"});
  if (statement.object == "TABLE") {
    if (auto plan = drop_temporary(planning, utility, statement)) return plan;
  }
  if (is_one_of(statement.object, relations)) return at_home(planning, utility, utility.relations, Effect::ddl);
  if (statement.object == "PROCEDURE" || statement.object == "FUNCTION") return define_routine(planning, utility);
  if (is_one_of(statement.object, others)) return of_default(planning, utility, Effect::ddl);
  refuse_statement(utility.tag, kNameShard);
}

/// ALTER, CREATE INDEX, TRUNCATE of a temporary table. Null: of another one.
std::shared_ptr<Plan> of_temporary(Planning& planning, const tree::Utility& utility) {
  const auto* alter = utility.as<tree::AlterTable>();
  const bool changes = alter != nullptr || utility.kind == "IndexStmt" || utility.kind == "TruncateStmt" ||
                       utility.kind == "RenameStmt";
  const bool any = std::ranges::any_of(utility.relations, [&](const auto& name) { return is_temporary(planning, name); });
  if (!changes || !any) return nullptr;
  const bool renames = utility.kind == "RenameStmt" ||
                       (alter != nullptr && std::ranges::find(alter->actions, "AT_RenameTable") != alter->actions.end());
  if (renames) refuse_statement(utility.tag + " that renames a temporary table", "Create it under its new name.");
  if (!is_temporary(planning, utility.relations.front())) return nullptr;
  return of_session(planning, "temporary tables are on the default shard");
}

std::shared_ptr<Plan> do_expressions(Planning& planning, const tree::Utility& utility) {
  const Unread found = check_unread(planning, utility, true);
  auto plan = of_default(planning, utility, Effect::reads);
  plan->residue = Residue::may_begin;
  if (!found.last_insert) return plan;
  plan->routing.mode = Routing::Mode::any_shard;
  plan->routing.reason = "the session knows it";
  plan->asks_sequences = plan->sets_last_insert = true;
  return plan;
}

/// Whatever the statement before has left is on one server, or with the proxy.
std::shared_ptr<Plan> get_diagnostics(Planning& planning) {
  auto plan = to_default(planning, Effect::reads, "the session knows it");
  plan->routing.mode = Routing::Mode::any_shard;
  plan->previous = Plan::Previous::diagnostics;
  plan->residue = Residue::may_begin;
  return plan;
}

/// A procedure may read and write whatever it likes: what `functions:` says of it is believed.
std::shared_ptr<Plan> call(Planning& planning, const tree::Utility& utility, const tree::Call& statement) {
  const auto* procedure = statement.call->as<tree::FunctionCall>();
  const std::string& name = procedure->name.back();
  const conf::Function* declared = find_declared(name, planning.functions);
  if (declared == nullptr || declared->reads == conf::FunctionReads::key) {
    auto refused = planning.plan;
    refused->kind = PlanKind::refuse;
    refused->refusal = values::make_error(values::ErrorId::opaque_function, name);
    refused->prepare_only = true;
    refused->prepare_text = "SHOW CREATE PROCEDURE " + quote_name(procedure->name);
    return refused;
  }
  auto plan = to_default(planning, Effect::writes, "the procedure is declared to read no sharded table");
  for (const tree::ExprPtr& argument : procedure->args) {
    plan->asks_sequences |= check_argument(planning, utility, *argument);
  }
  plan->residue = Residue::untracked;
  plan->may_set_variables = plan->sets_last_insert = true;
  return plan;
}

bool is_temporary(const tree::Utility& utility) {
  using Persistence = tree::CreateTable::Persistence;
  if (const auto* at = utility.as<tree::CreateTable>()) return at->persistence == Persistence::temporary;
  if (const auto* at = utility.as<tree::CreateTableAs>()) return at->persistence == Persistence::temporary;
  const auto* at = utility.as<tree::Drop>();
  return at != nullptr && at->temporary;
}

bool is_definition(const tree::Utility& utility) {
  static constexpr auto kinds = std::to_array<std::string_view>(
      {"IndexStmt", "RenameStmt", "CreateTrigStmt", "CreateFunctionStmt", "CreateEventStmt", "CreateSeqStmt"});
  static constexpr auto unread_tags = std::to_array<std::string_view>({"CREATE", "ALTER", "DROP"});
  if (utility.as<tree::CreateTable>() != nullptr || utility.as<tree::CreateTableAs>() != nullptr ||
      utility.as<tree::AlterTable>() != nullptr || utility.as<tree::CreateView>() != nullptr ||
      utility.as<tree::Drop>() != nullptr) {
    return true;
  }
  return is_one_of(utility.kind, kinds) || (utility.kind == "VerbatimStmt" && is_one_of(utility.tag, unread_tags));
}

/// Of a statement that one shard carries out as it is: whether it ends a transaction goes by it.
Effect effect_of(const tree::Utility& utility) {
  if (is_temporary(utility)) return Effect::temporary;
  if (is_definition(utility)) return Effect::ddl;
  return is_one_of(utility.kind, kShows) ? Effect::reads : Effect::writes;
}

std::shared_ptr<Plan> by_kind(Planning& planning, const tree::Utility& utility) {
  if (utility.as<tree::CreateTable>() != nullptr || utility.as<tree::CreateTableAs>() != nullptr) {
    return create_table(planning, utility);
  }
  if (auto plan = of_temporary(planning, utility)) return plan;
  if (utility.kind == "DoExprStmt") return do_expressions(planning, utility);
  if (utility.kind == "SignalStmt") return to_default(planning, Effect::reads, "the session is the default shard's");
  if (utility.kind == "DiagnosticsStmt") return get_diagnostics(planning);
  if (const auto* at = utility.as<tree::Call>()) return call(planning, utility, *at);
  if (const auto* at = utility.as<tree::AlterTable>()) return alter_table(planning, utility, *at);
  if (utility.as<tree::CreateView>() != nullptr) return create_view(planning, utility);
  if (const auto* at = utility.as<tree::Drop>()) return drop(planning, utility, *at);
  if (const auto* at = utility.as<tree::CreateIndex>()) {
    check_unique_index(planning, *at);
    return at_home(planning, utility, utility.relations, Effect::ddl);
  }
  if (utility.kind == "TruncateStmt") {
    auto plan = at_home(planning, utility, utility.relations, Effect::writes);
    plan->outside_transaction = true;
    return plan;
  }
  if (utility.kind == "CreateFunctionStmt") return define_routine(planning, utility);
  if (is_one_of(utility.kind, kShows)) return show(planning, utility);
  if (utility.kind == "VerbatimStmt") return unread(planning, utility);
  if (const auto* at = utility.as<tree::LockTable>()) return plan_lock(planning, utility, *at);
  if (utility.kind == "UnlockStmt") return plan_unlock(planning, utility);
  if (utility.kind == "FlushStmt") return plan_flush(planning, utility);
  if (utility.kind == "TableMaintenanceStmt") return plan_maintenance(planning, utility);
  if (utility.kind == "RenameStmt" || is_one_of(utility.kind, kOfDefault)) {
    return of_default(planning, utility, Effect::ddl);
  }
  refuse_statement(utility.tag, kNameShard);
}

}  // namespace

Homes homes_of(const Planning& planning, const std::vector<tree::RelationName>& relations) {
  Homes homes;
  for (const tree::RelationName& relation : relations) {
    const Home home = home_of(planning, relation.schema, relation.name);
    if (home.mapped) {
      homes.any_mapped = true;
    } else if (home.shard >= 0) {
      homes.spread |= homes.shard && *homes.shard != home.shard;
      homes.shard = home.shard;
      homes.all_mapped = false;
    } else if (find_named(planning, relation.schema, relation.name).relation != nullptr) {
      homes.all_mapped = false;
    }
  }
  return homes;
}

PlanResult plan_utility(Planning& planning, const tree::Utility& utility) {
  if (auto session = plan_session(planning, utility)) return std::shared_ptr<const Plan>(session);
  if (auto by_hint = hinted(*planning.request, nullptr)) return std::move(*by_hint);
  if (planning.map().shards().size() == 1) {
    return std::shared_ptr<const Plan>(to_default(planning, effect_of(utility), "there is one shard only"));
  }
  const auto* inner = utility.as<tree::Explain>();
  if (inner != nullptr && inner->statement) return explain(planning, *inner);
  if (const auto* at = utility.as<tree::SetStatement>()) return plan_set_statement(planning, *at);
  if (const auto* load = utility.as<tree::Load>()) return plan_load(planning, utility, *load);
  return std::shared_ptr<const Plan>(by_kind(planning, utility));
}

}  // namespace anabranch::rewriter::mysql
