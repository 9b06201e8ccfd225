#include "rewriter/utility.h"

#include <algorithm>
#include <array>
#include <functional>

#include "rewriter/buckets.h"
#include "rewriter/lexer.h"
#include "rewriter/planning.h"
#include "rewriter/print.h"
#include "values/ascii.h"

/// Statements that are no queries: which shards they are for.
namespace anabranch::rewriter {
namespace {

using values::ErrorId;
using values::make_error;

constexpr std::string_view kHintShard =
    "Name the shard in a comment before the statement: /* anabranch: shard=NAME */";

std::shared_ptr<Plan> to_default(Planning& planning, std::string reason, Effect effect) {
  auto plan =
      relay_to(planning, static_cast<int>(planning.map().default_shard()), std::move(reason));
  plan->effect = effect;
  return plan;
}

/// The statement's own text on every shard.
std::shared_ptr<Plan> everywhere(Planning& planning, const tree::Utility& utility, Effect effect,
                                 std::string reason) {
  if (planning.map().shards().size() == 1) return to_default(planning, std::move(reason), effect);
  check_definition(planning, utility);
  auto plan = planning.plan;
  plan->kind = PlanKind::broadcast;
  plan->effect = effect;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.reason = std::move(reason);
  plan->sum_counts = false;
  plan->in_order = true;
  plan->subquery.pieces.emplace_back(utility.text);
  return plan;
}

bool is_one_of(std::string_view kind, std::span<const std::string_view> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

/// Where a relation is: on every shard, or on one. What is on another shard than the default one may be
/// `shown` there: defined, without rows, so that catalogs have it.
struct Place {
  bool everywhere = false;
  int shard = 0;
  bool shown = false;
  bool operator==(const Place&) const = default;
};

Place place_of(const Planning& planning, std::string_view schema, std::string_view name) {
  if (is_temporary(*planning.request->context, planning.catalog(), schema, name)) {
    return {false, static_cast<int>(planning.map().default_shard())};
  }
  const auto& path = planning.request->context->search_path;
  const router::Relation* relation = find_table(planning.catalog(), path, schema, name);
  // Indexes, partitions and children are where their table is.
  for (int depth = 0; relation != nullptr && !relation->parent.empty() && depth < 32; ++depth) {
    const auto* parent =
        planning.catalog().find_relation({relation->parent_schema}, relation->parent);
    if (parent == nullptr) break;
    relation = parent;
  }
  const std::string_view found = relation == nullptr ? name : relation->name;
  const int table = find_mapped(planning.map(), planning.catalog(), relation, path, schema, found);
  const Place on_default{false, static_cast<int>(planning.map().default_shard())};
  if (table >= 0) {
    const router::MappedTable& mapped = planning.map().tables()[static_cast<std::size_t>(table)];
    check_no_buckets(planning, mapped);
    if (mapped.kind != conf::TableKind::whole) return {true, 0};
    const bool elsewhere = mapped.shard != planning.map().default_shard();
    return {false, static_cast<int>(mapped.shard), elsewhere && relation != nullptr && relation->oid != 0};
  }
  if (relation == nullptr || !relation->everywhere) return on_default;
  // A table of no map is the default shard's, whatever else has its name.
  const bool made_everywhere = relation->kind == router::RelationKind::view ||
                               relation->kind == router::RelationKind::sequence;
  return made_everywhere ? Place{true, 0} : on_default;
}

std::vector<Place> places_of(const Planning& planning,
                             const std::vector<tree::RelationName>& relations) {
  std::vector<Place> places;
  for (const tree::RelationName& relation : relations) {
    places.push_back(place_of(planning, relation.schema, relation.name));
  }
  return places;
}

bool any_everywhere(const std::vector<Place>& places) {
  return std::ranges::any_of(places, &Place::everywhere);
}

/// On a shard other than the default one.
bool any_elsewhere(const Planning& planning, const std::vector<Place>& places) {
  const auto standard = static_cast<int>(planning.map().default_shard());
  return std::ranges::any_of(
      places, [&](const Place& place) { return place.everywhere || place.shard != standard; });
}

/// What says something of rows, and nothing of definitions.
bool concerns_rows(const tree::Utility& utility) {
  return utility.as<tree::Truncate>() != nullptr || utility.as<tree::LockTable>() != nullptr ||
         utility.as<tree::Vacuum>() != nullptr || utility.kind == "ReindexStmt" || utility.kind == "ClusterStmt";
}

/// Writes a statement anew for some of its relations.
using TextFor = std::function<std::string(const std::vector<const tree::RelationName*>&)>;

/// Each shard is told of the relations that it has.
std::shared_ptr<Plan> by_place(Planning& planning, const tree::Utility& utility,
                               const std::vector<tree::RelationName>& relations,
                               const std::vector<Place>& places, Effect effect,
                               const TextFor& text_for) {
  auto plan = everywhere(planning, utility, effect, "each shard's own of the tables named");
  for (int shard = 0; shard < static_cast<int>(planning.map().shards().size()); ++shard) {
    std::vector<const tree::RelationName*> here;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const bool shown = places[i].shown && shard == static_cast<int>(planning.map().default_shard()) &&
                         !concerns_rows(utility);
      if (places[i].everywhere || places[i].shard == shard || shown) here.push_back(&relations[i]);
    }
    plan->subquery_of[shard] = here.empty() ? std::string() : text_for(here);
  }
  return plan;
}

/// The text on one shard, and on the default shard, which shows what is there.
std::shared_ptr<Plan> to_home_and_default(Planning& planning, const tree::Utility& utility, int home,
                                          Effect effect) {
  auto plan = planning.plan;
  plan->kind = PlanKind::broadcast;
  plan->effect = effect;
  plan->routing.mode = Routing::Mode::all_shards;
  plan->routing.reason = "its table is on one shard, and the default shard shows it in its catalogs";
  plan->sum_counts = false;
  plan->in_order = true;
  plan->subquery.pieces.emplace_back(utility.text);
  for (int shard = 0; shard < static_cast<int>(planning.map().shards().size()); ++shard) {
    const bool told = shard == home || shard == static_cast<int>(planning.map().default_shard());
    if (!told) plan->subquery_of[shard] = std::string();
  }
  return plan;
}

/// Where all the relations are; where they are in several places, by `text_for`, or refused.
std::shared_ptr<Plan> at_home(Planning& planning, const tree::Utility& utility,
                              const std::vector<tree::RelationName>& relations, Effect effect,
                              const TextFor& text_for = {}) {
  if (planning.map().shards().size() == 1) {
    return to_default(planning, "there is one shard only", effect);
  }
  const std::vector<Place> places = places_of(planning, relations);
  const bool one_place =
      std::ranges::all_of(places, [&](const Place& place) { return place == places.front(); });
  if (!one_place) {
    if (text_for) return by_place(planning, utility, relations, places, effect, text_for);
    refuse_statement(utility.tag + " of tables that live in different places",
                     "Write one statement for each table.");
  }
  if (any_everywhere(places)) {
    return everywhere(planning, utility, effect, "its tables are on every shard");
  }
  if (!any_elsewhere(planning, places)) {
    return to_default(planning, "its tables are on the default shard", effect);
  }
  if (places.front().shown && !concerns_rows(utility)) {
    return to_home_and_default(planning, utility, places.front().shard, effect);
  }
  auto plan = relay_to(planning, places.front().shard, "its table is on one shard");
  plan->effect = effect;
  return plan;
}

std::string names_of(const std::vector<const tree::RelationName*>& relations) {
  std::string text;
  for (const tree::RelationName* relation : relations) {
    if (!text.empty()) text += ", ";
    if (relation->only) text += "ONLY ";
    if (!relation->schema.empty()) text += quote_identifier(relation->schema) + ".";
    text += quote_identifier(relation->name);
  }
  return text;
}

// ------------------------------------------------------------------------------------ what drops

/// `DROP FUNCTION f()` as `DROP FUNCTION IF EXISTS f()`; the text itself where it says so already.
std::string with_words_behind(const Planning& planning, const tree::Utility& utility,
                              std::string_view keyword, std::string_view words) {
  const std::string& text = utility.text;
  Lexer lexer(text, planning.request->context->standard_conforming_strings);
  const auto spelt = [&](const Token& token) {
    std::string word = text.substr(token.offset, token.length);
    std::ranges::transform(word, word.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    });
    return word;
  };
  for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
    if (token.kind == Token::Kind::bad) break;
    if (spelt(token) != keyword) continue;
    const std::size_t behind = token.offset + token.length;
    if (spelt(lexer.next()) == "IF") break;
    return text.substr(0, behind) + " " + std::string(words) + text.substr(behind);
  }
  return text;
}

