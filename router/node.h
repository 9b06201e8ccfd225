#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "router/hash.h"

namespace anabranch::router {

/// A shard as the strategies see it that place by hashed names.
struct Node {
  std::string name;
  std::uint32_t shard = 0;
  std::uint32_t weight = 1;

  std::uint64_t hash() const { return xxh64(name); }
};

/// Such strategies look at the names, not at the order of the file.
inline std::vector<Node> by_name(std::vector<Node> nodes) {
  std::ranges::sort(nodes, {}, &Node::name);
  return nodes;
}

}  // namespace anabranch::router
