#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "conf/config.h"
#include "router/shard_map.h"

/// Where the keys of a lookup scheme lie, as its table on the default shard says. Pure.
namespace anabranch::backends {

/// A query with a row for each of the keys that the table knows: the key's number here, and its shard's name. It means
/// the same under every setting of a session. The keys are not NULL.
std::string lookup_question(conf::Kind kind, const router::MappedScheme& scheme,
                            std::span<const router::KeyValue> keys);

/// How many keys are asked for at once.
inline constexpr std::size_t lookup_keys_at_once = 200;

/// Each key's shard; nothing: the table has no row for it. Throws SqlError where its rows say nothing that can be
/// believed.
std::vector<std::optional<std::uint32_t>> read_lookup_answer(
    const router::ShardMap& map, const router::MappedScheme& scheme, std::span<const router::KeyValue> keys,
    std::span<const std::vector<std::optional<std::string>>> rows);

}  // namespace anabranch::backends
