#include <algorithm>
#include <array>

#include "rewriter/mysql/plan.h"
#include "rewriter/utility.h"

/// SET STATEMENT … FOR a statement: that statement's own plan, of which each shard carries its part out under the
/// settings.
namespace anabranch::rewriter::mysql {
namespace {

/// They decide what the text means, which is read under the session's own.
constexpr auto reading = std::to_array<std::string_view>({"sql_mode", "character_set_client", "character_set_connection",
                                                          "collation_connection", "autocommit"});
/// They decide how a statement is carried out, and not what it answers.
constexpr auto running = std::to_array<std::string_view>(
    {"max_statement_time", "lock_wait_timeout", "innodb_lock_wait_timeout", "optimizer_switch", "optimizer_search_depth",
     "optimizer_prune_level", "optimizer_use_condition_selectivity", "use_stat_tables", "join_cache_level",
     "join_buffer_size", "sort_buffer_size", "read_buffer_size", "read_rnd_buffer_size", "mrr_buffer_size",
     "tmp_table_size", "max_heap_table_size", "tmp_memory_table_size", "long_query_time", "log_slow_verbosity"});

void check(const tree::SetStatement& statement, bool several) {
  using Kind = tree::SetVariables::Item::Kind;
  for (const tree::SetVariables::Item& item : statement.items) {
    const bool among_running = std::ranges::find(running, item.name) != running.end();
    const bool known = item.kind == Kind::unscoped || item.kind == Kind::session;
    const bool reads = std::ranges::find(reading, item.name) != reading.end();
    if (!known || reads) refuse_statement("SET STATEMENT " + item.name, "Set it for the session.");
    if (several && !among_running) {
      refuse_clause("SET STATEMENT " + item.name, "the statement is for several shards, whose answers are merged",
                    "Set it for the session.");
    }
  }
}

void put_ahead(const std::string& prefix, SqlTemplate& text) {
  if (!text.pieces.empty()) text.pieces.insert(text.pieces.begin(), prefix);
}

}  // namespace

PlanResult plan_set_statement(Planning& planning, const tree::SetStatement& statement) {
  std::string original = to_text(*statement.statement, planning.shape(), Dialect::mysql);
  PlanResult inner = plan_inner(planning, *statement.statement, std::move(original));
  if (auto* need = std::get_if<NeedDescribe>(&inner)) return std::move(*need);
  auto planned = std::get<std::shared_ptr<const Plan>>(inner);
  if (planned->kind == PlanKind::refuse) return planned;
  check(statement, planned->kind != PlanKind::relay);
  for (const int token : planned->pinned) planning.pins.pin(token);
  *planning.plan = *planned;
  Plan& plan = *planning.plan;
  // How columns are named, and which literals are whose, belongs to this very text.
  plan.cacheable = false;
  put_ahead(statement.prefix, plan.subquery);
  if (plan.insert) put_ahead(statement.prefix, plan.insert->prefix);
  for (auto& [shard, text] : plan.subquery_of) {
    if (!text.empty()) text.insert(0, statement.prefix);
  }
  return std::shared_ptr<const Plan>(planning.plan);
}

}  // namespace anabranch::rewriter::mysql