/// What tables on every shard may use is made and dropped on every shard, and counts only on the
/// default one: elsewhere it may be there already, or not at all.
std::shared_ptr<Plan> tolerant_elsewhere(Planning& planning, const tree::Utility& utility,
                                         const std::string& elsewhere) {
  auto plan =
      everywhere(planning, utility, Effect::ddl, "what tables depend on is on every shard");
  if (plan->kind != PlanKind::broadcast || elsewhere == utility.text) return plan;
  for (int shard = 0; shard < static_cast<int>(planning.map().shards().size()); ++shard) {
    if (shard != static_cast<int>(planning.map().default_shard())) {
      plan->subquery_of[shard] = elsewhere;
    }
  }
  return plan;
}

std::shared_ptr<Plan> drop_relations(Planning& planning, const tree::Utility& utility,
                                     const tree::Drop& statement) {
  const auto text_for = [&](const std::vector<const tree::RelationName*>& relations) {
    return "DROP " + statement.object + (statement.if_exists ? " IF EXISTS " : " ") +
           names_of(relations) + (statement.cascade ? " CASCADE" : "");
  };
  auto plan = at_home(planning, utility, utility.relations, Effect::ddl, text_for);
  plan->outside_transaction = statement.concurrently;
  return plan;
}

std::shared_ptr<Plan> drop(Planning& planning, const tree::Utility& utility,
                           const tree::Drop& statement) {
  static constexpr auto relations = std::to_array<std::string_view>(
      {"TABLE", "VIEW", "INDEX", "FOREIGN TABLE", "MATERIALIZED VIEW"});
  static constexpr auto on_relations = std::to_array<std::string_view>({"TRIGGER", "POLICY", "RULE"});
  static constexpr auto of_default = std::to_array<std::string_view>(
      {"FOREIGN DATA WRAPPER", "SERVER", "PUBLICATION", "EVENT TRIGGER"});
  const std::string& object = statement.object;
  if (is_one_of(object, relations)) return drop_relations(planning, utility, statement);
  if (is_one_of(object, on_relations)) {
    return at_home(planning, utility, utility.relations, Effect::ddl);
  }
  if (is_one_of(object, of_default)) {
    return to_default(planning, "it is the default shard's", Effect::ddl);
  }
  const std::string keyword = object.substr(object.rfind(' ') + 1);
  return tolerant_elsewhere(planning, utility,
                            with_words_behind(planning, utility, keyword, "IF EXISTS"));
}

