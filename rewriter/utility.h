#pragma once

#include "rewriter/planning.h"

/// Planners of single utility statements. Internal to rewriter/.
namespace anabranch::rewriter {

struct Home {
  bool mapped = false;  ///< on every shard: sharded, reference, or a view over these
  int shard = -1;       ///< whole, on a shard other than the default one
};
Home home_of(const Planning& planning, std::string_view schema, std::string_view name);

std::shared_ptr<Plan> broadcast_text(Planning& planning, const tree::Utility& utility,
                                     std::string reason);
/// To a shard that has a table as a whole. `shown`: to the default shard, too, which has its definition
/// for the catalogs' sake.
std::shared_ptr<Plan> text_elsewhere(Planning& planning, const tree::Utility& utility, int shard, bool shown);
std::shared_ptr<Plan> text_to_default(Planning& planning, std::string reason);
/// To the default shard; what it makes or changes is temporary, the session's own.
std::shared_ptr<Plan> text_for_session(Planning& planning);
/// A relation made so, under that name, is a temporary one.
bool makes_temporary(const Planning& planning, const tree::TableRef& relation,
                     tree::CreateTable::Persistence persistence);
/// All that the plan reads is on the default shard.
bool runs_on_default(const Planning& planning, const PlanResult& inner);

PlanResult plan_explain(Planning& planning, const tree::Utility& utility,
                        const tree::Explain& explain);
PlanResult plan_copy(Planning& planning, const tree::Utility& utility, const tree::Copy& copy);
PlanResult plan_copy_out(Planning& planning, const tree::Utility& utility, const tree::Copy& copy);
std::shared_ptr<Plan> plan_create_table(Planning& planning, const tree::Utility& utility,
                                        const tree::CreateTable& create);
PlanResult plan_create_table_as(Planning& planning, const tree::Utility& utility,
                                const tree::CreateTableAs& create);
std::shared_ptr<Plan> plan_create_view(Planning& planning, const tree::Utility& utility,
                                       const tree::CreateView& create);
std::shared_ptr<Plan> plan_create_index(Planning& planning, const tree::Utility& utility,
                                        const tree::CreateIndex& create);
std::shared_ptr<Plan> plan_alter_table(Planning& planning, const tree::Utility& utility,
                                       const tree::AlterTable& alter);
/// PREPARE, EXECUTE, DEALLOCATE; DECLARE, FETCH, MOVE, CLOSE: carried out by the session, which knows
/// the names. Null for all else.
std::shared_ptr<Plan> plan_named(const Planning& planning, const tree::Utility& utility);
/// Refuses constraints that no shard could keep, of a table or of what is added to one.
void check_constraints(const Planning& planning, const tree::TableRef& of,
                       const std::vector<tree::ColumnDefinition>& columns,
                       const std::vector<tree::CreateTable::TableConstraint>& constraints);
void check_unique_index(const Planning& planning, const tree::CreateIndex& create);
/// Refuses a change of a column that the map makes keys of.
void check_key_column(const Planning& planning, const tree::RelationName& relation,
                      std::string_view column, std::string_view tag);
/// A query inside another statement, planned on its own. `text`: of it alone.
PlanResult plan_inner(const Planning& planning, const tree::Statement& statement, std::string text);

/// Refuses 'now' and 'today' in a definition that every shard reads for itself.
void check_definition(const Planning& planning, const tree::Utility& utility);
/// Refuses new columns whose values in old rows every shard would compute for itself. `copies`: of a
/// reference table, where fresh values differ too.
void check_filling(const Planning& planning, const tree::Utility& utility,
                   const tree::AlterTable& alter, bool copies);

}  // namespace anabranch::rewriter
