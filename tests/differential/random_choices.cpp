#include "random_choices.h"

namespace anabranch::differential {
namespace {

constexpr std::size_t most_choices = 5000;

}  // namespace

int Choices::below(int bound) {
  const std::size_t at = next_++;
  if (at >= most_choices) throw TooMany();
  if (given_) return at < taken_.size() ? taken_[at] % bound : 0;
  taken_.push_back(static_cast<int>(random_() % static_cast<uint64_t>(bound)));
  return taken_.back();
}

}  // namespace anabranch::differential
