#include "router/prune.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "helpers.h"
#include "router/composite_key.h"
#include "router/strategies.h"

using namespace anabranch::router;
using anabranch::router::testing::map_of;

namespace {

const std::string schemes =
    "    schemes:\n"
    "      buckets: {type: bigint, hash: intHash64, strategy: buckets, buckets: 64}\n"
    "      modulo: {type: bigint, hash: none, strategy: modulo}\n"
    "      jump: {type: bigint, hash: xxh64, strategy: jump, shards: [s1, s3]}\n"
    "      ranges: {type: bigint, strategy: range, nulls: s3, ranges: [{below: -20, shard: s1}, "
    "{below: 0, shard: s2}, {below: 7, shard: s1}, {shard: s3}]}\n"
    "      ranges_without_null: {type: bigint, strategy: range, ranges: [{below: 5, shard: s2}, "
    "{shard: s1}]}\n"
    "      list: {type: bigint, strategy: list, lists: {s1: [1, 2, null], s2: [3, -7]}}\n"
    "      open_list: {type: bigint, strategy: list, lists: {s1: [1, 2], s2: [3, -7]}, otherwise: "
    "s3}\n"
    "      random: {hash: rand, strategy: modulo}\n"
    "      names: {type: text, strategy: range, ranges: [{below: m, shard: s1}, {shard: s2}]}\n"
    "      ring: {type: bigint, hash: murmur3, strategy: ring}\n"
    "      rendezvous: {type: bigint, hash: none, strategy: rendezvous}\n"
    "      probes: {type: bigint, hash: cityHash64, strategy: multi_probe, shards: [s1, s3]}\n"
    "      maglev: {type: bigint, hash: md5, strategy: maglev, table_size: 503}\n";

ShardSet set_of(std::initializer_list<std::uint32_t> shards) {
  ShardSet set;
  for (const std::uint32_t shard : shards) set.add(shard);
  return set;
}

KeyRange range(std::optional<std::int64_t> lower, std::optional<std::int64_t> upper,
               bool lower_inclusive = true, bool upper_inclusive = true) {
  KeyRange result;
  if (lower) result.lower = KeyValue::of(*lower);
  if (upper) result.upper = KeyValue::of(*upper);
  result.lower_inclusive = lower_inclusive;
  result.upper_inclusive = upper_inclusive;
  return result;
}

/// What SQL answers for one key: true or not (unknown counts as not).
bool holds(const KeyPredicate& predicate, const KeyValue& key) {
  using Kind = KeyPredicate::Kind;
  const auto by_key = [&](const KeyPredicate& part) { return holds(part, key); };
  switch (predicate.kind) {
    case Kind::anything:
      return true;
    case Kind::nothing:
      return false;
    case Kind::in:
      return !key.is_null() && std::ranges::find(predicate.values, key) != predicate.values.end();
    case Kind::is_null:
      return key.is_null();
    case Kind::range: {
      const bool null_end = (predicate.range.lower && predicate.range.lower->is_null()) ||
                            (predicate.range.upper && predicate.range.upper->is_null());
      return !null_end && !key.is_null() && in_range(KeyType::bigint, key, predicate.range);
    }
    case Kind::all_of:
      return std::ranges::all_of(predicate.parts, by_key);
    case Kind::any_of:
      return std::ranges::any_of(predicate.parts, by_key);
  }
  return true;
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  KeyPredicate predicate(int depth) {
    const int kind = below(depth > 0 ? 8 : 6);
    switch (kind) {
      case 0:
        return below(4) == 0 ? KeyPredicate::anything() : KeyPredicate::equals(key());
      case 1:
        return below(4) == 0 ? KeyPredicate::nothing() : KeyPredicate::is_null();
      case 2:
        return KeyPredicate::in(keys());
      case 3:
        return KeyPredicate::equals(key());
      case 4:
      case 5:
        return KeyPredicate::between(random_range());
      case 6:
        return KeyPredicate::all_of(parts(depth));
      default:
        return KeyPredicate::any_of(parts(depth));
    }
  }

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }
  KeyValue key() { return below(12) == 0 ? KeyValue::null() : KeyValue::of(below(80) - 40); }
  std::vector<KeyValue> keys() {
    std::vector<KeyValue> list;
    for (int i = below(5); i > 0; --i) list.push_back(key());
    return list;
  }
  KeyRange random_range() {
    KeyRange result;
    if (below(4) != 0) result.lower = key();
    if (below(4) != 0) result.upper = key();
    result.lower_inclusive = below(2) == 0;
    result.upper_inclusive = below(2) == 0;
    return result;
  }
  std::vector<KeyPredicate> parts(int depth) {
    std::vector<KeyPredicate> list;
    for (int i = below(3) + 1; i > 0; --i) list.push_back(predicate(depth - 1));
    return list;
  }

