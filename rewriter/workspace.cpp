#include "rewriter/workspace.h"

namespace anabranch::rewriter {
namespace {

/// Those of the rows that count, and where there is one copy, that.
KeyCondition every_shard_needed(const Scatter& scatter, const Gather& gather) {
  KeyCondition all = *scatter.placement.condition;
  for (const Gather::Piece& piece : gather.pieces) {
    if (piece.only_shard < 0) continue;
    KeyCondition both;
    both.kind = KeyCondition::Kind::any_of;
    both.parts.push_back(std::move(all));
    both.parts.push_back(fixed_shard(piece.only_shard));
    all = std::move(both);
  }
  return all;
}

}  // namespace

void check_gathered(const Scatter& scatter) {
  const Planning& planning = scatter.planning;
  const Traits& traits = planning.traits;
  check_system_columns(planning);
  check_impure(planning);
  if (traits.locking) {
    refuse_clause("FOR UPDATE of gathered rows", "the rows that would be locked are on their shards",
                  "Select the keys first, then lock them by key.");
  }
  if (!traits.shared.empty()) {
    refuse_clause(traits.shared, "its value belongs to one server", "Compute it first, and give it as a constant.");
  }
  if (traits.virtual_columns) {
    refuse_clause("_shard_num or _shard_name", "the rows are gathered from their shards", "Leave it out.");
  }
  const std::string& own = !traits.session_call.empty()    ? traits.session_call
                           : !traits.session_value.empty() ? traits.session_value
                                                           : traits.sequence;
  // What INTO sets there is known afterwards.
  const bool leaves = planning.plan->residue != Residue::none && scatter.select.into.empty();
  if (!own.empty() || traits.settings || leaves) {
    refuse_statement((own.empty() ? std::string("a function that changes the session") : own + "()") +
                         " beside rows of several shards",
                     "Call it in a statement of its own.");
  }
  if (planning.query.uses_views) {
    for (const auto& instance : planning.query.instances) {
      if (instance->relation == nullptr || !instance->relation->row_security) continue;
      refuse_clause("a view over rows of several shards", "policies of table " + instance->relation->name +
                    " are its owner's", "Query the table itself.");
    }
  }
}

void place_piece(const Planning& planning, const Piece& piece, Gather::Piece& made) {
  const Instance& instance = planning.query.at(piece.instances.front());
  const router::MappedTable* table = planning.query.mapped(instance);
  const auto preferred = planning.map().default_shard();
  if (planning.query.sharded(instance)) {
    made.table = instance.table;
  } else if (table == nullptr) {
    made.only_shard = static_cast<int>(preferred);
  } else if (planning.query.reference(instance)) {
    const router::ShardSet shards = planning.map().shards_of(*table);
    made.only_shard = static_cast<int>(shards.contains(preferred) ? preferred : *shards.begin());
  } else {
    made.only_shard = static_cast<int>(table->shard);
  }
}

SqlTemplate template_of(Planning& planning, tree::Statement& statement) {
  fill_holes(planning, statement);
  return with_holes(planning.print(statement));
}

std::shared_ptr<Plan> gather_plan(Scatter& scatter, Gather gather) {
  auto plan = scatter.planning.plan;
  plan->kind = PlanKind::gather;
  plan->routing.mode = Routing::Mode::by_key;
  plan->routing.condition = every_shard_needed(scatter, gather);
  if (plan->routing.condition.kind == KeyCondition::Kind::anything) plan->routing.reason = "nothing limits the key";
  plan->gather = std::move(gather);
  plan->reasons.emplace_back("the workspace answers, from the rows of all its tables");
  return plan;
}

}  // namespace anabranch::rewriter