// -------------------------------------------------------------------------------- by kind of node

/// Objects that tables on every shard may use.
constexpr auto kEverywhere = std::to_array<std::string_view>({"CreateSchemaStmt",
                                                              "CreateEnumStmt",
                                                              "CompositeTypeStmt",
                                                              "CreateDomainStmt",
                                                              "CreateRangeStmt",
                                                              "AlterEnumStmt",
                                                              "AlterDomainStmt",
                                                              "AlterTypeStmt",
                                                              "CreateFunctionStmt",
                                                              "AlterFunctionStmt",
                                                              "CreateExtensionStmt",
                                                              "AlterExtensionStmt",
                                                              "DefineStmt",
                                                              "CreateCastStmt",
                                                              "CreateOpClassStmt",
                                                              "CreateOpFamilyStmt",
                                                              "CreateConversionStmt",
                                                              "CreateRoleStmt",
                                                              "AlterRoleStmt",
                                                              "AlterRoleSetStmt",
                                                              "DropRoleStmt",
                                                              "GrantRoleStmt",
                                                              "AlterDefaultPrivilegesStmt",
                                                              "AlterOwnerStmt",
                                                              "AlterObjectDependsStmt",
                                                              "AlterOperatorStmt",
                                                              "AlterOpFamilyStmt",
                                                              "AlterCollationStmt",
                                                              "AlterExtensionContentsStmt",
                                                              "AlterTSDictionaryStmt",
                                                              "AlterTSConfigurationStmt",
                                                              "CreateTransformStmt",
                                                              "CreateAmStmt",
                                                              "ReassignOwnedStmt",
                                                              "DropOwnedStmt",
                                                              "CreatePLangStmt"});

