#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conf/config.h"
#include "router/placement.h"

namespace anabranch::router {

/// F1. Each function is exact for ever: a change of any is a change of data (docs/configuration.md,
/// "Placement, exactly").

/// ClickHouse's SQL function intHash64: the finalizer of MurmurHash3, over the number xored with a
/// constant (so that 0 is not 0).
constexpr std::uint64_t int_hash64(std::uint64_t x) {
  x ^= 0x4CF2D2BAAE6DA887ULL;
  x ^= x >> 33U;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33U;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33U;
  return x;
}

/// xxHash64 with seed 0.
std::uint64_t xxh64(std::string_view bytes);

/// The first 8 bytes, little-endian, of MurmurHash3_x64_128 with seed 0.
std::uint64_t murmur3(std::string_view bytes);

/// CityHash64 of CityHash 1.0.2, as ClickHouse has it.
std::uint64_t city_hash64(std::string_view bytes);

/// The IEEE CRC-32 (polynomial 0xEDB88320, reflected).
std::uint32_t crc32(std::string_view bytes);

/// The first 8 bytes of the digest, big-endian.
std::uint64_t md5(std::string_view bytes);
std::uint64_t sha1(std::string_view bytes);

/// PostgreSQL's hash<type>extended with the seed of hash partitioning, combined as for a key of one
/// column: what satisfies_hash_partition() takes modulo the number of partitions.
std::uint64_t pg_hash(KeyType type, const KeyValue& key);

/// PostgreSQL's hash_any_extended (Bob Jenkins' lookup3, as in common/hashfn.c).
std::uint64_t pg_hash_bytes(std::string_view bytes, std::uint64_t seed);
/// PostgreSQL's hash_uint32_extended.
std::uint64_t pg_hash_uint32(std::uint32_t value, std::uint64_t seed);

/// The bytes of a key that is not NULL: integers as 8 bytes little-endian, dates as 4, all else as
/// they are.
std::string key_bytes(KeyType type, const KeyValue& key);

/// F1 of a key; 0 for NULL. `rand` answers another number each time.
std::uint64_t hash_key(conf::Hash hash, KeyType type, const KeyValue& key);

}  // namespace anabranch::router
