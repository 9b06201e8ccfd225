// Placement alone: nanoseconds from a key to its shard, hash included, by processor time. Each
// figure is the best of several runs over random keys.
//
//   router_bench [runs]
//   router_bench evenness    how even all is, and what moves (router_evenness.h)

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "conf/load.h"
#include "router/lookup_cache.h"
#include "router/shard_map.h"
#include "router_evenness.h"

namespace {

using namespace anabranch;
using router::KeyValue;

constexpr std::size_t shards = 100;
constexpr std::size_t keys = 16'384;  // near the processor, and too many for it to foretell
constexpr std::size_t rounds = 32;

/// Seconds of processor time, so that other work on the machine does not count.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Row {
  std::string name;
  std::string scheme;       // as in the file
  double bar = 0;           // nanoseconds; 0: none
  std::size_t weights = 1;  // the shards' weights are 1 to this, in turn
};

/// A thousand ranges, or values in lists, over the hundred shards.
std::string thousand(const std::string& each, const std::string& last) {
  std::string text;
  constexpr std::uint64_t step = 0x7FFF'FFFF'FFFF'FFFFULL / 1'000;
  for (std::uint64_t i = 1; i < 1'000; ++i) {
    text += fmt::format(fmt::runtime(each), i * step, i % shards);
  }
  return text + last;
}

std::string lists() {
  std::string text;
  for (std::size_t shard = 0; shard < shards; ++shard) {
    text += fmt::format("{}s{}: [", shard == 0 ? "" : ", ", shard);
    for (std::size_t i = 0; i < 10; ++i)
      text += fmt::format("{}{}", i == 0 ? "" : ", ", i * shards + shard);
    text += "]";
  }
  return text;
}

std::vector<Row> rows() {
  const std::string head = "type: bigint, strategy: ";
  const std::string xxh64 = ", hash: xxh64";
  std::vector<Row> list{
      {"none + modulo", head + "modulo, hash: none", 20},
      {"intHash64 + modulo", head + "modulo, hash: intHash64", 20},
      {"xxh64 + modulo", head + "modulo" + xxh64, 20},
      {"xxh64 + buckets (1,024)", head + "buckets, buckets: 1024" + xxh64, 20},
      {"range (1,000)",
       head + "range, ranges: [" + thousand("{{below: {}, shard: s{}}}, ", "{shard: s0}]"), 20},
      {"list (1,000 values)", head + "list, otherwise: s0, lists: {" + lists() + "}", 20},
      {"xxh64 + jump", head + "jump" + xxh64, 20},
      {"xxh64 + maglev (65,537)", head + "maglev" + xxh64, 20},
      {"xxh64 + ring (160 each)", head + "ring" + xxh64, 0},
      {"xxh64 + rendezvous", head + "rendezvous" + xxh64, 200},
      {"xxh64 + rendezvous, weights 1 to 4", head + "rendezvous" + xxh64, 200, 4},
      {"xxh64 + rendezvous, weights 1 to 100", head + "rendezvous" + xxh64, 0, 100},
      {"xxh64 + multi_probe (21)", head + "multi_probe" + xxh64, 200},
  };
  for (const char* hash : {"cityHash64", "murmur3", "crc32", "md5", "sha1", "pg_hash"}) {
    list.push_back({fmt::format("{} + modulo", hash), head + "modulo, hash: " + hash, 0});
  }
  list.push_back(
      {"xxh64 of 16 bytes of text + modulo", "type: text, strategy: modulo, hash: xxh64", 0});
  list.push_back({"cityHash64 of 16 bytes of text + modulo",
                  "type: text, strategy: modulo, hash: cityHash64", 0});
  list.push_back({"lookup that is remembered", head + "lookup, table: t", 100});
  list.push_back({"lookup that is remembered, 16 bytes of text", "type: text, strategy: lookup, table: t", 100});
  return list;
}