/// Statements about tables that are carried out wherever these live.
constexpr auto kOfTables = std::to_array<std::string_view>(
    {"GrantStmt", "CommentStmt", "CreateTrigStmt", "CreatePolicyStmt", "AlterPolicyStmt",
     "RuleStmt", "CreateStatsStmt", "AlterStatsStmt", "ClusterStmt", "ReindexStmt",
     "SecLabelStmt", "AlterObjectSchemaStmt"});

/// Of these: what they change is nothing that plans depend on.
constexpr auto kBesideTheCatalog = std::to_array<std::string_view>(
    {"GrantStmt", "CommentStmt", "CreateStatsStmt", "AlterStatsStmt", "ClusterStmt", "ReindexStmt",
     "SecLabelStmt"});

/// Large administration and the like: the default shard's.
constexpr auto kOfDefault = std::to_array<std::string_view>(
    {"CheckPointStmt", "RefreshMatViewStmt", "AlterSystemStmt", "CreatedbStmt", "DropdbStmt",
     "AlterDatabaseStmt", "AlterDatabaseSetStmt", "CreateTableSpaceStmt", "DropTableSpaceStmt",
     "AlterTableSpaceOptionsStmt", "LoadStmt"});

std::shared_ptr<Plan> of_default(Planning& planning, const tree::Utility& utility, Effect effect,
                                 std::string reason) {
  if (any_elsewhere(planning, places_of(planning, utility.relations)) &&
      planning.map().shards().size() > 1) {
    refuse_statement(utility.tag, kHintShard);
  }
  return to_default(planning, std::move(reason), effect);
}

/// A sequence that belongs to a table of another shard than the default one, or comes to belong to it;
/// null: it does not.
std::shared_ptr<Plan> of_elsewhere(Planning& planning, const tree::Utility& utility,
                                   const std::vector<Place>& places) {
  const auto standard = static_cast<int>(planning.map().default_shard());
  const auto home = std::ranges::find_if(
      places, [&](const Place& at) { return !at.everywhere && at.shard != standard; });
  return home == places.end() ? nullptr : text_elsewhere(planning, utility, home->shard, home->shown);
}

/// A sequence is made on every shard, for the defaults of tables there; the default shard's counts.
/// One that belongs to a table of one shard stays there.
std::shared_ptr<Plan> sequence(Planning& planning, const tree::Utility& utility) {
  const bool creates = utility.kind == "CreateSeqStmt";
  std::vector<tree::RelationName> named = utility.relations;
  if (creates && !named.empty()) named.erase(named.begin());
  const auto places = places_of(planning, named);
  const bool all = std::ranges::all_of(places, &Place::everywhere);
  if (auto there = of_elsewhere(planning, utility, places)) return there;
  if (!all) return to_default(planning, "it belongs to the default shard", Effect::ddl);
  if (!creates) return everywhere(planning, utility, Effect::ddl, "it is on every shard");
  return tolerant_elsewhere(planning, utility,
                            with_words_behind(planning, utility, "SEQUENCE", "IF NOT EXISTS"));
}

