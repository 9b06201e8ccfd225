// Compiled with -ffp-contract=off: a fused multiplication and addition rounds otherwise.
#include <algorithm>
#include <cmath>
#include <limits>

#include "router/strategies.h"

namespace anabranch::router {
namespace {

constexpr double ln2 = 0x1.62e42fefa39efp-1;
constexpr double unit = 0x1p-53;
constexpr unsigned unit_shift = 11;  // a hash in units: its 53 high bits

/// -ln(1 - v) of a v in [0, 1) that is a multiple of `unit`: by the four basic operations alone,
/// which round alike on every machine, where a logarithm of the C library need not.
double negative_log(double v) {
  int exponent = 0;
  const double rest = std::frexp(1.0 - v, &exponent);  // in [1/2, 1); 1 - v itself up to v = 1/2
  const double s = (1.0 - rest) / (1.0 + rest);        // ln(rest) is -2 artanh(s)
  const double square = s * s;
  double sum = 0;
  for (int odd = 25; odd > 1; odd -= 2) sum = (sum + 1.0 / odd) * square;
  return 2.0 * s * (1.0 + sum) - exponent * ln2;
}

/// Of v = hash of key and shard, read as a fraction, the least -ln(1 - v) / weight is each shard's
/// as often as it weighs (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005).
/// Shards of one weight are compared by v itself, so that there is one candidate a weight.
class Rendezvous final : public Strategy {
 public:
  explicit Rendezvous(std::vector<Node> nodes) {
    std::ranges::sort(nodes, {}, [](const Node& node) {
      return std::pair(node.weight, std::string_view(node.name));
    });
    for (const Node& node : nodes) {
      if (groups_.empty() || groups_.back().weight != node.weight) {
        groups_.push_back({node.weight, hashes_.size()});
      }
      hashes_.push_back(node.hash());
      shards_.push_back(node.shard);
      ++groups_.back().end;
    }
  }

  bool hashes() const override { return true; }

  /// -ln(1 - v) lies between v and v / (1 - v), which are nearly the same where v is the least of
  /// many: mostly the least v / weight wins without a logarithm.
  std::optional<Placement> place(std::uint64_t f1, const KeyValue&) const override {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    Least first;
    double bound_of_first = infinite;
    double bound_of_others = infinite;
    for (const Group& group : groups_) {
      const Least least = least_of(f1, group);
      const double bound = least.fraction() * group.part;
      bound_of_others = std::min(bound_of_others, std::max(bound, bound_of_first));
      if (bound < bound_of_first) {
        bound_of_first = bound;
        first = least;
      }
    }
    const double v = first.fraction();
    const bool wins = groups_.size() == 1 || v / (1.0 - v) * first.part < bound_of_others;
    return Placement{-1, shards_[wins ? first.node : least_score(f1)]};
  }

 private:
  /// Shards of one weight.
  struct Group {
    Group(std::uint32_t w, std::size_t first)
        : weight(w), part(1.0 / w), begin(first), end(first) {}

    std::uint32_t weight = 1;
    double part = 1;
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  struct Least {
    std::int64_t hash = std::numeric_limits<std::int64_t>::max();  // in units
    std::size_t node = 0;
    double part = 1;  // of its group

    double fraction() const { return static_cast<double>(hash) * unit; }
  };

  Least least_of(std::uint64_t f1, const Group& group) const {
    Least least;
    least.part = group.part;
    for (std::size_t i = group.begin; i < group.end; ++i) {
      const auto hash = static_cast<std::int64_t>(int_hash64(f1 ^ hashes_[i]) >> unit_shift);
      const bool less = hash < least.hash;  // without a branch, which nobody could foretell
      least.node = less ? i : least.node;
      least.hash = less ? hash : least.hash;
    }
    return least;
  }

  static double score(const Least& least) {
    const double v = least.fraction();
    return std::max(v, negative_log(v)) * least.part;
  }

  std::size_t least_score(std::uint64_t f1) const {
    double best = std::numeric_limits<double>::infinity();
    std::size_t node = 0;
    for (const Group& group : groups_) {
      const Least least = least_of(f1, group);
      if (const double own = score(least); own < best) {
        best = own;
        node = least.node;
      }
    }
    return node;
  }

  std::vector<Group> groups_;  // of hashes_ and shards_, which are in order of weight, then name
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> shards_;
};

}  // namespace

std::unique_ptr<const Strategy> make_rendezvous(std::vector<Node> nodes) {
  return std::make_unique<Rendezvous>(std::move(nodes));
}

}  // namespace anabranch::router
