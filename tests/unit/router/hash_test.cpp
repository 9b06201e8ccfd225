#include "router/hash.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "helpers.h"
#include "router/strategies.h"

using namespace anabranch::router;
using anabranch::router::testing::key;
using anabranch::router::testing::vectors;
namespace conf = anabranch::conf;

namespace {

std::uint64_t number(const std::string& text, int base = 10) {
  return std::strtoull(text.c_str(), nullptr, base);
}

KeyType type_named(const std::string& name) {
  if (name == "int2" || name == "int4") return KeyType::bigint;
  if (name == "bpchar") return KeyType::text;
  const auto type = conf::parse_key_type(name);
  REQUIRE(type.has_value());
  return *type;
}

std::string from_hex(const std::string& hex) {
  return key(KeyType::bytes, "\\x" + hex).bytes;
}

}  // namespace

TEST_CASE("intHash64 is ClickHouse's") {
  const auto rows = vectors("int_hash64.tsv");
  CHECK(rows.size() >= 20);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    CHECK(hash_key(conf::Hash::int_hash64, KeyType::bigint, key(KeyType::bigint, row[0])) ==
          number(row[1]));
  }
}

TEST_CASE("xxh64 is its authors'") {
  const auto rows = vectors("xxh64.tsv");
  CHECK(rows.size() >= 10);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    CHECK(xxh64(from_hex(row[0])) == number(row[1], 16));
  }
}

TEST_CASE("xxh64 sees integers as 8 bytes, dates as 4, little-endian") {
  CHECK(hash_key(conf::Hash::xxh64, KeyType::bigint, KeyValue::of(42)) ==
        xxh64(from_hex("2a00000000000000")));
  CHECK(hash_key(conf::Hash::xxh64, KeyType::bigint, KeyValue::of(-1)) ==
        xxh64(from_hex("ffffffffffffffff")));
  CHECK(hash_key(conf::Hash::xxh64, KeyType::date, KeyValue::of(-11)) ==
        xxh64(from_hex("f5ffffff")));
  CHECK(hash_key(conf::Hash::xxh64, KeyType::timestamp, KeyValue::of(1)) ==
        xxh64(from_hex("0100000000000000")));
  CHECK(hash_key(conf::Hash::xxh64, KeyType::text, KeyValue::of("abc")) == xxh64("abc"));
}

TEST_CASE("hash none is the number itself, read as unsigned") {
  CHECK(hash_key(conf::Hash::none, KeyType::bigint, KeyValue::of(7)) == 7);
  CHECK(hash_key(conf::Hash::none, KeyType::bigint, KeyValue::of(-1)) == 0xFFFF'FFFF'FFFF'FFFFULL);
}

TEST_CASE("cityHash64 is ClickHouse's, of integers and dates as of bytes") {
  const auto rows = vectors("city_hash64.tsv");
  CHECK(rows.size() >= 100);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    CAPTURE(row[1]);
    const KeyType type = type_named(row[0]);
    CHECK(hash_key(conf::Hash::city_hash64, type, key(type, row[1])) == number(row[2]));
  }
}

TEST_CASE("murmur3 is ClickHouse's murmurHash3_128, its first 8 bytes read little-endian") {
  const auto rows = vectors("murmur3.tsv");
  CHECK(rows.size() >= 80);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    CHECK(murmur3(from_hex(row[0])) == __builtin_bswap64(number(row[1].substr(0, 16), 16)));
  }
}

TEST_CASE("crc32, md5 and sha1 are Python's") {
  const auto rows = vectors("digests.tsv");
  CHECK(rows.size() >= 20);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    const KeyValue value = KeyValue::of(from_hex(row[0]));
    const auto f1 = [&](conf::Hash hash) { return hash_key(hash, KeyType::bytes, value); };
    CHECK(f1(conf::Hash::crc32) == number(row[1], 16));
    CHECK(f1(conf::Hash::md5) == number(row[2].substr(0, 16), 16));
    CHECK(f1(conf::Hash::sha1) == number(row[3].substr(0, 16), 16));
  }
  CHECK(crc32("123456789") == 0xCBF43926U);
}

TEST_CASE("hashes of bytes see an integer as 8 bytes and a date as 4") {
  const KeyValue value = KeyValue::of(-2);
  const std::string eight = from_hex("feffffffffffffff");
  const std::string four = eight.substr(0, 4);
  const auto f1 = [&](conf::Hash hash, KeyType type) { return hash_key(hash, type, value); };
  CHECK(f1(conf::Hash::murmur3, KeyType::bigint) == murmur3(eight));
  CHECK(f1(conf::Hash::murmur3, KeyType::date) == murmur3(four));
  CHECK(f1(conf::Hash::crc32, KeyType::bigint) == crc32(eight));
  CHECK(f1(conf::Hash::crc32, KeyType::date) == crc32(four));
  CHECK(f1(conf::Hash::md5, KeyType::timestamp) == md5(eight));
  CHECK(f1(conf::Hash::sha1, KeyType::bigint) == sha1(eight));
  CHECK(f1(conf::Hash::city_hash64, KeyType::timestamp) == city_hash64(eight));
}

TEST_CASE("NULL hashes to 0") {
  using enum conf::Hash;
  for (const conf::Hash hash :
       {none, int_hash64, city_hash64, xxh64, murmur3, crc32, md5, sha1, pg_hash}) {
    CHECK(hash_key(hash, KeyType::bigint, KeyValue::null()) == 0);
  }
}

TEST_CASE("pg_hash is PostgreSQL's hash of each type") {
  const auto rows = vectors("pg_hash.tsv");
  CHECK(rows.size() >= 70);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    CAPTURE(row[1]);
    const KeyType type = type_named(row[0]);
    CHECK(pg_hash(type, key(type, row[1])) == number(row[2]));
  }
}

TEST_CASE("pg_hash finds the partition that PostgreSQL puts the row in") {
  const auto rows = vectors("pg_partitions.tsv");
  CHECK(rows.size() >= 20);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    CAPTURE(row[1]);
    const KeyType type = type_named(row[0]);
    CHECK(pg_hash(type, key(type, row[1])) % 1009 == number(row[2]));
  }
}

TEST_CASE("jump is ClickHouse's jumpConsistentHash, after the paper") {
  const auto rows = vectors("jump.tsv");
  CHECK(rows.size() >= 70);
  for (const auto& row : rows) {
    std::vector<std::uint32_t> shards(number(row[1]));
    for (std::uint32_t i = 0; i < shards.size(); ++i) shards[i] = i;
    CAPTURE(row[0]);
    CAPTURE(row[1]);
    CHECK(make_jump(shards)->place(number(row[0]), {})->shard == number(row[2]));
  }
}