/// The map knows a table by its name and its key.
void check_name_in_map(const Planning& planning, const tree::Utility& utility,
                       std::string_view new_name) {
  if (utility.relations.empty()) return;
  const auto& path = planning.request->context->search_path;
  const tree::RelationName& old = utility.relations.front();
  const router::Catalog& catalog = planning.catalog();
  const router::Relation* relation = find_table(catalog, path, old.schema, old.name);
  const std::string_view schema = relation == nullptr ? old.schema : relation->schema;
  const auto lists = [&](std::string_view name) {
    return find_mapped(planning.map(), catalog, nullptr, path, schema, name) >= 0;
  };
  const bool listed = lists(old.name);
  const bool taken = !new_name.empty() && lists(new_name);
  if (!listed && !taken) return;
  refuse_clause(utility.tag + " to another name or schema",
                listed ? "the map lists \"" + old.name + "\""
                       : "the map lists \"" + std::string(new_name) + "\"",
                "Create the table under its new name in the map, and copy the rows.");
}

std::shared_ptr<Plan> rename(Planning& planning, const tree::Utility& utility,
                             const tree::Rename& statement) {
  if (statement.object == "TABLE" || statement.object == "VIEW") {
    check_name_in_map(planning, utility, statement.new_name);
  }
  if (statement.object == "COLUMN") {
    check_key_column(planning, utility.relations.front(), statement.old_name, utility.tag);
  }
  if (utility.relations.empty()) {
    return everywhere(planning, utility, Effect::ddl, "what tables depend on is on every shard");
  }
  return at_home(planning, utility, {utility.relations.front()}, Effect::ddl);
}

std::shared_ptr<Plan> by_kind(Planning& planning, const tree::Utility& utility) {
  const bool beside = is_one_of(utility.kind, kBesideTheCatalog);
  const Effect effect = beside ? Effect::writes : Effect::ddl;
  const bool names_none = utility.relations.empty() && utility.kind != "CommentStmt";
  if (is_one_of(utility.kind, kEverywhere) ||
      (names_none && is_one_of(utility.kind, kOfTables))) {
    auto plan = everywhere(planning, utility, effect, "what tables depend on is on every shard");
    plan->outside_transaction = utility.kind == "ReindexStmt" || utility.kind == "ClusterStmt";
    return plan;
  }
  if (is_one_of(utility.kind, kOfTables)) {
    if (utility.kind == "AlterObjectSchemaStmt") check_name_in_map(planning, utility, "");
    const bool one = utility.kind == "CreateTrigStmt" || utility.kind == "RuleStmt";
    auto plan = one ? at_home(planning, utility, {utility.relations.front()}, effect)
                    : at_home(planning, utility, utility.relations, effect);
    plan->outside_transaction = utility.kind == "ReindexStmt" || utility.kind == "ClusterStmt";
    return plan;
  }
  if (utility.kind == "CreateSeqStmt" || utility.kind == "AlterSeqStmt") {
    return sequence(planning, utility);
  }
  if (is_one_of(utility.kind, kOfDefault)) {
    return of_default(planning, utility, Effect::ddl, "it is the default shard's");
  }
  return of_default(planning, utility, Effect::writes, "it names no table of the map");
}

std::shared_ptr<Plan> analyze(Planning& planning, const tree::Utility& utility,
                              const tree::Vacuum& statement) {
  auto plan = utility.relations.empty()
                  ? everywhere(planning, utility, Effect::reads, "all tables of all shards")
                  : at_home(planning, utility, utility.relations, Effect::reads);
  plan->outside_transaction = !statement.analyze_only;
  return plan;
}

