#include <algorithm>
#include <array>

#include "rewriter/mysql/lexer.h"
#include "rewriter/mysql/names.h"
#include "rewriter/mysql/plan.h"
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
  auto plan = relay_to(planning, *homes.shard, "its table is on one shard");
  plan->effect = effect;
  plan->outside_transaction = effect == Effect::ddl;
  return plan;
}

/// Only what is plainly the default shard's.
std::shared_ptr<Plan> of_default(Planning& planning, const tree::Utility& utility, Effect effect) {
  if (homes_of(planning, utility.relations).touches()) refuse_statement(utility.tag + " of tables on other shards", kNameShard);
  return to_default(planning, effect, "it names no table of the map");
}

std::shared_ptr<Plan> create_table(Planning& planning, const tree::Utility& utility) {
  const auto* create = utility.as<tree::CreateTable>();
  const auto* from_query = utility.as<tree::CreateTableAs>();
  const auto persistence = create != nullptr ? create->persistence : from_query->persistence;
  if (persistence == tree::CreateTable::Persistence::temporary) {
    refuse_statement("CREATE TEMPORARY TABLE", "Use a table of the default shard.");
  }
  if (from_query != nullptr) return of_default(planning, utility, Effect::ddl);
  const std::vector<tree::RelationName> others(utility.relations.begin() + 1, utility.relations.end());
  if (!homes_of(planning, {utility.relations.front()}).touches() && homes_of(planning, others).touches()) {
    refuse_statement("CREATE TABLE beside tables of other shards", "Let the map list the table.");
  }
  return at_home(planning, utility, utility.relations, Effect::ddl);
}

std::shared_ptr<Plan> alter_table(Planning& planning, const tree::Utility& utility, const tree::AlterTable& alter) {
  const tree::RelationName& table = utility.relations.front();
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

/// A statement that is not read, only lexed: its calls must be of the server's own functions, and its names no
/// views'.
void check_unread(const Planning& planning, const tree::Utility& utility) {
  const auto refuse_unread = [&](const std::string& what) {
    refuse(values::make_error(values::ErrorId::unmappable_syntax, what + " in a clause that is not read here"));
  };
  Lexer lexer(utility.text, planning.request->context->mysql);
  std::string name;
  for (Token token = lexer.next(); token.kind != Token::Kind::end && token.kind != Token::Kind::bad;
       token = lexer.next()) {
    const std::string spelled = utility.text.substr(token.offset, token.length);
    if (spelled == ":=") refuse_unread("an assignment");
    if (spelled == "(" && !name.empty() && !is_reserved(name)) {
      tree::FunctionCall call;
      call.name = {name};
      const FunctionKind kind = classify(call, planning.functions).kind;
      if (kind == FunctionKind::unknown || kind == FunctionKind::previous) refuse_unread(name + "()");
    }
    const bool word = token.kind == Token::Kind::identifier || token.kind == Token::Kind::quoted_identifier;
    name = word ? values::lower_case(identifier_value(spelled)) : std::string();
  }
  for (const tree::RelationName& named : utility.relations) {
    const router::Relation* relation = find_named(planning, named.schema, named.name).relation;
    if (relation != nullptr && relation->kind == router::RelationKind::view) refuse_unread("view " + named.name);
  }
}

std::shared_ptr<Plan> unread(Planning& planning, const tree::Utility& utility) {
  const bool definition = utility.tag == "CREATE" || utility.tag == "ALTER" || utility.tag == "DROP";
  if (!definition) check_unread(planning, utility);
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
  auto plan = planning.plan;
  plan->kind = PlanKind::local;
  plan->explained = Plan::Explain{};
  plan->explained->plan = std::move(explained);
  plan->explained->analyze = explain.analyze;
  return std::shared_ptr<const Plan>(std::move(plan));
}

/// Of one server, or of its default shard as far as tables go.
constexpr auto kOfDefault = std::to_array<std::string_view>(
    {"TableMaintenanceStmt", "HelpStmt", "UnlockStmt", "CreateTrigStmt",
     "CreateFunctionStmt", "CreateEventStmt", "CreateSeqStmt"});
constexpr auto kShows = std::to_array<std::string_view>({"ShowStmt", "DescribeStmt", "ExplainStmt"});

bool is_one_of(std::string_view kind, std::span<const std::string_view> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

std::shared_ptr<Plan> drop(Planning& planning, const tree::Utility& utility, const tree::Drop& statement) {
  static constexpr auto relations = std::to_array<std::string_view>({"TABLE", "VIEW", "INDEX"});
  static constexpr auto others =
      std::to_array<std::string_view>({"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "SEQUENCE"});
  if (is_one_of(statement.object, relations)) return at_home(planning, utility, utility.relations, Effect::ddl);
  if (is_one_of(statement.object, others)) return of_default(planning, utility, Effect::ddl);
  refuse_statement(utility.tag, kNameShard);
}

std::shared_ptr<Plan> by_kind(Planning& planning, const tree::Utility& utility) {
  if (utility.as<tree::CreateTable>() != nullptr || utility.as<tree::CreateTableAs>() != nullptr) {
    return create_table(planning, utility);
  }
  if (const auto* at = utility.as<tree::AlterTable>()) return alter_table(planning, utility, *at);
  if (utility.as<tree::CreateView>() != nullptr) return create_view(planning, utility);
  if (const auto* at = utility.as<tree::Drop>()) return drop(planning, utility, *at);
  if (utility.kind == "IndexStmt") return at_home(planning, utility, utility.relations, Effect::ddl);
  if (utility.kind == "TruncateStmt") {
    auto plan = at_home(planning, utility, utility.relations, Effect::writes);
    plan->outside_transaction = true;
    return plan;
  }
  if (is_one_of(utility.kind, kShows)) return show(planning, utility);
  if (utility.kind == "VerbatimStmt") return unread(planning, utility);
  if (utility.kind == "LoadStmt") return of_default(planning, utility, Effect::writes);
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
    return std::shared_ptr<const Plan>(to_default(planning, Effect::ddl, "there is one shard only"));
  }
  const auto* inner = utility.as<tree::Explain>();
  if (inner != nullptr && inner->statement) return explain(planning, *inner);
  return std::shared_ptr<const Plan>(by_kind(planning, utility));
}

}  // namespace anabranch::rewriter::mysql
