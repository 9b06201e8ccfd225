// What the proxy itself adds to a statement whose plan is cached: its shape, the plan, its shards.
// Nanoseconds of processor time, the best of several runs.
//
//   proxy_bench [runs]

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>

#include "../plans/fixture.h"
#include "proxy/plan_cache.h"

namespace {

using namespace anabranch;

constexpr int kRounds = 200'000;

double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void measure(const char* what, int runs, const std::function<std::size_t()>& once) {
  double best = 1e18;
  std::size_t sink = 0;
  for (int run = 0; run < runs; ++run) {
    const double began = now();
    for (int i = 0; i < kRounds; ++i) sink += once();
    best = std::min(best, (now() - began) / kRounds);
  }
  fmt::print("{:<44} {:>8.0f} ns{}\n", what, best, sink == 0 ? " (nothing found)" : "");
}

/// One statement: as it comes, found in a cache of its plan, routed.
void measure_statement(const plans::World& world, const std::string& text, int runs) {
  rewriter::Shape shape;
  const rewriter::LexLimits limits;
  rewriter::shape(text, true, limits, shape);
  const rewriter::PlanningContext planning;
  rewriter::PlanRequest request;
  request.text = text;
  request.shape = &shape;
  request.catalog = world.catalog.get();
  request.map = world.map.get();
  request.context = &planning;
  auto made = rewriter::plan(request);
  auto* plan = std::get_if<std::shared_ptr<const rewriter::Plan>>(&made);
  if (plan == nullptr || (*plan)->kind != rewriter::PlanKind::relay) {
    fmt::print("{}: no relay\n", text);
    std::exit(1);
  }
  proxy::PlanCache cache;
  const proxy::CacheContext context{.database_version = 1, .planning = "C", .parameter_types = {}};
  cache.put(shape, context, std::make_shared<proxy::CachedPlan>(proxy::CachedPlan{*plan, {}}));

  const auto shape_it = [&] {
    rewriter::shape(text, true, limits, shape);
    return shape.literals().size();
  };
  const auto find_it = [&] { return cache.find(shape, context) != nullptr ? 1U : 0U; };
  const auto route_it = [&] {
    rewriter::BindRequest bind;
    bind.plan = plan->get();
    bind.shape = &shape;
    bind.map = world.map.get();
    return rewriter::route(bind, nullptr).size();
  };
  fmt::print("{}\n", text);
  measure("  shape", runs, shape_it);
  measure("  plan cache", runs, find_it);
  measure("  route", runs, route_it);
  measure("  all three", runs, [&] { return shape_it() + find_it() + route_it(); });
}

}  // namespace

int main(int count, char** arguments) {
  const int runs = count > 1 ? std::atoi(arguments[1]) : 7;
  const plans::World world = plans::load_world(PLANS_DIR, false);
  measure_statement(world, "SELECT amount FROM orders WHERE user_id = 12345", runs);
  measure_statement(world,
                    "SELECT o.order_no, o.amount, o.status FROM orders AS o WHERE o.user_id = 12345 AND "
                    "o.status IN ('new', 'paid') AND o.amount > 10.5 ORDER BY o.placed_at DESC LIMIT 20",
                    runs);
}
