#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "rewriter/plan.h"
#include "rewriter/planner.h"

namespace anabranch::proxy {

/// A plan and what Describe of the client's own text answered, once it has been asked. Of one loop.
struct CachedPlan {
  std::shared_ptr<const rewriter::Plan> plan;
  std::optional<rewriter::Description> description;
  /// Of the described: binary values may name OIDs, which are others on each shard.
  bool oids_in_rows = false;
  bool oids_in_parameters = false;

  void describe(rewriter::Description described);
};
using CachedPlanPtr = std::shared_ptr<CachedPlan>;

/// Everything but the shape that decides what a statement means; its parts are compared in full.
struct CacheContext {
  std::uint64_t database_version = 0;
  std::string_view planning;  ///< PlanningContext in one canonical string
  std::span<const values::Oid> parameter_types;
  bool several = false;  ///< PlanRequest::several
};

/// Plans by shape: bounded in number and in memory, least recently used first out. One per loop, no locks.
///
/// Exact: an entry is found by shape, context and which literals are equal; within it a plan is
/// found by the spelling of the literals it pinned (design, "The plan cache is exact").
class PlanCache {
 public:
  static constexpr std::size_t most_plans = 4096;
  static constexpr std::size_t most_bytes = std::size_t{64} << 20;

  explicit PlanCache(std::size_t capacity = most_plans, std::size_t bytes = most_bytes)
      : capacity_(capacity), byte_capacity_(bytes) {}

  /// The plan, or null. Allocates nothing.
  CachedPlanPtr find(const rewriter::Shape& shape, const CacheContext& context);
  void put(const rewriter::Shape& shape, const CacheContext& context, CachedPlanPtr plan);
  /// Drops that very plan.
  void forget(const CachedPlanPtr& plan);
  void clear();
  /// Number of plans held.
  std::size_t size() const { return order_.size(); }
  /// What they take, by an estimate on the safe side.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::string shape;
    std::vector<int> equal_to;
    std::uint64_t database_version = 0;
    std::string planning;
    std::vector<values::Oid> parameter_types;
    std::vector<std::string> pinned;  ///< spellings, in the order of plan->pinned
    bool several = false;
    std::size_t bytes = 0;
    CachedPlanPtr plan;
  };
  using Order = std::list<Entry>;

  static bool same(const Entry& entry, const rewriter::Shape& shape, const CacheContext& context);
  static std::uint64_t hash_of(const rewriter::Shape& shape, const CacheContext& context);
  void erase(Order::iterator victim);

  const std::size_t capacity_;
  const std::size_t byte_capacity_;
  std::size_t bytes_ = 0;
  Order order_;  ///< most recently used first
  std::unordered_multimap<std::uint64_t, Order::iterator> by_hash_;
};

}  // namespace anabranch::proxy