  std::mt19937_64 random_;
};

/// A placement at random: any hash, any strategy, 1 to 12 shards, weights 1 to 5.
class Placements {
 public:
  explicit Placements(std::uint64_t seed) : random_(seed) {}

  MappedScheme next() {
    MappedScheme scheme;
    const std::uint32_t shards = below(12) + 1;
    scheme.types = {KeyType::bigint};
    scheme.hash = static_cast<anabranch::conf::Hash>(below(9));  // all but rand
    scheme.shards = ShardSet::first(shards);
    scheme.strategy = strategy(shards);
    scheme.name = std::to_string(shards) + " shards by strategy " + std::to_string(chosen_) +
                  ", hash " + std::string(to_string(*scheme.hash));
    return scheme;
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  std::uint32_t weight() { return below(5) + 1; }

  std::unique_ptr<const Strategy> strategy(std::uint32_t shards) {
    switch (chosen_ = below(9)) {
      case 0:
        return modulo(shards);
      case 1:
        return make_buckets(some_shards(shards, shards + below(100)));
      case 2:
        return make_jump(some_shards(shards, shards));
      case 3:
        return ranges(shards);
      case 4:
        return lists(shards);
      case 5:
        return make_ring(nodes(shards, true), below(8) + 1);
      case 6:
        return make_rendezvous(nodes(shards, true));
      case 7:
        return make_multi_probe(nodes(shards, false), below(21) + 1);
      default:
        return make_maglev(nodes(shards, true), 101);
    }
  }

  std::vector<std::uint32_t> some_shards(std::uint32_t shards, std::uint32_t count) {
    std::vector<std::uint32_t> list(count);
    for (std::uint32_t& shard : list) shard = below(shards);
    return list;
  }
  std::vector<Node> nodes(std::uint32_t shards, bool weighted) {
    std::vector<Node> list;
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      list.push_back({"node" + std::to_string(random_()), shard, weighted ? weight() : 1});
    }
    return list;
  }
  std::unique_ptr<const Strategy> modulo(std::uint32_t shards) {
    std::vector<WeightedShard> list;
    for (std::uint32_t shard = 0; shard < shards; ++shard) list.push_back({shard, weight()});
    return make_modulo(list);
  }
  std::unique_ptr<const Strategy> ranges(std::uint32_t shards) {
    std::vector<anabranch::conf::Range> list;
    for (std::int64_t bound = std::int64_t{below(20)} - 45; bound < 45; bound += 1 + below(30)) {
      list.push_back({KeyValue::of(bound), below(shards)});
    }
    list.push_back({std::nullopt, below(shards)});  // as conf/ demands
    return make_range(KeyType::bigint, std::move(list), perhaps(shards));
  }
  std::unique_ptr<const Strategy> lists(std::uint32_t shards) {
    std::vector<anabranch::conf::ListEntry> list;
    for (std::int64_t key = -45; key < 45; key += 1 + below(10)) {
      list.push_back({KeyValue::of(key), below(shards)});
    }
    if (below(2) == 0) list.push_back({KeyValue::null(), below(shards)});
    return make_list(KeyType::bigint, std::move(list), perhaps(shards));
  }
  std::optional<std::uint32_t> perhaps(std::uint32_t shards) {
    return below(2) == 0 ? std::nullopt : std::optional(below(shards));
  }

  std::mt19937_64 random_;
  std::uint32_t chosen_ = 0;
};

/// The shards of all keys from -60 to 59 and of NULL, which is the last; nothing: no place.
std::vector<std::optional<std::uint32_t>> places_of(const MappedScheme& scheme) {
  std::vector<std::optional<std::uint32_t>> places;
  for (int key = -60; key <= 60; ++key) {
    const auto placement =
        ShardMap::place(scheme, key == 60 ? KeyValue::null() : KeyValue::of(key));
    places.push_back(placement ? std::optional(placement->shard) : std::nullopt);
  }
  return places;
}

bool loses_a_row(const std::vector<std::optional<std::uint32_t>>& places, const ShardSet& asked,
                 const KeyPredicate& predicate) {
  for (int key = -60; key <= 60; ++key) {
    const auto place = places[static_cast<std::size_t>(key + 60)];
    if (!place || asked.contains(*place)) continue;
    if (holds(predicate, key == 60 ? KeyValue::null() : KeyValue::of(key))) return true;
  }
  return false;
}

/// ANABRANCH_PREDICATES=1000000 makes it the long form.
int predicates_asked_for() {
  const char* count = std::getenv("ANABRANCH_PREDICATES");
  return count == nullptr ? 50'000 : std::atoi(count);
}

}  // namespace

