#include "router/composite_key.h"

#include <doctest/doctest.h>

#include "helpers.h"
#include "router/hash.h"

using namespace anabranch::router;
using anabranch::router::testing::key;
using anabranch::router::testing::map_of;
using anabranch::router::testing::split;
using anabranch::router::testing::vectors;
namespace conf = anabranch::conf;

namespace {

KeyValue part(KeyType type, const std::string& text) { return text == "\\N" ? KeyValue::null() : key(type, text); }

}  // namespace

TEST_CASE("each part is its length and its bytes") {
  using enum KeyType;
  const std::vector<KeyType> types{bigint, text, date, bigint};
  const std::vector<KeyValue> parts{KeyValue::of(-2), KeyValue::of("abc"), KeyValue::of(1),
                                    KeyValue::null()};
  const KeyValue composite = composite_key(types, parts);
  CHECK(conf::to_text(bytes, composite) ==
        "\\x08000000feffffffffffffff"
        "03000000616263"
        "0400000001000000"
        "ffffffff");
  CHECK(composite_parts(types, composite) == parts);
  CHECK(!composite_key(types, std::vector<KeyValue>(4)).is_null());
}

TEST_CASE("parts of all types come back as they were") {
  using enum KeyType;
  const std::vector<KeyType> types{uuid, timestamp, numeric, bytes, date};
  const std::vector<KeyValue> parts{KeyValue::of(std::string(16, '\x7f')), KeyValue::of(-1),
                                    KeyValue::of("-1.5"), KeyValue::of(""), KeyValue::of(-719'162)};
  CHECK(composite_parts(types, composite_key(types, parts)) == parts);
}

TEST_CASE("a composite key is hashed as bytes, whatever its parts are") {
  const auto map = map_of(
      "    schemes:\n"
      "      city: {type: [bigint, bigint], hash: cityHash64, strategy: buckets, buckets: "
      "1000000}\n"
      "      crc: {type: [bigint, bigint], hash: crc32, strategy: buckets, buckets: 1000000}\n");
  const std::vector<KeyType> types{KeyType::bigint, KeyType::bigint};
  const KeyValue composite =
      composite_key(types, std::vector<KeyValue>{KeyValue::of(1), KeyValue::null()});
  const auto bucket = [&](std::uint32_t scheme) {
    return static_cast<std::uint64_t>(map->place(scheme, composite)->bucket);
  };
  CHECK(bucket(0) == city_hash64(composite.bytes) % 1'000'000);
  CHECK(bucket(1) == crc32(composite.bytes) % 1'000'000);
}

TEST_CASE("pg_hash of several columns finds the partition that PostgreSQL puts the row in") {
  const auto rows = vectors("pg_partitions_of_several.tsv");
  CHECK(rows.size() >= 18);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    CAPTURE(row[1]);
    std::string list;
    std::vector<KeyType> types;
    std::vector<KeyValue> parts;
    const auto texts = split(row[1], '|');
    for (const std::string& name : split(row[0], '|')) {
      list += (list.empty() ? "" : ", ") + name;
      types.push_back(*conf::parse_key_type(name));
      parts.push_back(part(types.back(), texts[parts.size()]));
    }
    const auto map = map_of("    schemes: {s: {type: [" + list +
                            "], hash: pg_hash, strategy: buckets, buckets: 1009}}\n");
    CHECK(std::to_string(map->place(0, composite_key(types, parts))->bucket) == row[2]);
  }
}
