#include "router/hash.h"

#include <xxhash.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <random>

static_assert(std::endian::native == std::endian::little, "keys are laid out little-endian");

namespace anabranch::router {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1U) ^ 0xEDB88320U : crc >> 1U;
    table[byte] = crc;
  }
  return table;
}

std::uint64_t random_number() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator();
}

std::uint64_t xxh64_of_key(KeyType type, const KeyValue& key) {
  if (key.kind == KeyValue::Kind::bytes) return xxh64(key.bytes);
  std::array<char, 8> bytes{};
  std::memcpy(bytes.data(), &key.integer, bytes.size());
  return xxh64(std::string_view(bytes.data(), type == KeyType::date ? 4U : 8U));
}

}  // namespace

std::uint64_t xxh64(std::string_view bytes) {
  return XXH64(bytes.data(), bytes.size(), 0);
}

std::uint32_t crc32(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> table = make_crc_table();
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8U);
  }
  return ~crc;
}

std::string key_bytes(KeyType type, const KeyValue& key) {
  if (key.kind != KeyValue::Kind::integer) return key.bytes;
  std::string bytes(type == KeyType::date ? 4 : 8, '\0');
  std::memcpy(bytes.data(), &key.integer, bytes.size());
  return bytes;
}

std::uint64_t hash_key(conf::Hash hash, KeyType type, const KeyValue& key) {
  if (hash == conf::Hash::rand) return random_number();
  if (key.is_null()) return 0;
  switch (hash) {
    case conf::Hash::none:
      return static_cast<std::uint64_t>(key.integer);
    case conf::Hash::int_hash64:
      return int_hash64(static_cast<std::uint64_t>(key.integer));
    case conf::Hash::xxh64:
      return xxh64_of_key(type, key);
    case conf::Hash::pg_hash:
      return pg_hash(type, key);
    default:
      std::abort();  // ShardMap::build let a hash through that is not carried out
  }
}

}  // namespace anabranch::router