std::shared_ptr<Plan> truncate(Planning& planning, const tree::Utility& utility,
                               const tree::Truncate& statement) {
  if (utility.relations.size() == 1 && !utility.relations.front().only) {
    const tree::RelationName& relation = utility.relations.front();
    const NamedTable named = find_any_named(planning, relation.schema, relation.name);
    if (named.table != nullptr && !named.table->physical.empty()) return truncate_buckets(planning, named, statement);
  }
  check_no_buckets(planning, utility);
  const auto text_for = [&](const std::vector<const tree::RelationName*>& relations) {
    return "TRUNCATE TABLE " + names_of(relations) +
           (statement.restart_identity ? " RESTART IDENTITY" : "") +
           (statement.cascade ? " CASCADE" : "");
  };
  return at_home(planning, utility, utility.relations, Effect::writes, text_for);
}

std::shared_ptr<Plan> notify_and_locks(Planning& planning, const tree::Utility& utility) {
  if (utility.as<tree::Notify>() != nullptr) {
    return to_default(planning, "notifications are the default shard's", Effect::writes);
  }
  if (utility.as<tree::Listen>() != nullptr || utility.as<tree::Unlisten>() != nullptr) {
    auto plan = to_default(planning, "notifications are the default shard's", Effect::none);
    plan->residue = utility.as<tree::Listen>() != nullptr ? Residue::may_begin : Residue::may_end;
    return plan;
  }
  const auto& lock = *utility.as<tree::LockTable>();
  const auto text_for = [&](const std::vector<const tree::RelationName*>& relations) {
    return "LOCK TABLE " + names_of(relations) + " IN " + lock.mode + " MODE" +
           (lock.nowait ? " NOWAIT" : "");
  };
  return at_home(planning, utility, utility.relations, Effect::reads, text_for);
}

/// Temporary relations, and nothing else, are what the statement names.
bool of_temporaries(const Planning& planning, const tree::Utility& utility) {
  const auto& context = *planning.request->context;
  return !utility.relations.empty() &&
         std::ranges::all_of(utility.relations, [&](const tree::RelationName& relation) {
           return is_temporary(context, planning.catalog(), relation.schema, relation.name);
         });
}

/// CREATE FUNCTION pg_temp.f(), CREATE TYPE pg_temp.t AS …: the name stands ahead of all else.
bool names_temporary_schema(const tree::Utility& utility) {
  const std::string_view head = std::string_view(utility.text).substr(0, utility.text.find_first_of("('$"));
  return values::contains_in_any_case(head, "pg_temp.");
}

}  // namespace

std::shared_ptr<Plan> text_elsewhere(Planning& planning, const tree::Utility& utility, int shard, bool shown) {
  const bool is_default = shard == static_cast<int>(planning.map().default_shard());
  if (shown && !is_default) return to_home_and_default(planning, utility, shard, Effect::ddl);
  auto plan = relay_to(planning, shard, "the map puts it on one shard");
  plan->effect = Effect::ddl;
  return plan;
}

Home home_of(const Planning& planning, std::string_view schema, std::string_view name) {
  const Place place = place_of(planning, schema, name);
  const auto standard = static_cast<int>(planning.map().default_shard());
  return {place.everywhere, place.everywhere || place.shard == standard ? -1 : place.shard};
}

std::shared_ptr<Plan> broadcast_text(Planning& planning, const tree::Utility& utility,
                                     std::string reason) {
  return everywhere(planning, utility, Effect::ddl, std::move(reason));
}

std::shared_ptr<Plan> text_to_default(Planning& planning, std::string reason) {
  return to_default(planning, std::move(reason), Effect::ddl);
}

std::shared_ptr<Plan> text_for_session(Planning& planning) {
  auto plan = to_default(planning, "temporary relations are on the default shard", Effect::temporary);
  plan->residue = Residue::may_begin;
  return plan;
}

bool makes_temporary(const Planning& planning, const tree::TableRef& relation,
                     tree::CreateTable::Persistence persistence) {
  if (persistence == tree::CreateTable::Persistence::temporary) return true;
  const auto& path = planning.request->context->search_path;
  if (relation.schema.empty()) return !path.empty() && path.front() == "pg_temp";
  return relation.schema == "pg_temp" || relation.schema.starts_with("pg_temp_");
}

