#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "router/shard_map.h"

namespace anabranch::router {

/// One scheme as two configurations have it. Shards are compared by name.
struct SchemeSide {
  const conf::Database& database;
  const ShardMap& map;
  std::uint32_t scheme = 0;

  const conf::Scheme& written() const { return database.schemes[scheme]; }
  const MappedScheme& mapped() const { return map.schemes()[scheme]; }
};

/// What a new configuration moves, and how even it leaves a scheme.
struct Growth {
  enum class Basis : std::uint8_t {
    buckets,  // counted, all of them
    sample,   // of random keys
    values,   // ranges and lists: the values that move, without shares
    nothing,  // random placement: rows stay
    unknown,  // cannot be compared: `reason` says why
  };

  struct Move {
    std::string from;
    std::string to;
    std::uint64_t count = 0;
    std::string values;  // Basis::values: which
  };

  struct Load {
    std::string shard;
    std::uint64_t count = 0;
    double by_weight = 0;  // its part of all weights; of all shards where weights do not count
  };

  Basis basis = Basis::unknown;
  std::uint64_t total = 0;  // buckets, or keys
  std::vector<Move> moves;  // the greatest first; ranges and lists in their order
  std::vector<Load> loads;  // after it, in the order of the new file
  std::string reason;

  std::uint64_t moved() const;
  /// The fullest shard's load, of what it is by weight.
  double fullest() const;
};

inline constexpr std::uint64_t growth_sample = 1'000'000;  // keys

/// Counts or samples; the sample is the same each time.
Growth compare_schemes(const SchemeSide& before, const SchemeSide& after);

}  // namespace anabranch::router
