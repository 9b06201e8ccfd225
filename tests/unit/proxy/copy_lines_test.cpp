#include "proxy/copy_lines.h"

#include <doctest/doctest.h>

using anabranch::merge::MemoryBudget;
using anabranch::proxy::CopyLines;

TEST_CASE("a shard's lines are found among the client's") {
  MemoryBudget budget(1U << 20U);
  CopyLines lines(budget);
  lines.add(1, 1, 10);   // a header
  lines.add(4, 1, 10);   // two rows went elsewhere
  lines.add(7, 3, 10);   // one row of three lines
  lines.add(300, 1, 10);
  CHECK(lines.client_line(1) == 1);
  CHECK(lines.client_line(2) == 4);
  CHECK(lines.client_line(3) == 5);
  CHECK(lines.client_line(4) == 6);
  CHECK(lines.client_line(5) == 7);
  CHECK(lines.client_line(6) == 300);
  CHECK_FALSE(lines.client_line(7));
  CHECK_FALSE(lines.client_line(0));
}

TEST_CASE("many rows, in few bytes, and of a long stream the end") {
  MemoryBudget budget(8U << 20U);
  CopyLines lines(budget);
  std::uint64_t client = 0;
  for (int row = 1; row <= 200'000; ++row) {
    client += 1 + static_cast<std::uint64_t>(row % 7);
    lines.add(client, 1, 1000);
  }
  CHECK(lines.client_line(200'000) == client);
  CHECK(lines.client_line(199'994) == client - 4 - 3 - 2 - 1 - 7 - 6);
  CHECK_FALSE(lines.client_line(1));
  CHECK(budget.used() < 300'000);
}
