#include "proxy/scroll.h"

#include <algorithm>
#include <limits>

namespace anabranch::proxy {

namespace {

/// The distance of a signed number from zero; of the least one, that of the greatest: all.
std::size_t magnitude(std::int64_t number) {
  if (number == std::numeric_limits<std::int64_t>::min()) number = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::size_t>(number < 0 ? -number : number);
}

}  // namespace

ScrollSpan Scroll::move(const rewriter::FetchRange& fetch) {
  using To = rewriter::FetchRange::To;
  switch (fetch.to) {
    case To::absolute: return absolute(fetch.count);
    case To::relative: return relative(fetch.count);
    case To::forward:
    case To::backward: break;
  }
  if (fetch.count == 0) return here();
  const bool ahead = (fetch.to == To::forward) == (fetch.count > 0);
  return ahead ? forward(magnitude(fetch.count)) : backward(magnitude(fetch.count));
}

ScrollSpan Scroll::here() const {
  if (position_ == 0 || position_ > rows_) return {};
  return {position_ - 1, 1, false};
}

/// As many as asked for leave it on the last of them; fewer, after the last row.
ScrollSpan Scroll::forward(std::size_t count) {
  const std::size_t left = position_ >= rows_ ? 0 : rows_ - position_;
  const ScrollSpan span{position_, std::min(count, left), false};
  position_ = count > left ? rows_ + 1 : position_ + count;
  return span;
}

ScrollSpan Scroll::backward(std::size_t count) {
  const std::size_t left = position_ == 0 ? 0 : position_ - 1;
  const ScrollSpan span{left == 0 ? 0 : left - 1, std::min(count, left), true};
  position_ = count > left ? 0 : position_ - count;
  return span;
}

ScrollSpan Scroll::absolute(std::int64_t to) {
  if (to == 0) {
    position_ = 0;
    return {};
  }
  const std::size_t distance = magnitude(to);
  if (to > 0) {
    position_ = std::min(distance, rows_ + 1);
  } else {
    position_ = distance > rows_ ? 0 : rows_ + 1 - distance;
  }
  return here();
}

ScrollSpan Scroll::relative(std::int64_t by) {
  const std::size_t distance = magnitude(by);
  if (by > 0) {
    const std::size_t left = rows_ + 1 - position_;
    position_ = distance >= left ? rows_ + 1 : position_ + distance;
  } else if (by < 0) {
    position_ = distance >= position_ ? 0 : position_ - distance;
  }
  return here();
}

}  // namespace anabranch::proxy
