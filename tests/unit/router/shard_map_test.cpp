#include "router/shard_map.h"

#include <doctest/doctest.h>

#include "helpers.h"
#include "router/hash.h"

using namespace anabranch::router;
using anabranch::router::testing::map_of;
namespace conf = anabranch::conf;

namespace {

std::optional<Placement> place(const std::string& scheme, const KeyValue& key) {
  return map_of("    schemes: {s: " + scheme + "}\n")->place(0, key);
}

std::string shard(const std::string& scheme, const KeyValue& key) {
  const auto placement = place(scheme, key);
  if (!placement) return "none";
  return "s" + std::to_string(placement->shard + 1);
}

}  // namespace

TEST_CASE("modulo: the remainder by the total weight falls in a shard's interval") {
  const std::string scheme = "{type: bigint, hash: none, strategy: modulo}";
  CHECK(shard(scheme, KeyValue::of(0)) == "s1");
  CHECK(shard(scheme, KeyValue::of(1)) == "s2");
  CHECK(shard(scheme, KeyValue::of(2)) == "s2");
  CHECK(shard(scheme, KeyValue::of(3)) == "s3");
  CHECK(shard(scheme, KeyValue::of(4)) == "s1");
  CHECK(shard(scheme, KeyValue::of(-1)) == "s3");  // 2^64-1 is 3 modulo 4
  CHECK(shard(scheme, KeyValue::null()) == "s1");
  const std::string some = "{type: bigint, hash: none, strategy: modulo, shards: [s3, s2]}";
  CHECK(shard(some, KeyValue::of(0)) == "s3");
  CHECK(shard(some, KeyValue::of(1)) == "s2");
  CHECK(shard(some, KeyValue::of(2)) == "s2");
  CHECK(place(scheme, KeyValue::of(0))->bucket == -1);
}

TEST_CASE("buckets: F1 modulo the buckets, each assigned") {
  const std::string scheme =
      "{type: bigint, hash: none, strategy: buckets, buckets: 16, "
      "assignment: {s1: [0-4, 15], s3: [5-9], s2: [10-13, 14]}}";
  CHECK(place(scheme, KeyValue::of(37)) == Placement{5, 2});
  CHECK(place(scheme, KeyValue::of(31)) == Placement{15, 0});
  CHECK(place(scheme, KeyValue::of(14)) == Placement{14, 1});
  CHECK(place(scheme, KeyValue::null()) == Placement{0, 0});
}

TEST_CASE("buckets without an assignment go round the shards in turn, by weight") {
  const std::string scheme = "{type: bigint, hash: none, strategy: buckets, buckets: 9}";
  const std::vector<std::uint32_t> expected{0, 1, 1, 2, 0, 1, 1, 2, 0};
  for (int bucket = 0; bucket < 9; ++bucket) {
    CHECK(place(scheme, KeyValue::of(bucket)) ==
          Placement{bucket, expected[static_cast<std::size_t>(bucket)]});
  }
}

TEST_CASE("range: by the value, bounds exclusive, NULL where it says") {
  const std::string scheme =
      "{type: bigint, strategy: range, "
      "ranges: [{below: 10, shard: s1}, {below: 20, shard: s2}, {shard: s3}], nulls: s2}";
  CHECK(shard(scheme, KeyValue::of(-9223372036854775807 - 1)) == "s1");
  CHECK(shard(scheme, KeyValue::of(9)) == "s1");
  CHECK(shard(scheme, KeyValue::of(10)) == "s2");
  CHECK(shard(scheme, KeyValue::of(19)) == "s2");
  CHECK(shard(scheme, KeyValue::of(20)) == "s3");
  CHECK(shard(scheme, KeyValue::null()) == "s2");
  CHECK(shard("{type: bigint, strategy: range, ranges: [{shard: s1}]}", KeyValue::null()) ==
        "none");
}

TEST_CASE("range of other types") {
  const std::string text =
      "{type: text, strategy: range, ranges: [{below: m, shard: s1}, {shard: s2}]}";
  CHECK(shard(text, KeyValue::of("Zebra")) == "s1");
  CHECK(shard(text, KeyValue::of("zebra")) == "s2");
  const std::string numeric =
      "{type: numeric, strategy: range, "
      "ranges: [{below: -1.50, shard: s1}, {below: 10, shard: s2}, {shard: s3}]}";
  CHECK(shard(numeric, KeyValue::of("-1.6")) == "s1");
  CHECK(shard(numeric, KeyValue::of("-1.5")) == "s2");
  CHECK(shard(numeric, KeyValue::of("9.99")) == "s2");
  CHECK(shard(numeric, KeyValue::of("10")) == "s3");
  const std::string date =
      "{type: date, strategy: range, ranges: [{below: 2024-01-01, shard: s1}, {shard: s2}]}";
  CHECK(shard(date, *conf::parse_key(KeyType::date, "2023-12-31")) == "s1");
  CHECK(shard(date, *conf::parse_key(KeyType::date, "2024-01-01")) == "s2");
}

TEST_CASE("list: NULL is a value, otherwise takes the rest") {
  const std::string closed =
      "{type: text, strategy: list, lists: {s1: [DE, NO, null], s2: [\"null\"]}}";
  CHECK(shard(closed, KeyValue::of("DE")) == "s1");
  CHECK(shard(closed, KeyValue::of("NO")) == "s1");
  CHECK(shard(closed, KeyValue::null()) == "s1");
  CHECK(shard(closed, KeyValue::of("null")) == "s2");
  CHECK(shard(closed, KeyValue::of("US")) == "none");
  const std::string open = "{type: bigint, strategy: list, lists: {s1: [1, -2]}, otherwise: s3}";
  CHECK(shard(open, KeyValue::of(-2)) == "s1");
  CHECK(shard(open, KeyValue::of(3)) == "s3");
  CHECK(shard(open, KeyValue::null()) == "s3");
}

