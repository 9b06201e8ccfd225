#include "router/growth.h"

#include <doctest/doctest.h>

#include <cmath>

#include "conf/load.h"

using namespace anabranch::router;
namespace conf = anabranch::conf;

namespace {

/// One file of shards s1 (weight 1), s2 (weight 2) and what else, with one scheme `s`.
struct World {
  World(const std::string& more_shards, const std::string& scheme) {
    conf::Loaded loaded = conf::load_text(
        "listen: {postgres: 127.0.0.1:6432}\n"
        "users: [{name: app, password: secret}]\n"
        "databases:\n"
        "  shop:\n"
        "    backend: {user: app}\n"
        "    shards: {s1: {primary: 'h1:1'}, s2: {primary: 'h2:1', weight: 2}" +
            more_shards +
            "}\n"
            "    default_shard: s1\n"
            "    schemes: {s: {" +
            scheme + "}}\n",
        "test.yaml");
    for (const auto& one : loaded.diagnostics) MESSAGE(one.text());
    REQUIRE(loaded.config != nullptr);
    config = loaded.config;
    std::vector<conf::Diagnostic> diagnostics;
    map = ShardMap::build(config->databases.front(), "test.yaml", diagnostics);
    REQUIRE(map != nullptr);
  }

  SchemeSide side() const { return {config->databases.front(), *map, 0}; }

  std::shared_ptr<const conf::Config> config;
  std::shared_ptr<const ShardMap> map;
};

constexpr const char* third = ", s3: {primary: 'h3:1'}";

/// The scheme as it is, and the same with a third shard.
Growth with_third(const std::string& scheme) {
  const World before("", scheme);
  const World after(third, scheme);
  return compare_schemes(before.side(), after.side());
}

Growth between(const std::string& before_scheme, const std::string& after_scheme) {
  const World before(third, before_scheme);
  const World after(third, after_scheme);
  return compare_schemes(before.side(), after.side());
}

double share_moved(const Growth& growth) {
  return static_cast<double>(growth.moved()) / static_cast<double>(growth.total);
}

std::vector<std::string> values_moved(const Growth& growth) {
  std::vector<std::string> list;
  for (const Growth::Move& move : growth.moves) {
    list.push_back(move.from + " -> " + move.to + ": " + move.values);
  }
  return list;
}

}  // namespace

TEST_CASE("buckets are counted") {
  const std::string base = "type: bigint, hash: md5, strategy: buckets, buckets: 10, assignment: ";
  const Growth growth =
      between(base + "{s1: [0-4], s2: [5-9]}", base + "{s1: [0-3], s2: [5-6], s3: [4, 7-9]}");
  CHECK(growth.basis == Growth::Basis::buckets);
  CHECK(growth.total == 10);
  REQUIRE(growth.moves.size() == 2);
  CHECK(growth.moves[0].from == "s2");
  CHECK(growth.moves[0].to == "s3");
  CHECK(growth.moves[0].count == 3);
  CHECK(growth.moves[1].count == 1);
  REQUIRE(growth.loads.size() == 3);
  CHECK(growth.loads[1].by_weight == 0.5);
  CHECK(growth.fullest() == doctest::Approx(0.4 / 0.25));
}

TEST_CASE("other hashes are sampled") {
  struct Expected {
    const char* scheme;
    double moved;
  };
  // By weight the new shard's part is a quarter, without weights a third.
  for (const Expected& one :
       {Expected{"type: text, hash: xxh64, strategy: rendezvous", 0.25},
        Expected{"type: numeric, hash: sha1, strategy: maglev", 0.25},
        Expected{"type: [bigint, text, date], hash: pg_hash, strategy: ring", 0.25},
        Expected{"type: uuid, hash: murmur3, strategy: jump", 1.0 / 3}}) {
    CAPTURE(one.scheme);
    const Growth growth = with_third(one.scheme);
    CHECK(growth.basis == Growth::Basis::sample);
    CHECK(growth.total == growth_sample);
    // A ring's shares are not those by weight, but near them.
    const bool ring = std::string_view(one.scheme).ends_with("ring");
    CHECK(std::abs(share_moved(growth) - one.moved) < (ring ? 0.05 : 0.003));
    CHECK(growth.moves.front().to == "s3");
    CHECK(std::abs(growth.fullest() - 1) < (ring ? 0.2 : 0.01));
  }
  // From modulo 3 to modulo 4: of the remainders by 12 only 0, 1, 2, 5 and 10 keep their shard.
  CHECK(std::abs(share_moved(with_third("type: bigint, hash: none, strategy: modulo")) - 7.0 / 12) <
        0.003);
}

TEST_CASE("a scheme that stays moves nothing") {
  for (const std::string scheme : {"type: date, hash: crc32, strategy: multi_probe",
                                   "type: timestamp, hash: cityHash64, strategy: ring"}) {
    const Growth growth = between(scheme, scheme);
    CHECK(growth.basis == Growth::Basis::sample);
    CHECK(growth.moved() == 0);
  }
}

TEST_CASE("of ranges and lists the values are named") {
  const std::string ranges = "type: bigint, strategy: range, ranges: ";
  CHECK(values_moved(between(
            ranges + "[{below: 10, shard: s1}, {below: 20, shard: s2}, {shard: s1}], nulls: s1",
            ranges + "[{below: 5, shard: s3}, {below: 15, shard: s1}, {shard: s1}], nulls: s2")) ==
        std::vector<std::string>{"s1 -> s3: below 5", "s2 -> s1: from 10 to below 15",
                                 "s2 -> s1: from 15 to below 20", "s1 -> s2: NULL"});
  const std::string lists = "type: text, strategy: list, lists: ";
  CHECK(values_moved(between(lists + "{s1: [DE, FR], s2: [US, null]}, otherwise: s1",
                             lists + "{s1: [DE], s2: [FR], s3: [null, BR]}, otherwise: s1")) ==
        std::vector<std::string>{"s1 -> s2: FR", "s2 -> s1: US", "s2 -> s3: NULL", "s1 -> s3: BR"});
  CHECK(values_moved(between(lists + "{s1: [DE]}", lists + "{s1: [], s2: [US]}")) ==
        std::vector<std::string>{"s1 -> no shard: DE"});
}

TEST_CASE("what cannot be compared says why") {
  const std::string buckets = "type: bigint, hash: xxh64, strategy: buckets, buckets: 4";
  CHECK(between(buckets, "type: text, hash: xxh64, strategy: modulo").reason ==
        "the type of its keys differs");
  CHECK(between(buckets, "type: bigint, strategy: range, ranges: [{shard: s1}]").reason ==
        "strategy buckets becomes range");
  CHECK(between(buckets, "type: bigint, strategy: lookup, table: t").reason ==
        "a table says where its keys live");
  CHECK(between("hash: rand, strategy: modulo", "hash: rand, strategy: modulo").basis ==
        Growth::Basis::nothing);
}
