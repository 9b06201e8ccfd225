#include "rewriter/key_binding.h"

namespace anabranch::rewriter {
namespace {

int first_table(const KeyCondition& condition) {
  if (condition.table >= 0) return condition.table;
  for (const KeyCondition& part : condition.parts) {
    if (const int table = first_table(part); table >= 0) return table;
  }
  return -1;
}

/// Somebody must answer, also where no row can be: the default shard, or one that has the table.
router::ShardSet or_any(router::ShardSet shards, const BindRequest& request) {
  if (!shards.empty()) return shards;
  const std::uint32_t preferred = request.map->default_shard();
  const int table = first_table(request.plan->routing.condition);
  if (table < 0) return router::ShardSet::of(preferred);
  const auto having =
      request.map->shards_of(request.map->tables()[static_cast<std::size_t>(table)]);
  return router::ShardSet::of(having.contains(preferred) ? preferred : *having.begin());
}

void say(std::string* why, const Routing& routing, const BindRequest& request) {
  if (why == nullptr) return;
  *why = routing.reason;
  if (routing.mode != Routing::Mode::by_key) return;
  std::string keys;
  explain_condition(routing.condition, request, keys);
  if (keys.empty()) return;
  if (!why->empty()) *why += "; ";
  *why += keys;
}

}  // namespace

router::ShardSet route(const BindRequest& request, std::string* why) {
  const Routing& routing = request.plan->routing;
  say(why, routing, request);
  switch (routing.mode) {
    case Routing::Mode::any_shard:
      return router::ShardSet::of(request.map->default_shard());
    case Routing::Mode::one_shard:
      return router::ShardSet::of(static_cast<std::size_t>(routing.shard));
    case Routing::Mode::all_shards: {
      if (routing.condition.table < 0) return request.map->all_shards();
      return shards_of(routing.condition, request);
    }
    case Routing::Mode::by_key:
      return or_any(shards_of(routing.condition, request), request);
  }
  return {};
}

std::optional<std::uint32_t> only_shard(const BindRequest& request) {
  const Routing& routing = request.plan->routing;
  switch (routing.mode) {
    case Routing::Mode::any_shard:
      return request.map->default_shard();
    case Routing::Mode::one_shard:
      return static_cast<std::uint32_t>(routing.shard);
    case Routing::Mode::by_key:
      return shard_of_key(routing.condition, request);
    case Routing::Mode::all_shards:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace anabranch::rewriter