TEST_CASE("brute force finds no wrong pruning over placements at random") {
  constexpr int predicates_per_placement = 50;
  Placements placements(6);
  Generator generator(77);
  int pruned = 0;
  const int count = predicates_asked_for();
  REQUIRE(count > 0);
  for (int i = 0; i < count;) {
    const MappedScheme scheme = placements.next();
    const auto places = places_of(scheme);
    for (int j = 0; j < predicates_per_placement && i < count; ++j, ++i) {
      const KeyPredicate predicate = generator.predicate(3);
      const ShardSet asked = prune(scheme, predicate);
      if (asked.size() < scheme.shards.size()) ++pruned;
      if (loses_a_row(places, asked, predicate)) FAIL(scheme.name << ", predicate " << i);
      const int key = i % 120 - 60;
      const ShardSet one =
          prune(scheme, KeyPredicate::all_of({predicate, KeyPredicate::equals(KeyValue::of(key))}));
      if (one.size() > 1) FAIL(scheme.name << " asks several shards for key " << key);
    }
  }
  CHECK(pruned > count / 2);
}

TEST_CASE("no row that satisfies a predicate lies on a shard that was pruned") {
  const auto map = map_of(schemes);
  Generator generator(20240229);
  std::size_t pruned = 0;
  for (int round = 0; round < 3000; ++round) {
    const KeyPredicate predicate = generator.predicate(3);
    for (const MappedScheme& scheme : map->schemes()) {
      if (scheme.random() || scheme.type() != KeyType::bigint) continue;
      const ShardSet set = prune(scheme, predicate);
      if (set.size() < scheme.shards.size()) ++pruned;
      for (int key = -60; key <= 60; ++key) {
        const KeyValue value = key == 60 ? KeyValue::null() : KeyValue::of(key);
        const auto placement = ShardMap::place(scheme, value);
        if (!placement || !holds(predicate, value)) continue;
        const bool kept = set.contains(placement->shard);
        if (!kept) {
          FAIL(scheme.name << " lost " << anabranch::conf::to_text(KeyType::bigint, value));
        }
      }
    }
  }
  CHECK(pruned > 8000);
}

TEST_CASE("strategies by name prune on equality and NULL, on short ranges, on no others") {
  const auto map = map_of(schemes);
  for (std::size_t i = 9; i < map->schemes().size(); ++i) {
    const MappedScheme& scheme = map->schemes()[i];
    CAPTURE(scheme.name);
    const auto shard = [&](const KeyValue& key) { return ShardMap::place(scheme, key)->shard; };
    CHECK(prune(scheme, KeyPredicate::equals(KeyValue::of(42))) ==
          set_of({shard(KeyValue::of(42))}));
    CHECK(prune(scheme, KeyPredicate::is_null()) == set_of({shard(KeyValue::null())}));
    CHECK(prune(scheme, KeyPredicate::between(range(42, 43, true, false))) ==
          set_of({shard(KeyValue::of(42))}));
    CHECK(prune(scheme, KeyPredicate::between(range(0, {}))) == scheme.shards);
  }
}

TEST_CASE("equality, lists and NULL") {
  const auto map = map_of(schemes);
  const MappedScheme& modulo = map->schemes()[1];
  CHECK(prune(modulo, KeyPredicate::equals(KeyValue::of(1))) == set_of({1}));
  CHECK(prune(modulo, KeyPredicate::in({KeyValue::of(0), KeyValue::of(3)})) == set_of({0, 2}));
  CHECK(prune(modulo, KeyPredicate::equals(KeyValue::null())).empty());
  CHECK(prune(modulo, KeyPredicate::is_null()) == set_of({0}));
  CHECK(prune(modulo, KeyPredicate::nothing()).empty());
  CHECK(prune(modulo, KeyPredicate::anything()) == map->all_shards());
  const MappedScheme& list = map->schemes()[5];
  CHECK(prune(list, KeyPredicate::equals(KeyValue::of(99))).empty());
  CHECK(prune(list, KeyPredicate::is_null()) == set_of({0}));
  CHECK(prune(map->schemes()[4], KeyPredicate::is_null()).empty());
}

TEST_CASE("ranges prune on ranges and lists, small ones elsewhere") {
  const auto map = map_of(schemes);
  const MappedScheme& ranges = map->schemes()[3];
  CHECK(prune(ranges, KeyPredicate::between(range({}, -20, true, false))) == set_of({0}));
  CHECK(prune(ranges, KeyPredicate::between(range({}, -20))) == set_of({0, 1}));
  CHECK(prune(ranges, KeyPredicate::between(range(7, {}))) == set_of({2}));
  CHECK(prune(ranges, KeyPredicate::between(range(5, 3))).empty());
  const MappedScheme& modulo = map->schemes()[1];
  CHECK(prune(modulo, KeyPredicate::between(range(1, 2))) == set_of({1}));
  CHECK(prune(modulo, KeyPredicate::between(range(1, 3, true, false))) == set_of({1}));
  CHECK(prune(modulo, KeyPredicate::between(range(0, 1'000'000))) == map->all_shards());
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(prune(modulo, KeyPredicate::between(range(most, most))) == set_of({2}));
  CHECK(prune(modulo, KeyPredicate::between(range(-most, most))) == map->all_shards());
}

