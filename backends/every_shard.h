#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>
#include <vector>

namespace anabranch::backends {

/// Runs `work(shard)` for the shards 0 to `count` - 1 on threads of their own, sixteen at a time, and
/// waits for all: the control plane's calls block.
template <class Work>
void on_every_shard(std::size_t count, const Work& work) {
  constexpr std::size_t at_once = 16;
  for (std::size_t first = 0; first < count; first += at_once) {
    std::vector<std::jthread> threads;
    for (std::size_t shard = first; shard < std::min(count, first + at_once); ++shard) {
      threads.emplace_back([&work, shard] { work(shard); });
    }
  }
}

}  // namespace anabranch::backends
