#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/server.h"
#include "router/shard_map.h"

/// All rows against the map, by the control plane: `anabranch check --data`.
namespace anabranch::backends {

/// Rows in any order: their number, and the sum of their MD5s as 128-bit numbers.
class RowsChecksum {
 public:
  /// An MD5 in hexadecimal. False: it is none.
  bool add(std::string_view digest);
  std::uint64_t rows() const { return rows_; }
  std::string text() const;
  bool operator==(const RowsChecksum&) const = default;

 private:
  std::uint64_t rows_ = 0;
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

/// What was found of one table on one shard.
struct ShardData {
  static constexpr std::size_t most_examples = 5;
  bool there = false;                    ///< the table is
  std::uint64_t rows = 0;                ///< looked at
  std::uint64_t wrong = 0;               ///< whose place is another, or none
  std::vector<std::string> examples;     ///< of those, for people
  std::optional<RowsChecksum> checksum;  ///< of a reference table
  std::string failure;                   ///< why it could not be looked at; empty: it was
};

struct DataCheckRequest {
  const conf::Database* database = nullptr;
  const router::ShardMap* map = nullptr;
  std::uint64_t rows_per_second = 0;  ///< of each shard; 0: as fast as it goes
  std::atomic<std::uint64_t>* rows_seen = nullptr;
};

/// Looks at every row of a lookup scheme's table, on the default shard: `wrong` are those that name no shard of the
/// map. Blocks; any thread.
ShardData check_lookup(const DataCheckRequest& request, const router::MappedScheme& scheme);

/// Looks at every row of a table on every shard, a chunk at a time, all shards at once; answers in shard order. Shards
/// that `lost` gives a reason for are not asked; those that cannot be connected to get one. Blocks; any thread.
std::vector<ShardData> check_data(const DataCheckRequest& request, const router::MappedTable& table,
                                  std::vector<std::string>& lost);

}  // namespace anabranch::backends
