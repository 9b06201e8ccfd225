#include "merge/slot_table.h"

#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace anabranch::merge {

std::uint64_t hash_seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
  }();
  return seed;
}

std::uint64_t hash_bytes(std::string_view bytes) {
  static const std::uint64_t seed = hash_seed();
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace anabranch::merge
