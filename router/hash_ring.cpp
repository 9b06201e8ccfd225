#include "router/hash_ring.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace anabranch::router {

HashRing::HashRing(const std::vector<Point>& points) {
  std::vector<std::uint32_t> order(points.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair(points[i].position, i); });
  positions_.reserve(points.size());
  shards_.reserve(points.size());
  for (const std::uint32_t i : order) {
    positions_.push_back(points[i].position);
    shards_.push_back(points[i].shard);
  }
  constexpr std::size_t cells_a_point = 4;
  const std::size_t cells = std::bit_ceil(points.size() * cells_a_point);
  cell_shift_ = 64U - static_cast<unsigned>(std::countr_zero(cells));
  first_of_cell_.reserve(cells);
  std::size_t point = 0;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    while (point < positions_.size() && positions_[point] >> cell_shift_ < cell) ++point;
    first_of_cell_.push_back(static_cast<std::uint32_t>(point));
  }
}

}  // namespace anabranch::router
