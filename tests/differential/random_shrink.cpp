#include "random_shrink.h"

#include <algorithm>
#include <optional>

namespace anabranch::differential {
namespace {

constexpr int most_asked = 400;
constexpr std::size_t widest = 32;

class Shrinking {
 public:
  Shrinking(QueryGenerator& generator, const Choices& choices, const RandomQuery& query,
            const std::function<bool(const RandomQuery&)>& holds)
      : generator_(generator), holds_(holds), choices_(choices.taken()), smallest_(query) {}

  RandomQuery run() {
    for (bool smaller = true; smaller && asked_ < most_asked;) {
      smaller = false;
      for (std::size_t width = widest; width > 0; width /= 2) smaller |= leave_out(width);
      for (std::size_t width = widest; width > 0; width /= 2) smaller |= set_to_zero(width);
      smaller |= lower();
    }
    return smallest_;
  }

 private:
  using Place = std::vector<int>::iterator;

  bool leave_out(std::size_t width) {
    return each(width, [](std::vector<int>& all, Place from, Place to) { all.erase(from, to); });
  }
  bool set_to_zero(std::size_t width) {
    return each(width, [](std::vector<int>&, Place from, Place to) { std::fill(from, to, 0); });
  }
  bool lower() {
    const bool halved = each(1, [](std::vector<int>&, Place from, Place) { *from /= 2; });
    const bool counted_down = each(1, [](std::vector<int>&, Place from, Place) { *from = std::max(0, *from - 1); });
    return halved || counted_down;
  }

  template <typename Change>
  bool each(std::size_t width, Change change) {
    bool smaller = false;
    for (std::size_t at = 0; at < choices_.size() && asked_ < most_asked; ++at) {
      std::vector<int> changed = choices_;
      const auto from = changed.begin() + static_cast<std::ptrdiff_t>(at);
      change(changed, from, changed.begin() + static_cast<std::ptrdiff_t>(std::min(at + width, changed.size())));
      smaller |= take(std::move(changed));
    }
    return smaller;
  }

  /// Only a shorter query is asked for: so this ends.
  bool take(std::vector<int> changed) {
    Choices choices(changed);
    std::optional<RandomQuery> query;
    try {
      query = generator_.next(choices);
    } catch (const Choices::TooMany&) {
      return false;
    }
    if (query->sql.size() >= smallest_.sql.size()) return false;
    ++asked_;
    if (!holds_(*query)) return false;
    choices_ = std::move(changed);
    smallest_ = std::move(*query);
    return true;
  }

  QueryGenerator& generator_;
  const std::function<bool(const RandomQuery&)>& holds_;
  std::vector<int> choices_;
  RandomQuery smallest_;
  int asked_ = 0;
};

}  // namespace

RandomQuery shrink(QueryGenerator& generator, const Choices& choices, const RandomQuery& query,
                   const std::function<bool(const RandomQuery&)>& holds) {
  return Shrinking(generator, choices, query, holds).run();
}

}  // namespace anabranch::differential
