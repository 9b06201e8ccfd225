#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anabranch::router {

/// Points on the circle of 64-bit numbers, each a shard's.
class HashRing {
 public:
  struct Point {
    std::uint64_t position = 0;
    std::uint32_t shard = 0;
  };

  /// At least one point. Of points in one position the first stays ahead.
  explicit HashRing(const std::vector<Point>& points);

  /// The first point at or after a position, beyond the last of all the first.
  std::size_t successor(std::uint64_t position) const {
    std::size_t point = first_of_cell_[position >> cell_shift_];
    while (point < positions_.size() && positions_[point] < position) ++point;
    return point == positions_.size() ? 0 : point;
  }

  std::uint64_t position(std::size_t point) const { return positions_[point]; }
  std::uint32_t shard(std::size_t point) const { return shards_[point]; }

 private:
  std::vector<std::uint64_t> positions_;  // ascending
  std::vector<std::uint32_t> shards_;
  // The circle in cells of one size, some for each point: a search starts at its cell's first
  // point and, points being hashes, is there after a step or two.
  std::vector<std::uint32_t> first_of_cell_;
  unsigned cell_shift_ = 0;
};

}  // namespace anabranch::router
