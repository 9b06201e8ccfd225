#include "router/growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "router/composite_key.h"

namespace anabranch::router {
namespace {

using conf::StrategyKind;

const std::string& shard_name(const SchemeSide& side, std::uint32_t shard) {
  return side.map.shards()[shard].name;
}

/// Counts places before and after.
class Tally {
 public:
  Tally(const SchemeSide& before, const SchemeSide& after)
      : before_(before), after_(after), loads_(after.map.shards().size()) {}

  void add(std::uint32_t from, std::uint32_t to) {
    ++total_;
    ++loads_[to];
    ++pairs_[{from, to}];
  }

  Growth take(Growth::Basis basis) const {
    Growth growth;
    growth.basis = basis;
    growth.total = total_;
    for (const auto& [pair, count] : pairs_) {
      const std::string& from = shard_name(before_, pair.first);
      const std::string& to = shard_name(after_, pair.second);
      if (from != to) growth.moves.push_back({from, to, count, {}});
    }
    std::ranges::sort(growth.moves, [](const Growth::Move& l, const Growth::Move& r) {
      return std::tie(r.count, l.from, l.to) < std::tie(l.count, r.from, r.to);
    });
    add_loads(growth);
    return growth;
  }

 private:
  void add_loads(Growth& growth) const {
    const StrategyKind kind = after_.mapped().kind;
    const bool weighted = kind != StrategyKind::jump && kind != StrategyKind::multi_probe;
    double weights = 0;
    for (const std::uint32_t shard : after_.mapped().shards) {
      const double weight = weighted ? after_.map.shards()[shard].weight : 1;
      growth.loads.push_back({shard_name(after_, shard), loads_[shard], weight});
      weights += weight;
    }
    for (Growth::Load& load : growth.loads) load.by_weight /= weights;
  }

  const SchemeSide& before_;
  const SchemeSide& after_;
  std::uint64_t total_ = 0;
  std::vector<std::uint64_t> loads_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> pairs_;
};

// --- buckets ----------------------------------------------------------------------------------

bool same_buckets(const conf::Scheme& before, const conf::Scheme& after) {
  return before.strategy == StrategyKind::buckets && after.strategy == StrategyKind::buckets &&
         before.buckets == after.buckets && before.hash == after.hash;
}

Growth count_buckets(const SchemeSide& before, const SchemeSide& after) {
  Tally tally(before, after);
  for (std::uint32_t bucket = 0; bucket < after.written().buckets; ++bucket) {
    tally.add(before.written().bucket_shards[bucket], after.written().bucket_shards[bucket]);
  }
  return tally.take(Growth::Basis::buckets);
}

// --- other hashes -----------------------------------------------------------------------------

/// Keys at random. Days and moments are those from 1900 to 2100.
class RandomKeys {
 public:
  explicit RandomKeys(const std::vector<KeyType>& types) : types_(types) {}

  KeyValue next() {
    if (types_.size() == 1) return next(types_.front());
    parts_.clear();
    for (const KeyType type : types_) parts_.push_back(next(type));
    return composite_key(types_, parts_);
  }

 private:
  KeyValue next(KeyType type) {
    constexpr std::int64_t first_day = -25'567;
    constexpr std::uint64_t days = 73'049;
    constexpr std::int64_t micros_a_day = 86'400'000'000;
    switch (type) {
      case KeyType::bigint:
        return KeyValue::of(static_cast<std::int64_t>(random_()));
      case KeyType::date:
        return KeyValue::of(first_day + static_cast<std::int64_t>(random_() % days));
      case KeyType::timestamp:
        return KeyValue::of(first_day * micros_a_day +
                            static_cast<std::int64_t>(random_() % (days * micros_a_day)));
      case KeyType::numeric:
        return KeyValue::of(std::to_string(random_()));
      case KeyType::text:
      case KeyType::uuid:
      case KeyType::bytes:
        return KeyValue::of(fmt::format("{:016x}", random_()));
    }
    return {};
  }

