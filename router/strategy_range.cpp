#include <algorithm>

#include "router/strategies.h"

namespace anabranch::router {
namespace {

class RangeStrategy final : public Strategy {
 public:
  RangeStrategy(KeyType type, std::vector<conf::Range> ranges, std::optional<std::uint32_t> nulls)
      : type_(type), nulls_(nulls) {
    for (conf::Range& range : ranges) {
      shards_.push_back(range.shard);
      if (!range.below) break;
      if (range.below->kind == KeyValue::Kind::integer) integers_.push_back(range.below->integer);
      bounds_.push_back(std::move(*range.below));
    }
  }

  bool hashes() const override { return false; }

  std::optional<Placement> place(std::uint64_t, const KeyValue& key) const override {
    if (!key.is_null()) return Placement{-1, shards_[index_of(key)]};
    if (!nulls_) return std::nullopt;
    return Placement{-1, *nulls_};
  }

  std::optional<ShardSet> between(const KeyRange& range) const override {
    const std::size_t first = range.lower ? index_of(*range.lower) : 0;
    const std::size_t last =
        range.upper ? last_below(*range.upper, range.upper_inclusive) : shards_.size() - 1;
    ShardSet set;
    for (std::size_t i = first; i <= last; ++i) set.add(shards_[i]);
    return set;
  }

 private:
  /// The range that holds the key: the first whose bound is greater.
  std::size_t index_of(const KeyValue& key) const {
    if (key.kind == KeyValue::Kind::integer) {
      return static_cast<std::size_t>(std::ranges::upper_bound(integers_, key.integer) -
                                      integers_.begin());
    }
    const auto found = std::ranges::upper_bound(
        bounds_, key,
        [this](const KeyValue& l, const KeyValue& r) { return conf::compare(type_, l, r) < 0; });
    return static_cast<std::size_t>(found - bounds_.begin());
  }

  /// An exclusive upper end that is itself a bound does not reach into the range it opens.
  std::size_t last_below(const KeyValue& upper, bool inclusive) const {
    const std::size_t index = index_of(upper);
    const bool at_bound = index > 0 && conf::compare(type_, bounds_[index - 1], upper) == 0;
    return at_bound && !inclusive ? index - 1 : index;
  }

  KeyType type_;
  std::vector<KeyValue> bounds_;        // ascending; the range before each is below it
  std::vector<std::int64_t> integers_;  // the same, for types that are integers
  std::vector<std::uint32_t> shards_;   // one more than bounds
  std::optional<std::uint32_t> nulls_;
};

}  // namespace

std::unique_ptr<const Strategy> make_range(KeyType type, std::vector<conf::Range> ranges,
                                           std::optional<std::uint32_t> nulls) {
  return std::make_unique<RangeStrategy>(type, std::move(ranges), nulls);
}

}  // namespace anabranch::router
