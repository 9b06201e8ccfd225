#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <random>
#include <set>

#include "helpers.h"
#include "router/strategies.h"

// The strategies that place by hashed names: what each promises of all maps and keys, and vectors
// of an implementation that shares nothing with ours (vectors/record_nodes.py).

using namespace anabranch::router;
using anabranch::router::testing::vectors;

namespace {

using Nodes = std::vector<Node>;
using Make = std::function<std::unique_ptr<const Strategy>(Nodes)>;

constexpr std::uint32_t no_shard = 0xFFFF'FFFF;

struct Kind {
  std::string name;
  bool weighted = true;
  Make make;
};

std::vector<Kind> consistent_kinds() {
  return {
      {"ring", true, [](Nodes nodes) { return make_ring(std::move(nodes), 160); }},
      {"rendezvous", true, [](Nodes nodes) { return make_rendezvous(std::move(nodes)); }},
      {"multi_probe", false, [](Nodes nodes) { return make_multi_probe(std::move(nodes), 21); }}};
}

Kind maglev() {
  return {"maglev", true, [](Nodes nodes) { return make_maglev(std::move(nodes), 65537); }};
}

std::vector<Kind> all_kinds() {
  auto list = consistent_kinds();
  list.push_back(maglev());
  return list;
}

std::uint32_t place(const Strategy& strategy, std::uint64_t f1) {
  const auto placement = strategy.place(f1, {});
  if (!placement || placement->bucket != -1) FAIL("no place, or a bucket, for " << f1);
  return placement->shard;
}

/// Names and weights at random; the shards are those of `first` and on.
class Maps {
 public:
  explicit Maps(std::uint64_t seed) : random_(seed) {}

  std::uint64_t key() { return random_(); }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  Node node(std::uint32_t shard, std::uint32_t most_weight) {
    return {"shard" + std::to_string(random_() % 1'000'000) + "_" + std::to_string(shard), shard,
            below(most_weight) + 1};
  }
  Nodes nodes(std::uint32_t count, std::uint32_t most_weight) {
    Nodes list;
    for (std::uint32_t shard = 0; shard < count; ++shard) list.push_back(node(shard, most_weight));
    return list;
  }
  void shuffle(Nodes& nodes) { std::ranges::shuffle(nodes, random_); }

 private:
  std::mt19937_64 random_;
};

/// The keys of each shard among `count`.
std::vector<double> shares(const Strategy& strategy, std::size_t shards, std::size_t count,
                           Maps& maps) {
  std::vector<double> list(shards);
  for (std::size_t i = 0; i < count; ++i) list[place(strategy, maps.key())] += 1;
  return list;
}

/// Shares against those by weight: each within the fraction of its own, and of five standard
/// deviations of the sample.
void check_shares(const Strategy& strategy, const Nodes& nodes, double within, Maps& maps) {
  constexpr std::size_t keys = 100'000;
  const std::vector<double> found = shares(strategy, nodes.size(), keys, maps);
  double total = 0;
  for (const Node& node : nodes) total += node.weight;
  for (const Node& node : nodes) {
    const double expected = keys * node.weight / total;
    CAPTURE(node.name);
    CAPTURE(expected);
    CHECK(std::abs(found[node.shard] - expected) <=
          expected * within + 5 * std::sqrt(expected) + 1);
  }
}

/// How many of the keys change their shard, and where to: only to or from `changed`, if that is
/// what the strategy promises.
std::size_t moved(const Strategy& before, const Strategy& after, std::uint32_t only, Maps& maps) {
  constexpr int keys = 5'000;
  std::size_t count = 0;
  for (int i = 0; i < keys; ++i) {
    const std::uint64_t f1 = maps.key();
    const std::uint32_t was = place(before, f1);
    const std::uint32_t is = place(after, f1);
    if (was == is) continue;
    ++count;
    if (only != no_shard && was != only && is != only) FAIL(was << " to " << is);
  }
  return count;
}

Nodes nodes_of(const std::string& text) {
  Nodes list;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t colon = text.find(':', at);
    const std::size_t end = std::min(text.find(',', at), text.size());
    list.push_back(
        {text.substr(at, colon - at), static_cast<std::uint32_t>(list.size()),
         static_cast<std::uint32_t>(std::stoul(text.substr(colon + 1, end - colon - 1)))});
    at = end + 1;
  }
  return list;
}

std::unique_ptr<const Strategy> make(const std::string& kind, std::uint32_t parameter,
                                     Nodes nodes) {
  if (kind == "ring") return make_ring(std::move(nodes), parameter);
  if (kind == "rendezvous") return make_rendezvous(std::move(nodes));
  if (kind == "multi_probe") return make_multi_probe(std::move(nodes), parameter);
  REQUIRE(kind == "maglev");
  return make_maglev(std::move(nodes), parameter);
}

