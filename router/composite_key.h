#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "router/placement.h"

/// Keys of several columns, each held as one value of bytes: of each part its length in 4 bytes,
/// little-endian (0xFFFFFFFF for NULL), then its bytes.
namespace anabranch::router {

/// Never NULL itself. As many parts as types.
KeyValue composite_key(std::span<const KeyType> types, std::span<const KeyValue> parts);

/// The parts of what composite_key() made of these types.
std::vector<KeyValue> composite_parts(std::span<const KeyType> types, const KeyValue& key);

/// PostgreSQL's hash of a partition key of several columns: NULL parts are left out.
std::uint64_t pg_hash_of_parts(std::span<const KeyType> types, std::span<const KeyValue> parts);

}  // namespace anabranch::router
