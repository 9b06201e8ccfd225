#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <vector>

namespace anabranch::differential {

/// The choices that make a query: drawn at random and remembered, or given again. A query is made smaller by
/// giving fewer and smaller ones: 0 is everywhere the simplest.
class Choices {
 public:
  explicit Choices(uint64_t seed) : random_(seed) {}
  explicit Choices(std::vector<int> given) : taken_(std::move(given)), given_(true) {}

  /// From 0 up to the bound, which is at least 1. Given ones that have come to an end are followed by zeros, but
  /// not for ever: throws TooMany where a query would take many more.
  int below(int bound);

  const std::vector<int>& taken() const { return taken_; }

  struct TooMany : std::runtime_error {
    TooMany() : std::runtime_error("a query of too many choices") {}
  };

 private:
  std::mt19937_64 random_;
  std::vector<int> taken_;
  bool given_ = false;
  std::size_t next_ = 0;
};

}  // namespace anabranch::differential