constexpr std::uint64_t jump_multiplier = 2862933555777941757ULL;

/// The algorithm as Lamping and Veach print it.
std::uint32_t plain_jump(std::uint64_t key, std::uint32_t shards) {
  std::int64_t b = -1;
  std::int64_t j = 0;
  while (j < static_cast<std::int64_t>(shards)) {
    b = j;
    key = key * jump_multiplier + 1;
    j = static_cast<std::int64_t>(
        static_cast<double>(b + 1) *
        (static_cast<double>(std::int64_t{1} << 31U) / static_cast<double>((key >> 33U) + 1)));
  }
  return static_cast<std::uint32_t>(b);
}

/// The key whose generator gives `divisor` (the paper's `(key >> 33) + 1`) in the given turn.
std::uint64_t key_of_divisor(std::uint64_t divisor, std::uint64_t low, int turn) {
  std::uint64_t inverse = 1;  // of the multiplier, by Newton: each turn doubles the right bits
  for (int i = 0; i < 6; ++i) inverse *= 2 - jump_multiplier * inverse;
  std::uint64_t key = ((divisor - 1) << 33U) | (low >> 31U);
  for (int i = 0; i < turn; ++i) key = (key - 1) * inverse;
  return key;
}

std::unique_ptr<const Strategy> jump_over(std::uint32_t shards) {
  std::vector<std::uint32_t> list(shards);
  std::iota(list.begin(), list.end(), 0U);
  return make_jump(std::move(list));
}

}  // namespace

TEST_CASE("jump is the paper's to the bit, for ten million keys over every number of shards") {
  std::mt19937_64 random(20140612);
  for (std::uint32_t shards = 1; shards <= max_shards; ++shards) {
    const auto strategy = jump_over(shards);
    for (int i = 0; i < 10'000; ++i) {
      const std::uint64_t key = random();
      const std::uint32_t expected = plain_jump(key, shards);
      if (place(*strategy, key) != expected) FAIL(key << " over " << shards);
    }
  }
}

TEST_CASE("jump is the paper's where a product is an integer but for its rounding") {
  // Divisors `odd * 2^k`: (at + 1) * (2^31 / divisor) is an integer if `odd` divides `at + 1`, and
  // what the paper's arithmetic makes of it is that integer or the one before (49 * (1 / 49) < 1).
  std::mt19937_64 random(49);
  for (const std::uint32_t shards : {13U, 50U, 100U, 500U, 1024U}) {
    const auto strategy = jump_over(shards);
    for (int i = 0; i < 400'000; ++i) {
      const std::uint64_t odd = random() % 1024 | 1U;
      const std::uint64_t divisor = odd << (random() % 22);
      const std::uint64_t key =
          key_of_divisor(divisor, random(), 1 + static_cast<int>(random() % 9));
      const std::uint32_t expected = plain_jump(key, shards);
      if (place(*strategy, key) != expected) FAIL(key << " over " << shards);
    }
  }
}

TEST_CASE("strategies by name place as the plainest implementation does") {
  const auto rows = vectors("nodes.tsv");
  CHECK(rows.size() >= 800);
  for (const auto& row : rows) {
    CAPTURE(row[0]);
    CAPTURE(row[1]);
    CAPTURE(row[2]);
    CAPTURE(row[3]);
    const Nodes nodes = nodes_of(row[2]);
    const auto strategy = make(row[0], static_cast<std::uint32_t>(std::stoul(row[1])), nodes);
    CHECK(nodes[place(*strategy, std::stoull(row[3]))].name == row[4]);
  }
}

TEST_CASE("each key has one place, whatever the order of the shards in the file") {
  Maps maps(1);
  for (const Kind& kind : all_kinds()) {
    CAPTURE(kind.name);
    for (int round = 0; round < 10; ++round) {
      Nodes nodes = maps.nodes(maps.below(40) + 1, 9);
      const auto strategy = kind.make(nodes);
      maps.shuffle(nodes);
      const auto shuffled = kind.make(nodes);
      for (int i = 0; i < 500; ++i) {
        const std::uint64_t f1 = i < 100 ? static_cast<std::uint64_t>(i) : maps.key();
        const std::uint32_t shard = place(*strategy, f1);
        CHECK(shard < nodes.size());
        CHECK(shard == place(*shuffled, f1));
      }
    }
  }
}

