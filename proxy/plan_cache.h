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

/// Plans by shape: bounded, least recently used first out. One per loop, no locks.
///
/// Exact: an entry is found by shape, context and which literals are equal; within it a plan is
/// found by the spelling of the literals it pinned (design, "The plan cache is exact").
class PlanCache {
 public:
  explicit PlanCache(std::size_t capacity = 4096) : capacity_(capacity) {}

  /// The plan, or null. Allocates nothing.
  CachedPlanPtr find(const rewriter::Shape& shape, const CacheContext& context);
  void put(const rewriter::Shape& shape, const CacheContext& context, CachedPlanPtr plan);
  /// Drops that very plan.
  void forget(const CachedPlanPtr& plan);
  void clear();
  /// Number of plans held.
  std::size_t size() const { return order_.size(); }

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
    CachedPlanPtr plan;
  };
  using Order = std::list<Entry>;

  static bool same(const Entry& entry, const rewriter::Shape& shape, const CacheContext& context);
  static std::uint64_t hash_of(const rewriter::Shape& shape, const CacheContext& context);
  void erase(Order::iterator victim);

  std::size_t capacity_;
  Order order_;  ///< most recently used first
  std::unordered_multimap<std::uint64_t, Order::iterator> by_hash_;
};

}  // namespace anabranch::proxy
