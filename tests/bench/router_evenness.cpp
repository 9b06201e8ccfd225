#include "router_evenness.h"

#include <fmt/core.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "router/hash.h"
#include "router/strategies.h"

namespace {

std::size_t allocated = 0;  // bytes, by the operators below

}  // namespace

void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  allocated += malloc_usable_size(memory);
  return memory;
}

void operator delete(void* memory) noexcept {
  allocated -= malloc_usable_size(memory);
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace {

using namespace anabranch;
using conf::Hash;
using router::KeyType;
using router::KeyValue;
using router::Strategy;

constexpr std::size_t keys = 1'000'000;
constexpr std::array<std::uint32_t, 3> shard_counts{4, 16, 100};

// --- strategies -------------------------------------------------------------------------------

/// Shards 0 to count - 1, without one that has left.
std::vector<std::uint32_t> shards_of(std::uint32_t count, std::uint32_t without) {
  std::vector<std::uint32_t> list;
  for (std::uint32_t shard = 0; shard < count; ++shard) {
    if (shard != without) list.push_back(shard);
  }
  return list;
}

std::vector<router::Node> nodes(const std::vector<std::uint32_t>& shards) {
  std::vector<router::Node> list;
  for (const std::uint32_t shard : shards)
    list.push_back({fmt::format("s{}", shard + 1), shard, 1});
  return list;
}

/// Buckets as an operator reassigns them: from `before` shards in turn, one in (before + 1) of each
/// shard's to the one that joins, those of the one that leaves round the others.
std::unique_ptr<const Strategy> buckets(std::uint32_t before,
                                        const std::vector<std::uint32_t>& shards) {
  constexpr std::uint32_t count = 16'384;
  std::vector<std::uint32_t> owners;
  for (std::uint32_t bucket = 0; bucket < count; ++bucket) {
    const std::uint32_t round = bucket / before;
    std::uint32_t owner = bucket % before;
    if (shards.size() > before && round % (before + 1) == owner) owner = before;
    const bool there = std::ranges::find(shards, owner) != shards.end();
    owners.push_back(there ? owner : shards[round % shards.size()]);
  }
  return router::make_buckets(std::move(owners));
}

struct Kind {
  std::string name;
  /// Of these shards; `before` is how many there were before one joined or left.
  std::function<std::unique_ptr<const Strategy>(std::uint32_t before,
                                                const std::vector<std::uint32_t>&)>
      make;
  bool any_may_leave = true;  // false: the last one only
};

std::vector<Kind> kinds() {
  using Shards = const std::vector<std::uint32_t>&;
  return {
      {"modulo",
       [](std::uint32_t, Shards shards) {
         std::vector<router::WeightedShard> weighted;
         for (const std::uint32_t shard : shards) weighted.push_back({shard, 1});
         return router::make_modulo(weighted);
       }},
      {"buckets (16,384)", buckets},
      {"jump", [](std::uint32_t, Shards shards) { return router::make_jump(shards); }, false},
      {"ring (160)",
       [](std::uint32_t, Shards shards) { return router::make_ring(nodes(shards), 160); }},
      {"rendezvous",
       [](std::uint32_t, Shards shards) { return router::make_rendezvous(nodes(shards)); }},
      {"multi_probe (21)",
       [](std::uint32_t, Shards shards) { return router::make_multi_probe(nodes(shards), 21); }},
      {"maglev (65,537)",
       [](std::uint32_t, Shards shards) { return router::make_maglev(nodes(shards), 65'537); }},
  };
}

// --- keys -------------------------------------------------------------------------------------

struct Key {
  KeyValue value;
  double weight = 1;
};

struct KeySet {
  std::string name;
  KeyType type = KeyType::bigint;
  std::vector<Key> list;
};

std::vector<KeySet> key_sets() {
  std::mt19937_64 random(6);
  std::vector<KeySet> sets{{"sequential", KeyType::bigint, {}},
                           {"random", KeyType::bigint, {}},
                           {"Zipf", KeyType::bigint, {}},
                           {"text", KeyType::text, {}}};
  for (std::size_t i = 0; i < keys; ++i) {
    const auto number = static_cast<std::int64_t>(i);
    sets[0].list.push_back({KeyValue::of(number)});
    sets[1].list.push_back({KeyValue::of(static_cast<std::int64_t>(random()))});
    sets[2].list.push_back({KeyValue::of(number), 1.0 / static_cast<double>(i + 100)});
    sets[3].list.push_back({KeyValue::of(fmt::format("user{}@example.org", i))});
  }
  return sets;
}

std::vector<std::uint64_t> hashes(Hash hash, const KeySet& set) {
  std::vector<std::uint64_t> list;
  list.reserve(set.list.size());
  for (const Key& key : set.list) list.push_back(router::hash_key(hash, set.type, key.value));
  return list;
}

// --- figures ----------------------------------------------------------------------------------

std::uint32_t place(const Strategy& strategy, std::uint64_t f1) {
  return strategy.place(f1, {})->shard;
}

struct Evenness {
  double fullest = 0;    // shard, of the mean
  double deviation = 0;  // standard, in a hundred of the mean
};

Evenness evenness(const Strategy& strategy, const KeySet& set, const std::vector<std::uint64_t>& f1,
                  std::uint32_t shards) {
  std::vector<double> load(shards);
  double total = 0;
  for (std::size_t i = 0; i < f1.size(); ++i) {
    load[place(strategy, f1[i])] += set.list[i].weight;
    total += set.list[i].weight;
  }
  const double mean = total / shards;
  double squares = 0;
  for (const double one : load) squares += (one - mean) * (one - mean);
  return {std::ranges::max(load) / mean, 100 * std::sqrt(squares / shards) / mean};
}

/// The share of keys that change their shard, in a hundred.
double moved(const Strategy& before, const Strategy& after, const std::vector<std::uint64_t>& f1) {
  std::size_t count = 0;
  for (const std::uint64_t one : f1) count += place(before, one) != place(after, one) ? 1 : 0;
  return 100.0 * static_cast<double>(count) / static_cast<double>(f1.size());
}

void print_strategies(const std::vector<KeySet>& sets) {
  const KeySet& random = sets[1];
  const std::vector<std::uint64_t> f1 = hashes(Hash::xxh64, random);
  fmt::print(
      "| strategy | 4 shards | 16 | 100 | joins 4 | 16 | 100 | leaves 4 | 16 | 100 | KiB at 100 |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Kind& kind : kinds()) {
    std::string even;
    std::string joins;
    std::string leaves;
    std::size_t bytes = 0;
    for (const std::uint32_t count : shard_counts) {
      const std::size_t earlier = allocated;
      const auto strategy = kind.make(count, shards_of(count, count));
      bytes = allocated - earlier;
      const Evenness found = evenness(*strategy, random, f1, count);
      even += fmt::format("{:.2f} ({:.1f} %) | ", found.fullest, found.deviation);
      joins += fmt::format(
          "{:.1f} | ", moved(*strategy, *kind.make(count, shards_of(count + 1, count + 1)), f1));
      const std::uint32_t leaver = kind.any_may_leave ? 1 : count - 1;
      leaves += fmt::format("{:.1f} | ",
                            moved(*strategy, *kind.make(count, shards_of(count, leaver)), f1));
    }
    fmt::print("| `{}` | {}{}{}{:.1f} |\n", kind.name, even, joins, leaves,
               static_cast<double>(bytes) / 1024);
  }
}

/// `1.00, 1.01, 1.03 (1.1 %)`: the fullest of 4, 16 and 100 shards, and the deviation over 100.
std::string evenness_of_all(const Kind& kind, const KeySet& set,
                            const std::vector<std::uint64_t>& f1) {
  if (f1.empty()) return {};
  std::string cell;
  Evenness found;
  for (const std::uint32_t count : shard_counts) {
    found = evenness(*kind.make(count, shards_of(count, count)), set, f1, count);
    cell += fmt::format("{}{:.2f}", cell.empty() ? "" : ", ", found.fullest);
  }
  return fmt::format("{} ({:.1f} %)", cell, found.deviation);
}

void print_hashes(const std::vector<KeySet>& sets) {
  using enum Hash;
  fmt::print(
      "\n| hash | strategy | sequential | random | Zipf | text |\n|---|---|---|---|---|---|\n");
  for (const Hash hash :
       {none, int_hash64, city_hash64, xxh64, murmur3, crc32, md5, sha1, pg_hash}) {
    const bool of_integers = hash == none || hash == int_hash64;
    std::vector<std::vector<std::uint64_t>> f1;
    for (const KeySet& set : sets) {
      const bool fits = !of_integers || set.type == KeyType::bigint;
      f1.push_back(fits ? hashes(hash, set) : std::vector<std::uint64_t>());
    }
    for (const Kind& kind : kinds()) {
      std::string cells;
      for (std::size_t i = 0; i < sets.size(); ++i) {
        cells += evenness_of_all(kind, sets[i], f1[i]) + " | ";
      }
      fmt::print("| `{}` | `{}` | {}\n", conf::to_string(hash), kind.name, cells);
    }
  }
}

}  // namespace

void print_evenness() {
  const std::vector<KeySet> sets = key_sets();
  print_strategies(sets);
  print_hashes(sets);
}