TEST_CASE("weights are kept, each strategy within its bound") {
  Maps maps(2);
  for (int round = 0; round < 5; ++round) {
    const Nodes nodes = maps.nodes(maps.below(20) + 2, 9);
    check_shares(*make_rendezvous(nodes), nodes, 0, maps);
    check_shares(*make_maglev(nodes, 65537), nodes, 0.005, maps);
    // 160 virtual nodes a unit of weight: the standard deviation is 8 in a hundred of a share.
    check_shares(*make_ring(nodes, 160), nodes, 0.35, maps);
  }
}

TEST_CASE("weights may be far apart") {
  Maps maps(3);
  const Nodes nodes{{"heavy", 0, 1'000'000}, {"light", 1, 10'000}};
  check_shares(*make_rendezvous(nodes), nodes, 0, maps);
  check_shares(*make_maglev(nodes, 65537), nodes, 0.01, maps);
}

TEST_CASE("a shard that joins takes keys, and no others move; one that leaves gives its own") {
  Maps maps(4);
  for (const Kind& kind : consistent_kinds()) {
    CAPTURE(kind.name);
    for (int round = 0; round < 5; ++round) {
      const std::uint32_t count = maps.below(20) + 1;
      Nodes nodes = maps.nodes(count, kind.weighted ? 5 : 1);
      const auto before = kind.make(nodes);
      nodes.push_back(maps.node(count, 1));
      const auto after = kind.make(nodes);
      CHECK(moved(*before, *after, count, maps) > 0);
    }
  }
}

TEST_CASE("a heavier shard takes keys, and no others move") {
  Maps maps(5);
  for (const Kind& kind : consistent_kinds()) {
    if (!kind.weighted) continue;
    CAPTURE(kind.name);
    for (int round = 0; round < 5; ++round) {
      Nodes nodes = maps.nodes(maps.below(20) + 2, 5);
      const auto before = kind.make(nodes);
      nodes.front().weight += 2;
      const auto after = kind.make(nodes);
      CHECK(moved(*before, *after, nodes.front().shard, maps) > 0);
    }
  }
}

TEST_CASE("maglev moves little more than it must") {
  Maps maps(6);
  for (const std::uint32_t count : {4U, 16U, 100U}) {
    CAPTURE(count);
    Nodes nodes = maps.nodes(count, 1);
    const auto before = maglev().make(nodes);
    nodes.push_back(maps.node(count, 1));
    const auto after = maglev().make(nodes);
    const double share = static_cast<double>(moved(*before, *after, no_shard, maps)) / 5'000;
    CHECK(share >= 0.8 / (count + 1));
    CHECK(share <= 1.0 / (count + 1) + 0.05);
  }
}

TEST_CASE("maglev's slots differ by one between shards of one weight, and each has one") {
  Maps maps(7);
  const Nodes nodes = maps.nodes(37, 1);
  for (const std::uint32_t size : {37U, 101U, 65537U}) {
    CAPTURE(size);
    const auto strategy = make_maglev(nodes, size);
    std::vector<std::uint32_t> slots(nodes.size());
    for (std::uint64_t f1 = 0; f1 < size; ++f1) ++slots[place(*strategy, f1)];
    const auto [least, most] = std::ranges::minmax(slots);
    CHECK(least >= 1);
    CHECK(most - least <= 1);
  }
}

/// The greatest share of 100,000 keys, of what it is on average.
double peak(const Strategy& strategy, std::size_t shards, Maps& maps) {
  constexpr std::size_t keys = 100'000;
  const std::vector<double> found = shares(strategy, shards, keys, maps);
  return std::ranges::max(found) * static_cast<double>(shards) / keys;
}

TEST_CASE("21 probes bound the fullest shard, where one does not") {
  Maps maps(9);
  for (const std::uint32_t count : {16U, 100U, 300U}) {
    CAPTURE(count);
    const Nodes nodes = maps.nodes(count, 1);
    const double noise = 5 * std::sqrt(count / 100'000.0);
    CHECK(peak(*make_multi_probe(nodes, 21), count, maps) <= 1.1 + noise);
    CHECK(peak(*make_multi_probe(nodes, 1), count, maps) > 2);
  }
}

TEST_CASE("sequential numbers spread over strategies that hash them again") {
  Maps maps(8);
  const Nodes nodes = maps.nodes(8, 1);
  for (const auto& strategy : {make_rendezvous(nodes), make_maglev(nodes, 65537)}) {
    std::vector<int> counts(nodes.size());
    for (std::uint64_t f1 = 0; f1 < 65537; ++f1) ++counts[place(*strategy, f1)];
    const auto [least, most] = std::ranges::minmax(counts);
    CHECK(least > 65537 / 8 * 0.9);
    CHECK(most < 65537 / 8 * 1.1);
  }
}