TEST_CASE("the two halves of a range are narrowed to one") {
  const auto map = map_of(schemes);
  const MappedScheme& ranges = map->schemes()[3];
  const KeyPredicate from = KeyPredicate::between(range(-5, {}));
  const KeyPredicate to = KeyPredicate::between(range({}, -1));
  CHECK(prune(ranges, from) == set_of({0, 1, 2}));
  CHECK(prune(ranges, to) == set_of({0, 1}));
  CHECK(prune(ranges, KeyPredicate::all_of({from, to})) == set_of({1}));
}

TEST_CASE("the order of texts is trusted only where it is that of bytes") {
  const auto map = map_of(schemes);
  const MappedScheme& names = map->schemes()[8];
  KeyRange below_b;
  below_b.upper = KeyValue::of("b");
  CHECK(prune(names, KeyPredicate::between(below_b, false)) == set_of({0, 1}));
  CHECK(prune(names, KeyPredicate::between(below_b, true)) == set_of({0}));
  CHECK(prune(names, KeyPredicate::equals(KeyValue::of("zebra"))) == set_of({1}));
}

TEST_CASE("rows of a random scheme are anywhere") {
  const auto map = map_of(schemes);
  CHECK(prune(map->schemes()[7], KeyPredicate::is_null()) == map->all_shards());
}

TEST_CASE("a condition nested beyond reason prunes nothing") {
  const auto map = map_of(schemes);
  KeyPredicate predicate = KeyPredicate::equals(KeyValue::of(1));
  for (int i = 0; i < 1000; ++i) predicate = KeyPredicate::any_of({predicate});
  CHECK(prune(map->schemes()[1], predicate) == map->all_shards());
}

TEST_CASE("a route explains itself") {
  const auto map = map_of(schemes);
  const auto explain = [&](std::size_t scheme, const KeyPredicate& predicate) {
    return route(*map, map->schemes()[scheme], predicate).explanation;
  };
  CHECK(explain(0, KeyPredicate::equals(KeyValue::of(42)))
            .starts_with("scheme buckets: key = 42 -> bucket "));
  CHECK(explain(1, KeyPredicate::in({KeyValue::of(0), KeyValue::of(3)})) ==
        "scheme modulo: key in (0, 3) -> s1, s3");
  CHECK(explain(1, KeyPredicate::anything()) == "scheme modulo: any key -> all 3 shards");
  CHECK(explain(3, KeyPredicate::between(range(7, 9, true, false))) ==
        "scheme ranges: 7 <= key < 9 -> s3");
  CHECK(explain(1, KeyPredicate::nothing()) == "scheme modulo: no key -> no shard");
  CHECK(explain(1, KeyPredicate::any_of({KeyPredicate::is_null(), KeyPredicate::all_of({})})) ==
        "scheme modulo: key is null or () -> all 3 shards");
}

TEST_CASE("sets of shards") {
  ShardSet set;
  CHECK(set.empty());
  for (const std::uint32_t shard : {0U, 63U, 64U, 1023U}) set.add(shard);
  CHECK(set.size() == 4);
  CHECK(set.contains(64));
  CHECK(!set.contains(65));
  CHECK(!set.contains(5000));
  CHECK(std::vector<std::uint32_t>(set.begin(), set.end()) ==
        std::vector<std::uint32_t>{0, 63, 64, 1023});
  CHECK((set & ShardSet::first(64)).size() == 2);
  CHECK((set | ShardSet::of(1)).size() == 5);
}

TEST_CASE("of a composite key only whole ones leave out shards") {
  const auto map = map_of(
      "    schemes:\n"
      "      pairs: {type: [bigint, text], hash: xxh64, strategy: modulo}\n");
  const MappedScheme& scheme = map->schemes().front();
  const std::vector<KeyValue> parts{KeyValue::of(3), KeyValue::null()};
  const KeyValue key = composite_key(scheme.types, parts);
  CHECK(prune(scheme, KeyPredicate::equals(key)) == ShardSet::of(map->place(0, key)->shard));
  CHECK(prune(scheme, KeyPredicate::is_null()) == scheme.shards);
  CHECK(prune(scheme, KeyPredicate::between(range(1, 2))) == scheme.shards);
  CHECK(prune(scheme, KeyPredicate::all_of({KeyPredicate::between(range(1, 2)), KeyPredicate::equals(key)})) ==
        ShardSet::of(map->place(0, key)->shard));
  CHECK(route(*map, scheme, KeyPredicate::equals(key)).explanation.starts_with("scheme pairs: key = (3, NULL) -> s"));
}
