#include "proxy/plan_cache.h"

#include <algorithm>

#include "proxy/type_identity.h"

namespace anabranch::proxy {

namespace {

// Of an entry. A plan has the statement's text some times, in pieces between its literals; what is sent to shards, and
// where each literal leads, are per literal.
constexpr std::size_t plain_bytes = 4096;
constexpr std::size_t bytes_a_character = 8;
constexpr std::size_t bytes_a_literal = 256;

std::size_t estimate_bytes(const rewriter::Shape& shape) {
  return plain_bytes + bytes_a_character * shape.text().size() + bytes_a_literal * shape.literals().size();
}

}  // namespace

void CachedPlan::describe(rewriter::Description described) {
  description = std::move(described);
  oids_in_rows = description->columns && may_name_oids(*description->columns);
  oids_in_parameters = std::ranges::any_of(
      description->parameters, [](values::Oid type) { return may_name_oids(type, -1); });
}

std::uint64_t PlanCache::hash_of(const rewriter::Shape& shape, const CacheContext& context) {
  return shape.hash() ^ (context.database_version * 0x9E3779B97F4A7C15ULL);
}

bool PlanCache::same(const Entry& entry, const rewriter::Shape& shape, const CacheContext& context) {
  return entry.database_version == context.database_version && entry.shape == shape.text() &&
         entry.several == context.several && entry.planning == context.planning &&
         std::ranges::equal(entry.parameter_types, context.parameter_types) &&
         entry.equal_to == shape.equal_to();
}

CachedPlanPtr PlanCache::find(const rewriter::Shape& shape, const CacheContext& context) {
  const auto [first, last] = by_hash_.equal_range(hash_of(shape, context));
  for (auto at = first; at != last; ++at) {
    const Entry& entry = *at->second;
    if (!same(entry, shape, context)) continue;
    const std::vector<int>& pinned = entry.plan->plan->pinned;
    bool fits = true;
    for (std::size_t i = 0; fits && i < pinned.size(); ++i) {
      fits = entry.pinned[i] == shape.spelling(pinned[i]);
    }
    if (!fits) continue;
    order_.splice(order_.begin(), order_, at->second);
    return entry.plan;
  }
  return nullptr;
}

void PlanCache::put(const rewriter::Shape& shape, const CacheContext& context, CachedPlanPtr plan) {
  if (!plan->plan->cacheable) return;
  const std::size_t bytes = estimate_bytes(shape);
  // One that would drive out most others is not worth it.
  if (bytes > byte_capacity_ / 4) return;
  Entry entry;
  entry.bytes = bytes;
  entry.hash = hash_of(shape, context);
  entry.shape = shape.text();
  entry.equal_to = shape.equal_to();
  entry.database_version = context.database_version;
  entry.planning = context.planning;
  entry.several = context.several;
  entry.parameter_types.assign(context.parameter_types.begin(), context.parameter_types.end());
  for (const int literal : plan->plan->pinned) entry.pinned.emplace_back(shape.spelling(literal));
  entry.plan = std::move(plan);
  order_.push_front(std::move(entry));
  by_hash_.emplace(order_.front().hash, order_.begin());
  bytes_ += bytes;
  while (order_.size() > capacity_ || bytes_ > byte_capacity_) erase(std::prev(order_.end()));
}

void PlanCache::erase(Order::iterator victim) {
  const auto [first, last] = by_hash_.equal_range(victim->hash);
  const auto found = std::find_if(first, last, [&](const auto& item) { return item.second == victim; });
  by_hash_.erase(found);
  bytes_ -= victim->bytes;
  order_.erase(victim);
}

void PlanCache::forget(const CachedPlanPtr& plan) {
  const auto found = std::ranges::find(order_, plan, &Entry::plan);
  if (found != order_.end()) erase(found);
}

void PlanCache::clear() {
  by_hash_.clear();
  order_.clear();
  bytes_ = 0;
}

}  // namespace anabranch::proxy
