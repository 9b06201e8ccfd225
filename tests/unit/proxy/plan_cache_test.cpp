#include "proxy/plan_cache.h"

#include <doctest/doctest.h>

using namespace anabranch;
using proxy::CacheContext;
using proxy::CachedPlan;
using proxy::PlanCache;

namespace {

rewriter::Shape shape_of(std::string_view text) {
  rewriter::Shape shape;
  rewriter::shape(text, true, {}, shape);
  return shape;
}

proxy::CachedPlanPtr plan_pinning(std::vector<int> literals) {
  auto plan = std::make_shared<rewriter::Plan>();
  plan->pinned = std::move(literals);
  auto cached = std::make_shared<CachedPlan>();
  cached->plan = std::move(plan);
  return cached;
}

const CacheContext here{1, "public", {}, false};

}  // namespace

TEST_CASE("a sibling of the same shape finds the plan, whatever its free literals") {
  PlanCache cache;
  const auto plan = plan_pinning({});
  cache.put(shape_of("SELECT a FROM t WHERE k = 1"), here, plan);
  CHECK(cache.find(shape_of("select a from  t where k = 22"), here) == nullptr);  // other words
  CHECK(cache.find(shape_of("SELECT a  FROM t /* x */ WHERE k = 22"), here) == plan);
}

TEST_CASE("a literal's type class is part of the shape") {
  PlanCache cache;
  cache.put(shape_of("SELECT 1"), here, plan_pinning({}));
  CHECK(cache.find(shape_of("SELECT 3000000000"), here) == nullptr);
  CHECK(cache.find(shape_of("SELECT 1.5"), here) == nullptr);
  CHECK(cache.find(shape_of("SELECT '1'"), here) == nullptr);
}

TEST_CASE("a pinned literal must be spelt the same") {
  PlanCache cache;
  const auto first = plan_pinning({1});
  const auto second = plan_pinning({1});
  cache.put(shape_of("SELECT a + 7 FROM t ORDER BY 1"), here, first);
  CHECK(cache.find(shape_of("SELECT a + 8 FROM t ORDER BY 1"), here) == first);
  CHECK(cache.find(shape_of("SELECT a + 8 FROM t ORDER BY 2"), here) == nullptr);
  cache.put(shape_of("SELECT a + 8 FROM t ORDER BY 2"), here, second);
  CHECK(cache.find(shape_of("SELECT a + 9 FROM t ORDER BY 2"), here) == second);
  CHECK(cache.find(shape_of("SELECT a + 9 FROM t ORDER BY 1"), here) == first);
}

TEST_CASE("which literals are equal decides: GROUP BY a + 1 of SELECT a + 1") {
  PlanCache cache;
  cache.put(shape_of("SELECT a + 1 FROM t GROUP BY a + 1"), here, plan_pinning({}));
  CHECK(cache.find(shape_of("SELECT a + 2 FROM t GROUP BY a + 2"), here) != nullptr);
  CHECK(cache.find(shape_of("SELECT a + 1 FROM t GROUP BY a + 2"), here) == nullptr);
}

TEST_CASE("every part of the context tells plans apart") {
  PlanCache cache;
  const std::vector<values::Oid> int4{23};
  cache.put(shape_of("SELECT $1"), here, plan_pinning({}));
  CHECK(cache.find(shape_of("SELECT $1"), {2, "public", {}, false}) == nullptr);
  CHECK(cache.find(shape_of("SELECT $1"), {1, "other", {}, false}) == nullptr);
  CHECK(cache.find(shape_of("SELECT $1"), {1, "public", int4, false}) == nullptr);
  CHECK(cache.find(shape_of("SELECT $1"), {1, "public", {}, true}) == nullptr);
}

TEST_CASE("the cache is bounded, and the least recently used goes first") {
  PlanCache cache(2);
  cache.put(shape_of("SELECT a"), here, plan_pinning({}));
  cache.put(shape_of("SELECT b"), here, plan_pinning({}));
  CHECK(cache.find(shape_of("SELECT a"), here) != nullptr);
  cache.put(shape_of("SELECT c"), here, plan_pinning({}));
  CHECK(cache.size() == 2);
  CHECK(cache.find(shape_of("SELECT b"), here) == nullptr);
  CHECK(cache.find(shape_of("SELECT a"), here) != nullptr);
}

TEST_CASE("the cache is bounded in bytes, too, and what would fill it is not kept") {
  constexpr std::size_t bytes = 1 << 20;
  PlanCache cache(PlanCache::most_plans, bytes);
  const auto put = [&](const std::string& name, std::size_t length) {
    cache.put(shape_of("SELECT " + name + std::string(length, 'x')), here, plan_pinning({}));
  };
  for (int i = 0; i < 500; ++i) {
    put("c" + std::to_string(i), 10'000);
    CHECK(cache.bytes() <= bytes);
  }
  CHECK(cache.size() > 4);
  CHECK(cache.size() < 500);
  const std::size_t held = cache.size();
  put("large", 1'000'000);
  std::string literals = "SELECT a FROM t WHERE k IN (0";
  for (int i = 1; i < 10'000; ++i) literals += ", " + std::to_string(i);
  cache.put(shape_of(literals + ")"), here, plan_pinning({}));
  CHECK(cache.size() == held);
  cache.clear();
  CHECK(cache.bytes() == 0);
}

TEST_CASE("what must not be cached is not") {
  PlanCache cache;
  auto plan = std::make_shared<rewriter::Plan>();
  plan->cacheable = false;
  auto cached = std::make_shared<CachedPlan>();
  cached->plan = plan;
  cache.put(shape_of("SELECT 1"), here, cached);
  CHECK(cache.size() == 0);
}