bool runs_on_default(const Planning& planning, const PlanResult& inner) {
  const auto* made = std::get_if<std::shared_ptr<const Plan>>(&inner);
  if (made == nullptr || (*made)->kind != PlanKind::relay) return false;
  const Routing& routing = (*made)->routing;
  return routing.mode == Routing::Mode::any_shard ||
         (routing.mode == Routing::Mode::one_shard &&
          routing.shard == static_cast<int>(planning.map().default_shard()));
}

PlanResult plan_utility(Planning& planning, const tree::Utility& utility) {
  const auto answer = [](std::shared_ptr<Plan> plan) -> PlanResult {
    return std::shared_ptr<const Plan>(std::move(plan));
  };
  if (const auto* at = utility.as<tree::Explain>()) return plan_explain(planning, utility, *at);
  if (const auto* at = utility.as<tree::Copy>()) return plan_copy(planning, utility, *at);
  if (utility.as<tree::Truncate>() == nullptr) check_no_buckets(planning, utility);
  if (const auto* at = utility.as<tree::CreateTable>()) {
    return answer(plan_create_table(planning, utility, *at));
  }
  if (const auto* at = utility.as<tree::CreateTableAs>()) {
    return plan_create_table_as(planning, utility, *at);
  }
  if (const auto* at = utility.as<tree::CreateView>()) {
    return answer(plan_create_view(planning, utility, *at));
  }
  if (of_temporaries(planning, utility) || names_temporary_schema(utility)) {
    return answer(text_for_session(planning));
  }
  if (const auto* at = utility.as<tree::CreateIndex>()) {
    return answer(plan_create_index(planning, utility, *at));
  }
  if (const auto* at = utility.as<tree::AlterTable>()) {
    return answer(plan_alter_table(planning, utility, *at));
  }
  if (const auto* at = utility.as<tree::Drop>()) return answer(drop(planning, utility, *at));
  if (const auto* at = utility.as<tree::Vacuum>()) return answer(analyze(planning, utility, *at));
  if (const auto* at = utility.as<tree::Rename>()) return answer(rename(planning, utility, *at));
  if (const auto* at = utility.as<tree::Truncate>()) {
    return answer(truncate(planning, utility, *at));
  }
  if (utility.as<tree::Notify>() != nullptr || utility.as<tree::Listen>() != nullptr ||
      utility.as<tree::Unlisten>() != nullptr || utility.as<tree::LockTable>() != nullptr) {
    return answer(notify_and_locks(planning, utility));
  }
  if (utility.as<tree::Discard>() != nullptr) {
    auto plan = to_default(planning, "what the session has is on the default shard", Effect::none);
    plan->residue = Residue::may_end;
    return answer(std::move(plan));
  }
  if (utility.as<tree::Call>() != nullptr || utility.as<tree::Do>() != nullptr) {
    if (planning.map().shards().size() > 1) refuse_statement(utility.tag, kHintShard);
    auto plan = to_default(planning, "there is one shard only", Effect::writes);
    plan->residue = Residue::may_begin;
    return answer(std::move(plan));
  }
  auto plan = by_kind(planning, utility);
  const auto& path = planning.request->context->search_path;
  if (plan->kind == PlanKind::broadcast && !path.empty() && path.front() == "pg_temp") {
    refuse_statement(utility.tag + " with pg_temp first in search_path", "Put another schema first.");
  }
  // TEMPORARY, and what nobody here has looked into.
  const bool known = is_one_of(utility.kind, kEverywhere) || is_one_of(utility.kind, kOfTables);
  if (plan->kind == PlanKind::relay && !known) plan->residue = Residue::may_begin;
  if (utility.kind == "LoadStmt") plan->residue = Residue::untracked;
  return answer(std::move(plan));
}

}  // namespace anabranch::rewriter
