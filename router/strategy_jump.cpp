#include "router/strategies.h"

namespace anabranch::router {
namespace {

/// The loop of the paper: each turn jumps to the next number of shards at which the key would move.
std::size_t jump(std::uint64_t key, std::size_t shards) {
  constexpr std::uint64_t multiplier = 2862933555777941757ULL;
  constexpr double scale = 2147483648.0;  // 2^31
  std::int64_t at = -1;
  std::int64_t next = 0;
  while (next < static_cast<std::int64_t>(shards)) {
    at = next;
    key = key * multiplier + 1;
    next = static_cast<std::int64_t>(static_cast<double>(at + 1) *
                                     (scale / static_cast<double>((key >> 33U) + 1)));
  }
  return static_cast<std::size_t>(at);
}

class Jump final : public Strategy {
 public:
  explicit Jump(std::vector<std::uint32_t> shards) : shards_(std::move(shards)) {}

  bool hashes() const override { return true; }

  std::optional<Placement> place(std::uint64_t f1, const KeyValue&) const override {
    return Placement{-1, shards_[jump(f1, shards_.size())]};
  }

 private:
  std::vector<std::uint32_t> shards_;
};

}  // namespace

std::unique_ptr<const Strategy> make_jump(std::vector<std::uint32_t> shards) {
  return std::make_unique<Jump>(std::move(shards));
}

}  // namespace anabranch::router