  const std::vector<KeyType>& types_;
  std::vector<KeyValue> parts_;
  std::mt19937_64 random_{1};  // the same keys each time
};

Growth sample(const SchemeSide& before, const SchemeSide& after) {
  Tally tally(before, after);
  RandomKeys keys(after.mapped().types);
  for (std::uint64_t i = 0; i < growth_sample; ++i) {
    const KeyValue key = keys.next();
    const auto from = ShardMap::place(before.mapped(), key);
    const auto to = ShardMap::place(after.mapped(), key);
    if (from && to) tally.add(from->shard, to->shard);
  }
  return tally.take(Growth::Basis::sample);
}

// --- ranges and lists -------------------------------------------------------------------------

/// Where a value lies; empty: nowhere.
std::string place_of(const SchemeSide& side, const KeyValue& key) {
  const auto placement = side.mapped().strategy->place(0, key);
  return placement ? shard_name(side, placement->shard) : std::string();
}

/// Rows that could lie nowhere before are none that move.
void note(Growth& growth, const std::string& from, const std::string& to, std::string values) {
  if (from.empty() || from == to) return;
  growth.moves.push_back({from, to.empty() ? "no shard" : to, 0, std::move(values)});
}

Growth compare_ranges(const SchemeSide& before, const SchemeSide& after) {
  Growth growth;
  growth.basis = Growth::Basis::values;
  const KeyType type = after.mapped().type();
  std::vector<KeyValue> bounds;
  for (const SchemeSide* side : {&before, &after}) {
    for (const conf::Range& range : side->written().ranges) {
      if (range.below) bounds.push_back(*range.below);
    }
  }
  const auto less = [&](const KeyValue& l, const KeyValue& r) {
    return conf::compare(type, l, r) < 0;
  };
  std::ranges::sort(bounds, less);
  const auto same = [&](const KeyValue& l, const KeyValue& r) {
    return conf::compare(type, l, r) == 0;
  };
  bounds.erase(std::unique(bounds.begin(), bounds.end(), same), bounds.end());
  // Below the first bound lies what the first range of either holds.
  const auto first = [](const SchemeSide& side) {
    return shard_name(side, side.written().ranges.front().shard);
  };
  const std::string above = bounds.empty() ? "all" : "below " + conf::to_text(type, bounds.front());
  note(growth, first(before), first(after), above);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    std::string values = "from " + conf::to_text(type, bounds[i]);
    if (i + 1 < bounds.size()) values += " to below " + conf::to_text(type, bounds[i + 1]);
    note(growth, place_of(before, bounds[i]), place_of(after, bounds[i]), std::move(values));
  }
  note(growth, place_of(before, KeyValue::null()), place_of(after, KeyValue::null()), "NULL");
  return growth;
}

Growth compare_lists(const SchemeSide& before, const SchemeSide& after) {
  Growth growth;
  growth.basis = Growth::Basis::values;
  std::vector<KeyValue> listed;
  for (const SchemeSide* side : {&before, &after}) {
    for (const conf::ListEntry& entry : side->written().lists) {
      if (std::ranges::find(listed, entry.value) == listed.end()) listed.push_back(entry.value);
    }
  }
  for (const KeyValue& value : listed) {
    const std::string text = value.is_null() ? "NULL" : conf::to_text(after.mapped().type(), value);
    note(growth, place_of(before, value), place_of(after, value), text);
  }
  const auto otherwise = [](const SchemeSide& side) {
    const auto shard = side.written().otherwise;
    return shard ? shard_name(side, *shard) : std::string();
  };
  note(growth, otherwise(before), otherwise(after), "values that are not listed");
  return growth;
}

/// Why the two cannot be compared; empty if they can.
std::string obstacle(const SchemeSide& before, const SchemeSide& after) {
  for (const SchemeSide* side : {&before, &after}) {
    if (side->mapped().lookup) return "a table says where its keys live";
  }
  if (before.mapped().types != after.mapped().types) return "the type of its keys differs";
  const auto by_value = [](const SchemeSide& side) { return !side.mapped().strategy->hashes(); };
  const bool values = by_value(before) || by_value(after);
  if (values && before.mapped().kind != after.mapped().kind) {
    return fmt::format("strategy {} becomes {}", conf::to_string(before.mapped().kind),
                       conf::to_string(after.mapped().kind));
  }
  if (before.mapped().random() != after.mapped().random()) return "hash rand places no keys";
  return {};
}

}  // namespace

std::uint64_t Growth::moved() const {
  std::uint64_t sum = 0;
  for (const Move& move : moves) sum += move.count;
  return sum;
}

double Growth::fullest() const {
  double most = 0;
  for (const Load& load : loads) {
    most = std::max(most,
                    static_cast<double>(load.count) / static_cast<double>(total) / load.by_weight);
  }
  return most;
}

Growth compare_schemes(const SchemeSide& before, const SchemeSide& after) {
  Growth growth;
  growth.reason = obstacle(before, after);
  if (!growth.reason.empty()) return growth;
  if (after.mapped().random()) {
    growth.basis = Growth::Basis::nothing;
    return growth;
  }
  if (after.mapped().kind == StrategyKind::range) return compare_ranges(before, after);
  if (after.mapped().kind == StrategyKind::list) return compare_lists(before, after);
  const bool counted = same_buckets(before.written(), after.written());
  return counted ? count_buckets(before, after) : sample(before, after);
}

}  // namespace anabranch::router
