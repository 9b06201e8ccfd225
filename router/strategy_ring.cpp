#include <fmt/format.h>

#include "router/hash_ring.h"
#include "router/strategies.h"

namespace anabranch::router {
namespace {

class Ring final : public Strategy {
 public:
  explicit Ring(const std::vector<HashRing::Point>& points) : ring_(points) {}

  bool hashes() const override { return true; }

  std::optional<Placement> place(std::uint64_t f1, const KeyValue&) const override {
    return Placement{-1, ring_.shard(ring_.successor(f1))};
  }

 private:
  HashRing ring_;
};

}  // namespace

std::unique_ptr<const Strategy> make_ring(std::vector<Node> nodes, std::uint32_t virtual_nodes) {
  std::vector<HashRing::Point> points;
  for (const Node& node : by_name(std::move(nodes))) {
    const std::uint64_t count = std::uint64_t{virtual_nodes} * node.weight;
    for (std::uint64_t i = 0; i < count; ++i) {
      points.push_back({xxh64(fmt::format("{}#{}", node.name, i)), node.shard});
    }
  }
  return std::make_unique<Ring>(points);
}

}  // namespace anabranch::router
