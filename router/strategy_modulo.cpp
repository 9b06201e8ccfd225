#include <algorithm>

#include "router/strategies.h"

namespace anabranch::router {
namespace {

constexpr std::uint64_t most_slots = 4'096;  // weights are small numbers, as a rule

class Modulo final : public Strategy {
 public:
  explicit Modulo(const std::vector<WeightedShard>& shards) {
    for (const WeightedShard& one : shards) {
      shards_.push_back(one.shard);
      ends_.push_back(total_ += one.weight);
      if (total_ <= most_slots) slots_.resize(total_, one.shard);
    }
  }

  bool hashes() const override { return true; }

  std::optional<Placement> place(std::uint64_t f1, const KeyValue&) const override {
    const std::uint64_t remainder = f1 % total_;
    if (remainder < slots_.size()) return Placement{-1, slots_[remainder]};
    const auto end = std::ranges::upper_bound(ends_, remainder);
    return Placement{-1, shards_[static_cast<std::size_t>(end - ends_.begin())]};
  }

 private:
  std::vector<std::uint32_t> shards_;
  std::vector<std::uint64_t> ends_;   // of each shard's interval of remainders, exclusive
  std::vector<std::uint32_t> slots_;  // the shard of each remainder, as far as they are few
  std::uint64_t total_ = 0;
};

}  // namespace

std::unique_ptr<const Strategy> make_modulo(const std::vector<WeightedShard>& shards) {
  return std::make_unique<Modulo>(shards);
}

}  // namespace anabranch::router
