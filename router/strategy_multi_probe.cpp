#include <limits>

#include "router/hash_ring.h"
#include "router/strategies.h"

namespace anabranch::router {
namespace {

std::vector<HashRing::Point> points_of(const std::vector<Node>& nodes) {
  std::vector<HashRing::Point> points;
  for (const Node& node : nodes) points.push_back({node.hash(), node.shard});
  return points;
}

class MultiProbe final : public Strategy {
 public:
  MultiProbe(const std::vector<Node>& nodes, std::uint32_t probes) : ring_(points_of(nodes)) {
    for (std::uint64_t i = 0; i < probes; ++i) seeds_.push_back(int_hash64(i));
  }

  bool hashes() const override { return true; }

  std::optional<Placement> place(std::uint64_t f1, const KeyValue&) const override {
    std::uint64_t nearest = std::numeric_limits<std::uint64_t>::max();
    std::size_t best = 0;
    for (const std::uint64_t seed : seeds_) {
      const std::uint64_t probe = int_hash64(f1 ^ seed);
      const std::size_t point = ring_.successor(probe);
      const std::uint64_t distance = ring_.position(point) - probe;  // round the circle
      if (distance < nearest) {
        nearest = distance;
        best = point;
      }
    }
    return Placement{-1, ring_.shard(best)};
  }

 private:
  HashRing ring_;
  std::vector<std::uint64_t> seeds_;  // one a probe
};

}  // namespace

std::unique_ptr<const Strategy> make_multi_probe(std::vector<Node> nodes, std::uint32_t probes) {
  return std::make_unique<MultiProbe>(by_name(std::move(nodes)), probes);
}

}  // namespace anabranch::router
