#include "router/hash.h"

#include <murmurhash.h>
#include <xxhash.h>
#include <zlib.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <random>

static_assert(std::endian::native == std::endian::little, "keys are laid out little-endian");

namespace anabranch::router {
namespace {

std::uint64_t random_number() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator();
}

/// The bytes of a key, without a copy of those that are a text already.
class KeyBytes {
 public:
  KeyBytes(KeyType type, const KeyValue& key) {
    if (key.kind == KeyValue::Kind::bytes) {
      view_ = key.bytes;
      return;
    }
    std::memcpy(integer_.data(), &key.integer, integer_.size());
    view_ = std::string_view(integer_.data(), type == KeyType::date ? 4U : 8U);
  }
  KeyBytes(const KeyBytes&) = delete;
  KeyBytes& operator=(const KeyBytes&) = delete;

  std::string_view view() const { return view_; }

 private:
  std::array<char, 8> integer_{};
  std::string_view view_;
};

/// ClickHouse's: what it holds as an integer, dates included, is not hashed as bytes.
std::uint64_t city_hash64_of_key(KeyType type, const KeyValue& key) {
  if (type == KeyType::bigint || type == KeyType::date) {
    return int_hash64(static_cast<std::uint64_t>(key.integer));
  }
  return city_hash64(KeyBytes(type, key).view());
}

}  // namespace

std::uint64_t xxh64(std::string_view bytes) {
  return XXH64(bytes.data(), bytes.size(), 0);
}

std::uint64_t murmur3(std::string_view bytes) {
  std::array<std::uint64_t, 2> hash{};
  lmmh_x64_128(bytes.data(), static_cast<unsigned int>(bytes.size()), 0, hash.data());
  return hash[0];
}

std::uint32_t crc32(std::string_view bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  return static_cast<std::uint32_t>(crc32_z(0, data, bytes.size()));
}

std::string key_bytes(KeyType type, const KeyValue& key) {
  return std::string(KeyBytes(type, key).view());
}

std::uint64_t hash_key(conf::Hash hash, KeyType type, const KeyValue& key) {
  if (hash == conf::Hash::rand) return random_number();
  if (key.is_null()) return 0;
  switch (hash) {
    case conf::Hash::none:
      return static_cast<std::uint64_t>(key.integer);
    case conf::Hash::int_hash64:
      return int_hash64(static_cast<std::uint64_t>(key.integer));
    case conf::Hash::city_hash64:
      return city_hash64_of_key(type, key);
    case conf::Hash::xxh64:
      return xxh64(KeyBytes(type, key).view());
    case conf::Hash::murmur3:
      return murmur3(KeyBytes(type, key).view());
    case conf::Hash::crc32:
      return crc32(KeyBytes(type, key).view());
    case conf::Hash::md5:
      return md5(KeyBytes(type, key).view());
    case conf::Hash::sha1:
      return sha1(KeyBytes(type, key).view());
    case conf::Hash::pg_hash:
      return pg_hash(type, key);
    case conf::Hash::rand:
      break;  // answered above
  }
  std::abort();  // no hash of the configuration is without a row here
}

}  // namespace anabranch::router
