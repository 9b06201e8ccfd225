#include <algorithm>
#include <array>

#include "router/strategies.h"

namespace anabranch::router {
namespace {

constexpr std::uint64_t multiplier = 2862933555777941757ULL;
constexpr double scale = 2147483648.0;  // 2^31

/// Where a key is: on shard `next` unless there are no more than `next` shards.
struct State {
  std::uint64_t random = 0;
  std::uint64_t next = 0;
};

/// The loop of the paper: each turn jumps to the next number of shards at which the key would move.
std::size_t jump_on(State state, std::uint64_t shards) {
  std::uint64_t at = 0;
  while (state.next < shards) {
    at = state.next;
    state.random = state.random * multiplier + 1;
    state.next = static_cast<std::uint64_t>(
        static_cast<double>(at + 1) * (scale / static_cast<double>((state.random >> 33U) + 1)));
  }
  return at;
}

// The loop's end cannot be foretold, and each turn waits for the last one's conversions. The first
// turns are therefore made without a branch, the generator jumping ahead to all of them at once,
// and their chain is one of integers: the quotient, in units of 2^-32, times `at + 1`.
constexpr std::size_t turns = 8;  // enough for 100 shards, but for one key in twenty
constexpr unsigned fraction_bits = 32;
constexpr std::size_t fewest_without_branch = 12;  // fewer shards take fewer turns
constexpr double unit = 4294967296.0;              // 2^32

/// The generator's i-th next number is `random * factor[i] + addend[i]`.
struct Ahead {
  std::array<std::uint64_t, turns> factor{};
  std::array<std::uint64_t, turns> addend{};
};

constexpr Ahead ahead = [] {
  Ahead result;
  State state{.random = 1, .next = 0};  // here: the factor, the addend
  for (std::size_t i = 0; i < turns; ++i) {
    state = {.random = state.random * multiplier, .next = state.next * multiplier + 1};
    result.factor[i] = state.random;
    result.addend[i] = state.next;
  }
  return result;
}();

/// The same as the paper's loop, to the bit. A quotient cut to whole units makes the product less
/// than the real one by less than `at + 1` units, and the paper's rounding is less than one more:
/// only where the product's fraction is as near as that to the next integer may the two differ,
/// and there (once in some million keys) the paper's loop is taken. A quotient is cut to `shards`,
/// which leaves as surely, so that nothing overflows.
std::size_t jump(std::uint64_t key, std::uint64_t shards) {
  const double most = static_cast<double>(shards) * unit;
  std::uint64_t next = 0;
  std::uint64_t at = 0;
  std::uint64_t doubt = 0;
  for (std::size_t i = 0; i < turns; ++i) {
    const std::uint64_t random = key * ahead.factor[i] + ahead.addend[i];
    const auto divisor = static_cast<std::int64_t>((random >> 33U) + 1);
    const double quotient = scale * unit / static_cast<double>(divisor);
    const auto units = static_cast<std::int64_t>(std::min(quotient, most));
    const std::uint64_t product = (next + 1) * static_cast<std::uint64_t>(units);
    doubt |= (product & 0xFFFF'FFFFU) + shards + 2;
    next = std::min(product >> fraction_bits, shards);
    at = next < shards ? next : at;
  }
  if ((doubt >> fraction_bits) != 0) return jump_on({.random = key, .next = 0}, shards);
  if (next == shards) return at;
  return jump_on({.random = key * ahead.factor.back() + ahead.addend.back(), .next = next}, shards);
}

class Jump final : public Strategy {
 public:
  explicit Jump(std::vector<std::uint32_t> shards) : shards_(std::move(shards)) {}

  bool hashes() const override { return true; }

  std::optional<Placement> place(std::uint64_t f1, const KeyValue&) const override {
    const std::size_t shards = shards_.size();
    const bool few = shards < fewest_without_branch;
    return Placement{-1,
                     shards_[few ? jump_on({.random = f1, .next = 0}, shards) : jump(f1, shards)]};
  }

 private:
  std::vector<std::uint32_t> shards_;
};

}  // namespace

std::unique_ptr<const Strategy> make_jump(std::vector<std::uint32_t> shards) {
  return std::make_unique<Jump>(std::move(shards));
}

}  // namespace anabranch::router
