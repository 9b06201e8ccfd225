#include <queue>

#include "router/shard_set.h"
#include "router/strategies.h"

namespace anabranch::router {
namespace {

static_assert(max_shards <= 0xFFFF, "a slot of the table is 16 bits wide");

/// A shard while the table is filled: its own permutation of the slots, and when its turn comes.
class Claimant {
 public:
  Claimant(const Node& node, std::uint32_t order, std::uint64_t slots)
      : order_(order),
        weight_(node.weight),
        slot_(node.hash() % slots),
        skip_(int_hash64(node.hash()) % (slots - 1) + 1),
        shard_(node.shard) {}

  std::uint32_t shard() const { return shard_; }

  /// The next slot that it would like best.
  std::uint64_t next_slot(std::uint64_t slots) {
    const std::uint64_t slot = slot_;
    slot_ = (slot_ + skip_) % slots;
    return slot;
  }

  void take_turn() { ++turns_; }

  /// The k-th turn comes at the time k / weight; at one time, in order of the names.
  bool comes_after(const Claimant& other) const {
    const std::uint64_t own = turns_ * other.weight_;
    const std::uint64_t others = other.turns_ * weight_;
    return own != others ? own > others : order_ > other.order_;
  }

 private:
  std::uint64_t turns_ = 0;
  std::uint32_t order_ = 0;
  std::uint64_t weight_ = 1;
  std::uint64_t slot_ = 0;
  std::uint64_t skip_ = 1;
  std::uint32_t shard_ = 0;
};

std::vector<std::uint16_t> fill(const std::vector<Node>& nodes, std::uint32_t slots) {
  constexpr std::uint16_t unclaimed = 0xFFFF;
  const auto later = [](const Claimant& l, const Claimant& r) { return l.comes_after(r); };
  std::priority_queue<Claimant, std::vector<Claimant>, decltype(later)> queue(later);
  for (const Node& node : nodes) {
    queue.emplace(node, static_cast<std::uint32_t>(queue.size()), slots);
  }
  std::vector<std::uint16_t> table(slots, unclaimed);
  for (std::uint32_t filled = 0; filled < slots; ++filled) {
    Claimant claimant = queue.top();
    queue.pop();
    std::uint64_t slot = claimant.next_slot(slots);
    while (table[slot] != unclaimed) slot = claimant.next_slot(slots);
    table[slot] = static_cast<std::uint16_t>(claimant.shard());
    claimant.take_turn();
    queue.push(claimant);
  }
  return table;
}

class Maglev final : public Strategy {
 public:
  explicit Maglev(std::vector<std::uint16_t> table) : table_(std::move(table)) {}

  bool hashes() const override { return true; }

  std::optional<Placement> place(std::uint64_t f1, const KeyValue&) const override {
    return Placement{-1, table_[f1 % table_.size()]};
  }

 private:
  std::vector<std::uint16_t> table_;  // the shard of each slot
};

}  // namespace

std::unique_ptr<const Strategy> make_maglev(std::vector<Node> nodes, std::uint32_t table_size) {
  return std::make_unique<Maglev>(fill(by_name(std::move(nodes)), table_size));
}

}  // namespace anabranch::router