std::shared_ptr<const router::ShardMap> map_of(const Row& row) {
  std::string text =
      "listen: {postgres: 127.0.0.1:6432}\n"
      "users: [{name: a, password: b}]\n"
      "databases:\n"
      "  d:\n"
      "    backend: {user: a}\n"
      "    shards:\n";
  for (std::size_t shard = 0; shard < shards; ++shard) {
    text += fmt::format("      s{}: {{primary: 10.0.0.1:{}, weight: {}}}\n", shard, shard + 1,
                        shard % row.weights + 1);
  }
  text += fmt::format("    default_shard: s0\n    schemes: {{s: {{{}}}}}\n", row.scheme);
  const conf::Loaded loaded = conf::load_text(text, "bench.yaml");
  for (const auto& one : loaded.diagnostics) fmt::print(stderr, "{}\n", one.text());
  if (loaded.config == nullptr) std::exit(1);
  std::vector<conf::Diagnostic> diagnostics;
  return router::ShardMap::build(loaded.config->databases.front(), "bench.yaml", diagnostics);
}

std::vector<KeyValue> random_keys(const Row& row) {
  std::mt19937_64 random(6);
  std::vector<KeyValue> list;
  const bool listed = row.name.starts_with("list");
  const bool text = row.scheme.starts_with("type: text");
  for (std::size_t i = 0; i < keys; ++i) {
    const std::uint64_t number = random() >> 1U;
    if (text) {
      list.push_back(KeyValue::of(fmt::format("{:016x}", number)));
    } else {
      list.push_back(KeyValue::of(static_cast<std::int64_t>(listed ? number % 1'000 : number)));
    }
  }
  return list;
}

/// What a statement does whose key's row is remembered: it looks at the clock, and whether somebody changes rows.
class Remembered final : public router::Lookups {
 public:
  std::optional<router::Placement> place(const router::MappedScheme& scheme, const KeyValue& key) override {
    if (changes_.load() > 0) return std::nullopt;
    const auto shard = cache_.find({1, generation_.load(), scheme.index}, key, router::LookupCache::Clock::now());
    return shard ? std::optional(router::Placement{-1, *shard}) : std::nullopt;
  }
  /// Those of the keys that are.
  std::vector<KeyValue> remember(std::vector<KeyValue> list) {
    constexpr std::size_t most = 10'000;
    list.resize(std::min(list.size(), most));
    std::uint32_t shard = 0;
    for (const KeyValue& key : list) {
      cache_.put({1, 1, 0}, key, shard++ % shards, router::LookupCache::Clock::now() + std::chrono::hours(1));
    }
    std::erase_if(list, [this](const KeyValue& key) {
      return !cache_.find({1, 1, 0}, key, router::LookupCache::Clock::now());
    });
    return list;
  }

 private:
  std::atomic<std::uint32_t> changes_{0};
  std::atomic<std::uint64_t> generation_{1};
  router::LookupCache cache_;
};

/// Nanoseconds a key, of the best run.
double measure(const router::MappedScheme& scheme, std::vector<KeyValue> list, int runs) {
  Remembered lookups;
  if (scheme.lookup) list = lookups.remember(std::move(list));
  double best = 1e9;
  std::uint64_t sum = 0;
  for (int run = 0; run < runs; ++run) {
    const double start = now();
    for (std::size_t round = 0; round < rounds; ++round) {
      for (const KeyValue& key : list) sum += router::ShardMap::place(scheme, key, &lookups)->shard;
    }
    best = std::min(best, now() - start);
  }
  if (sum == 0) fmt::print(stderr, "every key is on the first shard\n");
  return best * 1e9 / static_cast<double>(list.size() * rounds);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "evenness") {
    print_evenness();
    return 0;
  }
  const int runs = argc > 1 ? std::atoi(argv[1]) : 7;
  bool met = true;
  fmt::print("| placement over {} shards | ns a key | bar |\n|---|---|---|\n", shards);
  for (const Row& row : rows()) {
    const auto map = map_of(row);
    const double ns = measure(map->schemes().front(), random_keys(row), runs);
    const bool missed = row.bar != 0 && ns > row.bar;
    met = met && !missed;
    fmt::print("| {} | {:.1f}{} | {} |\n", row.name, ns, missed ? " FAIL" : "",
               row.bar != 0 ? fmt::format("{:.0f}", row.bar) : "");
  }
  return met ? 0 : 1;
}
