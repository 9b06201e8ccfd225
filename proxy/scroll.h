#pragma once

#include <cstddef>
#include <cstdint>

#include "rewriter/fetch_range.h"

namespace anabranch::proxy {

/// Rows that a FETCH gives, in the order it gives them.
struct ScrollSpan {
  std::size_t first = 0;  ///< from 0
  std::size_t count = 0;
  bool backward = false;  ///< `first` and those before it
};

/// Where a cursor that goes back and forth stands among its rows, which are all at hand: before the first,
/// on one, or after the last. Moves as PostgreSQL does (DoPortalRunFetch in src/backend/tcop/pquery.c).
class Scroll {
 public:
  explicit Scroll(std::size_t rows) : rows_(rows) {}
  ScrollSpan move(const rewriter::FetchRange& fetch);

 private:
  ScrollSpan forward(std::size_t count);
  ScrollSpan backward(std::size_t count);
  ScrollSpan absolute(std::int64_t to);
  ScrollSpan relative(std::int64_t by);
  ScrollSpan here() const;

  std::size_t rows_;
  std::size_t position_ = 0;  ///< 0: before the first; rows_ + 1: after the last
};

}  // namespace anabranch::proxy
