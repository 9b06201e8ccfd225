#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "backends/catalog_reader.h"
#include "values/oid_map.h"

namespace anabranch::backends {

/// Pairs the types and relations of each shard with those of the same name on the default one.
/// `names`: the shards'. Shards that could not be read get empty maps.
std::shared_ptr<const values::TypeIdentity> map_oids(
    const std::vector<std::expected<ShardCatalog, std::string>>& shards, std::size_t default_shard,
    const std::vector<std::string>& names);

}  // namespace anabranch::backends