TEST_CASE("jump moves keys only to an appended shard") {
  const auto two =
      map_of("    schemes: {s: {type: bigint, hash: xxh64, strategy: jump, shards: [s1, s2]}}\n");
  const auto three = map_of(
      "    schemes: {s: {type: bigint, hash: xxh64, strategy: jump, shards: [s1, s2, s3]}}\n");
  int moved = 0;
  for (int key = 0; key < 3000; ++key) {
    const auto before = two->place(0, KeyValue::of(key))->shard;
    const auto after = three->place(0, KeyValue::of(key))->shard;
    if (before == after) continue;
    ++moved;
    CHECK(after == 2);
  }
  CHECK(moved > 800);
  CHECK(moved < 1200);
}

TEST_CASE("tables are found by schema and name") {
  const auto map = map_of(
      "    schemes: {s: {type: bigint, hash: xxh64, strategy: modulo}}\n"
      "    tables:\n"
      "      a: {scheme: s, key: id}\n"
      "      other.a: {reference: true}\n"
      "      '\"b.c\"': {shard: s2}\n"
      "      e: {scheme: s, expression: toYear(at) * 10}\n");
  REQUIRE(map->find_table("public", "a") != nullptr);
  CHECK(map->find_table("public", "a")->key == std::vector<std::string>{"id"});
  CHECK(map->find_table("other", "a")->kind == conf::TableKind::reference);
  CHECK(map->shards_of(*map->find_table("public", "b.c")) == ShardSet::of(1));
  CHECK(map->shards_of(*map->find_table("other", "a")).size() == 3);
  CHECK(map->find_table("public", "e")->expression->columns() == std::vector<std::string>{"at"});
  CHECK(map->find_table("public", "nothing") == nullptr);
  CHECK(map->find_shard("s3") == 2);
  CHECK(!map->find_shard("s4"));
}

TEST_CASE("a table for each bucket: its name, and those of a shard") {
  const auto map = map_of(
      "    schemes: {b: {type: bigint, hash: none, strategy: buckets, buckets: 16}}\n"
      "    tables:\n"
      "      papers: {scheme: b, key: id, physical: 'papers{:02}'}\n"
      "      other.files: {scheme: b, key: id, physical: '{}_files'}\n");
  const MappedTable& papers = *map->find_table("public", "papers");
  CHECK(papers.of_bucket(7).name == "papers07");
  CHECK(papers.of_bucket(7).schema == "public");
  CHECK(map->find_table("other", "files")->of_bucket(15).name == "15_files");
  CHECK(map->find_table("other", "files")->of_bucket(15).schema == "other");
  const MappedScheme& scheme = map->schemes()[papers.scheme];
  ShardSet all;
  for (const std::uint32_t shard : map->shards_of(papers)) {
    const ShardSet here = map->buckets_on(papers, shard);
    CHECK((all & here).empty());
    all |= here;
    for (const std::uint32_t bucket : here) CHECK(scheme.bucket_shards[bucket] == shard);
  }
  CHECK(all == ShardSet::first(16));
  for (const std::int64_t key : {0, 7, 23, -1}) {
    const auto place = ShardMap::place(scheme, KeyValue::of(key));
    const auto bucket = ShardMap::place(*scheme.by_bucket, KeyValue::of(key));
    CHECK(static_cast<std::int32_t>(bucket->shard) == place->bucket);
  }
}

TEST_CASE("a bucket's table that is another table is an error") {
  const conf::Loaded loaded = conf::load_text(
      "databases:\n"
      "  shop:\n"
      "    shards: {s1: {primary: 'h:1'}}\n"
      "    schemes: {b: {type: bigint, hash: none, strategy: buckets, buckets: 16}}\n"
      "    tables:\n"
      "      papers: {scheme: b, key: id, physical: 'papers{}'}\n"
      "      papers7: {reference: true}\n",
      "f.yaml");
  REQUIRE(loaded.config != nullptr);
  const auto found = check(*loaded.config);
  REQUIRE(found.size() == 1);
  CHECK(found[0].text() ==
        "f.yaml:6:7: error: databases.shop.tables.papers.physical: bucket 7 is the table `papers7`, which is another "
        "table's name already");
}

TEST_CASE("a wrong expression is an error with its place") {
  const conf::Loaded loaded = conf::load_text(
      "databases:\n"
      "  shop:\n"
      "    shards: {s1: {primary: 'h:1'}}\n"
      "    schemes: {s: {type: text, hash: xxh64, strategy: modulo}}\n"
      "    tables:\n"
      "      a: {scheme: s, expression: toYear(at}\n"
      "      b: {scheme: s, expression: toYear(at)}\n",
      "f.yaml");
  REQUIRE(loaded.config != nullptr);
  const auto found = check(*loaded.config);
  REQUIRE(found.size() == 2);
  CHECK(found[0].text().starts_with(
      "f.yaml:6:34: error: databases.shop.tables.a.expression: expected"));
  CHECK(found[1].text() ==
        "f.yaml:7:34: error: databases.shop.tables.b.expression: gives bigint, but the keys of "
        "scheme "
        "`s` are text");
}

TEST_CASE("a random scheme uses every shard") {
  const auto map = map_of("    schemes: {s: {hash: rand, strategy: modulo}}\n");
  ShardSet seen;
  for (int i = 0; i < 1000; ++i) seen.add(map->place(0, KeyValue::null())->shard);
  CHECK(seen == map->all_shards());
}
