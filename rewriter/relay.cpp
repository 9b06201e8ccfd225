#include <algorithm>

#include "rewriter/planning.h"

/// Relay: all rows that the statement reads or writes are on one shard, whatever it does with them.
namespace anabranch::rewriter {
namespace {

using Kind = KeyCondition::Kind;

bool may_be_single(const KeyCondition& condition, const router::ShardMap& map) {
  switch (condition.kind) {
    case Kind::anything: {
      if (condition.table < 0) return map.shards().size() == 1;
      return map.shards_of(map.tables()[static_cast<std::size_t>(condition.table)]).size() == 1;
    }
    case Kind::any_of:
      return std::ranges::all_of(condition.parts,
                                 [&](const auto& part) { return may_be_single(part, map); });
    case Kind::all_of:
      return std::ranges::any_of(condition.parts,
                                 [&](const auto& part) { return may_be_single(part, map); });
    default:
      return true;
  }
}

std::string describe(const Planning& planning, const Visit& visit) {
  const KeyTuple key = key_of(planning.query, visit.instance);
  std::string names;
  for (const Ident column : key.columns) {
    names += (names.empty() ? "" : ", ") + planning.query.describe(column);
  }
  return names;
}

}  // namespace

KeyCondition fixed_shard(int shard) {
  KeyCondition condition;
  condition.kind = Kind::shard_number;
  KeyOperand operand;
  operand.value.text = std::to_string(shard + 1);
  operand.value_type = values::oid::int4;
  operand.column_type = values::oid::int4;
  condition.operands.push_back(std::move(operand));
  return condition;
}

Placement place(const Planning& planning, const Analysis& analysis) {
  const Query& query = planning.query;
  std::vector<Visit> visits = analysis.visits();
  std::vector<bool> seen(query.instances.size());
  for (const Visit& visit : visits) seen[static_cast<std::size_t>(visit.instance)] = true;
  for (std::size_t i = 0; i < query.instances.size(); ++i) {
    // What the analysis did not come by may be read all the same.
    if (!seen[i] && query.instances[i]->kind == Instance::Kind::table) {
      visits.push_back({static_cast<int>(i), {}});
    }
  }
  Placement placement;
  std::vector<KeyCondition> parts;
  bool all_fixed = true;
  bool fixed_apart = false;
  for (const Visit& visit : visits) {
    const Instance& instance = query.at(visit.instance);
    if (query.reference(instance)) {
      placement.any_reference = true;
    } else if (query.sharded(instance)) {
      placement.any_sharded = true;
      all_fixed = false;
      parts.push_back(key_condition(query, visit.facts, visit.instance, planning.values));
    } else {
      const router::MappedTable* table = query.mapped(instance);
      const auto shard = table == nullptr ? planning.map().default_shard() : table->shard;
      fixed_apart |= placement.fixed_shard && *placement.fixed_shard != static_cast<int>(shard);
      placement.fixed_shard = static_cast<int>(shard);
      parts.push_back(fixed_shard(static_cast<int>(shard)));
    }
  }
  if (parts.empty()) return placement;
  if (!all_fixed || fixed_apart) placement.fixed_shard.reset();
  KeyCondition all;
  if (parts.size() == 1) {
    all = std::move(parts.front());
  } else {
    all.kind = Kind::any_of;
    all.parts = std::move(parts);
  }
  placement.may_be_single = placement.fixed_shard.has_value() || (!fixed_apart && may_be_single(all, planning.map()));
  if (placement.any_sharded && !visits.empty()) {
    const auto sharded = std::ranges::find_if(
        visits, [&](const Visit& visit) { return query.sharded(query.at(visit.instance)); });
    all.text = describe(planning, *sharded);
  }
  placement.condition = std::move(all);
  return placement;
}

std::shared_ptr<Plan> relay_to(Planning& planning, int shard, std::string reason) {
  auto plan = planning.plan;
  plan->kind = PlanKind::relay;
  plan->routing.mode = Routing::Mode::one_shard;
  plan->routing.shard = shard;
  plan->routing.reason = std::move(reason);
  return plan;
}

std::shared_ptr<Plan> relay(Planning& planning, const Placement& placement) {
  auto plan = planning.plan;
  const int preferred = static_cast<int>(planning.map().default_shard());
  if (planning.map().shards().size() == 1) {
    return relay_to(planning, preferred, "there is one shard only");
  }
  if (!placement.condition) {
    // LAST_INSERT_ID() is known where it was set.
    const bool anywhere = placement.any_reference || planning.traits.last_insert;
    if (!anywhere) return relay_to(planning, preferred, "no table is read");
    if (planning.traits.locking) {
      return relay_to(planning, preferred, "rows of reference tables are locked on one shard");
    }
    if (planning.plan->residue != Residue::none || !planning.traits.session_call.empty()) {
      return relay_to(planning, preferred, "the session is the default shard's");
    }
    if (!planning.traits.sequence.empty()) {
      return relay_to(planning, preferred, "sequences are the default shard's");
    }
    plan->kind = PlanKind::relay;
    plan->routing.mode = Routing::Mode::any_shard;
    plan->routing.reason = placement.any_reference ? "only reference tables are read" : "no table is read";
    return plan;
  }
  if (placement.fixed_shard) {
    return relay_to(planning, *placement.fixed_shard, "its tables are on one shard");
  }
  if (planning.request->several || !placement.may_be_single) return nullptr;
  plan->kind = PlanKind::relay;
  plan->routing.mode = Routing::Mode::by_key;
  plan->routing.condition = *placement.condition;
  plan->routing.reason = placement.condition->text.empty()
                             ? "all its rows are on one shard"
                             : "the key " + placement.condition->text + " is given";
  return plan;
}

}  // namespace anabranch::rewriter
