#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "router/shard_map.h"

/// What each shard remembers of the epochs of schemes, so that a proxy with an older map can tell
/// that its map is one. Kept as the comment on a schema `anabranch`, which is made when keys first
/// move: readable by everybody without a look whether it exists, and taken along by pg_dump.
namespace anabranch::backends {

/// By the scheme's name; a scheme that is not there is at epoch 1.
using Epochs = std::map<std::string, std::uint64_t, std::less<>>;

/// Of every shard; nothing where one could not be asked. Blocks; any thread.
std::vector<std::optional<Epochs>> read_epochs(const conf::Database& database);

/// Has every shard remember the map's epochs, where they are higher than what it does. Answers why
/// it could not be done, a sentence a shard. Blocks; any thread.
std::vector<std::string> write_epochs(const conf::Database& database, const router::ShardMap& map);

/// Why rows must not be written by this map: a shard remembers a higher epoch. Empty: they may.
std::string find_outdated(const router::ShardMap& map, const std::vector<std::optional<Epochs>>& remembered);

}  // namespace anabranch::backends
