#include "proxy/scroll.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <limits>

namespace anabranch::proxy {

namespace {

using Fetch = rewriter::FetchRange;
using To = Fetch::To;

struct Expected {
  std::size_t first, count;
  bool backward = false;
};

void check(Scroll& scroll, To to, std::int64_t count, Expected expected) {
  const ScrollSpan span = scroll.move({to, count, false});
  CHECK_EQ(span.count, expected.count);
  if (expected.count == 0) return;
  CHECK_EQ(span.first, expected.first);
  if (expected.count > 1) CHECK_EQ(span.backward, expected.backward);
}

constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();

}  // namespace

// What PostgreSQL 15 answers to the same commands on a cursor of five rows.
TEST_CASE("scroll: five rows") {
  Scroll scroll(5);
  check(scroll, To::forward, 0, {0, 0});
  check(scroll, To::forward, 2, {0, 2});
  check(scroll, To::forward, 0, {1, 1});
  check(scroll, To::backward, 1, {0, 1});
  check(scroll, To::backward, 1, {0, 0});
  check(scroll, To::forward, all, {0, 5});
  check(scroll, To::forward, 1, {0, 0});
  check(scroll, To::backward, 2, {4, 2, true});
  check(scroll, To::relative, 1, {4, 1});
  check(scroll, To::relative, 1, {0, 0});
  check(scroll, To::relative, -1, {4, 1});
  check(scroll, To::absolute, -2, {3, 1});
  check(scroll, To::absolute, 2, {1, 1});
  check(scroll, To::absolute, 6, {0, 0});
  check(scroll, To::backward, all, {4, 5, true});
  check(scroll, To::forward, 1, {0, 1});
  check(scroll, To::absolute, 0, {0, 0});
  check(scroll, To::backward, -3, {0, 3});
  check(scroll, To::forward, -2, {1, 2, true});
}

TEST_CASE("scroll: numbers beyond all rows") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  for (const std::size_t rows : {0, 1}) {
    Scroll scroll(rows);
    check(scroll, To::absolute, least, {0, 0});
    check(scroll, To::relative, least, {0, 0});
    check(scroll, To::forward, least, {0, 0});
    check(scroll, To::relative, all, {0, 0});
    check(scroll, To::absolute, all, {0, 0});
    check(scroll, To::backward, least, {0, 0});
    check(scroll, To::backward, all, {0, rows, true});
  }
}

}  // namespace anabranch::proxy
