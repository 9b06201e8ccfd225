#include "proxy/mysql/row_numbers.h"

#include <doctest/doctest.h>

namespace anabranch::proxy::mysql {
namespace {

TEST_CASE("a shard's rows are the client's") {
  RowNumbers numbers(1 << 20);
  numbers.add(0, 1, 10);
  numbers.add(1, 2, 10);
  numbers.add(0, 3, 10);
  CHECK(numbers.renumbered("Out of range value for column 'a' at row 2", 0) == "Out of range value for column 'a' at row 3");
  CHECK(numbers.renumbered("Row 1 was truncated", 1) == "Row 2 was truncated");
  CHECK(numbers.renumbered("Duplicate entry '1' for key 'a'", 0) == "Duplicate entry '1' for key 'a'");
  CHECK(numbers.renumbered("Row 7 was truncated", 1) == "Row 7 of a shard was truncated");
  CHECK(numbers.renumbered("Row 1 was truncated", 2) == "Row 1 was truncated");
}

TEST_CASE("the row that a message names") {
  CHECK(row_of_message("Incorrect value ' at row 3' at row 12") == 12);
  CHECK(row_of_message("Row 5 was truncated") == 5);
  CHECK(row_of_message("nothing") == 0);
}

}  // namespace
}  // namespace anabranch::proxy::mysql
