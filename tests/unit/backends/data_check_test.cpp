#include "backends/data_check.h"

#include <doctest/doctest.h>

using anabranch::backends::RowsChecksum;

TEST_CASE("the checksum of rows does not depend on their order, and on nothing less than all of them") {
  const std::string one = "ffffffffffffffffffffffffffffffff";
  const std::string two = "00000000000000008000000000000001";
  RowsChecksum left;
  RowsChecksum right;
  CHECK((left.add(one) && left.add(two)));
  CHECK((right.add(two) && right.add(one)));
  CHECK(left == right);
  CHECK(left.text() == "00000000000000008000000000000000");
  CHECK(right.add("00000000000000000000000000000000"));
  CHECK_FALSE(left == right);
  for (const char* text : {"", "ff", "ffffffffffffffffffffffffffffffffff", "fffffffffffffffffffffffffffffffg"}) {
    CHECK_FALSE(left.add(text));
  }
  CHECK(left.rows() == 2);
}
